"""What one operation of a real service says of its requests and answers. Knows no service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Version = tuple[int, int]
Wrong = tuple[str, str]  # where in the document, and what is wrong there
NAMES_KEPT = ("required", "additionalProperties")  # whose messages hold names, and no values
INDEX = re.compile(r"\d+|[0-9a-f]{32}|[0-9a-f-]{36}")
MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Check:
    """Judges a part of an exchange, `request`, `query` or `response`, from one version to another;
    `wrong` tells what is wrong with a document, nothing when it is right. It is given the `whole`
    exchange where the part alone does not tell."""

    part: str
    wrong: Callable[[Any], Iterable[Wrong]]
    since: Version | None = None
    until: Version | None = None
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An operation: `template` has a name in braces for each parameter; `key` is the only key of the
    body, where that selects. `codes` by the versions from which they are answered."""

    method: str
    template: str
    key: str | None = None
    since: Version | None = None
    until: Version | None = None
    removed: bool = False
    checks: Sequence[Check] = ()
    codes: Sequence[tuple[Version | None, Version | None, int]] = field(default=())

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}{f' {self.key}' if self.key else ''}"

    @property
    def parts(self) -> list[str]:
        return sorted({each.part for each in self.checks})

    @property
    def versions(self) -> list[Version]:
        """Where something begins or ends to hold."""
        ends = [(each.since, each.until) for each in (self, *self.checks)]
        ends += [code[:2] for code in self.codes]
        found = {since for since, _ in ends if since}
        return sorted(found | {(until[0], until[1] + 1) for _, until in ends if until})

    def judge(self, exchange: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """What is wrong with an exchange: the part, where in it, and what."""
        version = exchange.get("version")
        at = (int(version[0]), int(version[1])) if version else None
        if self.removed or not holds(at, self.since, self.until):
            yield "version", "", "no such operation"
            return
        for check in self.checks:
            if holds(at, check.since, check.until):
                document = exchange if check.whole else exchange.get(check.part)
                yield from ((check.part, *each) for each in check.wrong(document))
        codes = {code for since, until, code in self.codes if holds(at, since, until)}
        if codes and exchange["status"] not in codes:
            yield "status", "", f"{exchange['status']} instead of {min(codes)}"


def holds(at: Version | None, since: Version | None, until: Version | None) -> bool:
    return at is None or ((since is None or since <= at) and (until is None or at <= until))


def by_schema(validator: Any) -> Callable[[Any], Iterator[Wrong]]:
    """Judges by a validator of jsonschema."""

    def wrong(document: Any) -> Iterator[Wrong]:
        try:
            for error in validator.iter_errors(document):
                yield place(error.absolute_path), told(error)
        except TypeError as error:  # a pattern on what is no text
            yield "", str(error)

    return wrong


def told(error: Any) -> str:
    """An error by its keyword, without the document's values, which are not the same each time."""
    keyword = str(error.validator)
    return f"{keyword}: {error.message}"[:200] if keyword in NAMES_KEPT else keyword


def place(path: Iterable[Any]) -> str:
    return "/".join("*" if INDEX.fullmatch(str(each)) else str(each) for each in path)


class Table:
    """Rules, found by a request's method and path."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = [(self._pattern(each.template), each) for each in rules]
        self.rules.sort(key=lambda each: each[1].template.count("{"))  # the more literal the sooner

    @staticmethod
    def _pattern(template: str) -> re.Pattern[str]:
        parts = re.split(r"(\{[^}]*\})", template)
        return re.compile(
            "".join("[^/]+" if each[:1] == "{" else re.escape(each) for each in parts)
        )

    def find(self, method: str, path: str, key: str | None) -> Rule | None:
        """The rule of a request, or of a row whose path has names in braces; None for none."""
        path = path.rstrip("/") or "/"
        for pattern, rule in self.rules:
            if rule.method == method and rule.key in (None, key) and pattern.fullmatch(path):
                return rule
        return None
