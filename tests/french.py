"""What French must not have in it: English, and spaces and apostrophes as no one prints them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

# Words that English sentences cannot do without and French has not, and those of our reasons.
ENGLISH = frozenset(
    """
    about above against all already always an and any anyone are asked at be because before being
    below between both but by called can cannot chain chains could country customers data declared
    demanded directly does each either ends every everything failed for from given had has have
    held hold holder holders holds how if into is it its itself key keys kept law laws lies
    located may more must never no nobody nor nothing of on one only open operator others outside
    own owned owner owners owns part path place places policy reach reaches reason resource rule
    run seat set share shares should shown site since so some supplier than that the their them
    then there these they this those through to together under unknown until used was were what
    when where whether which who whoever whom whose why will with within without would yet you your
    """.split()  # noqa: SIM905
)
# French writes these too.
SHARED = frozenset({"on", "no", "place", "places", "site", "part", "but", "an", "if"})
UNPRINTED = re.compile(r" [:;!?%»]|« |(?<=\w)'(?=\w)")
SKIPPED = frozenset({"style", "pre", "script"})
SPOKEN = ("alt", "aria-label", "title", "placeholder")


class Visible(HTMLParser):
    """The texts of a page that are told in its own language: no ids (class `mono`), no commands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._within: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("meta", "br", "link"):
            return
        foreign = tag != "html" and found.get("lang") not in (None, "fr")
        mono = "mono" in (found.get("class") or "").split()
        self._within.append((tag, foreign or mono or tag in SKIPPED))
        self.texts += [str(found[name]) for name in SPOKEN if found.get(name)]

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(skipped for _, skipped in self._within):
            self.texts.append(data.strip())


def english(text: str, names: Iterable[str] = ()) -> list[str]:
    """The English words of a text, but for those of these names."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    words = re.findall(r"\w+", text.lower())
    return [word for word in words if word in ENGLISH - SHARED]


def unprinted(text: str) -> list[str]:
    """What is not set as French is printed, with what stands around it."""
    return [text[max(0, each.start() - 15) : each.end() + 5] for each in UNPRINTED.finditer(text)]
