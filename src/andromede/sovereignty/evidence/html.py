"""The evidence as a page: one self-contained file per language, without script, made from the
document alone. Pure but for the packaged templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache, partial
from typing import Any, Final

from babel.dates import format_date
from jinja2 import DictLoader, Environment, StrictUndefined

from andromede.sovereignty.evidence import assets, figures, phrases, seal, words
from andromede.sovereignty.evidence.model import Evidence, LawPart, Reached
from andromede.sovereignty.evidence.pictures import projection

TEMPLATES: Final = ("base.html.j2", "parts.html.j2", "evidence.html.j2", "public.html.j2")
MOST: Final = 200  # rows of a table; the rest is in evidence.json
MANY: Final = 40  # entities on the graph


@cache
def environment() -> Environment:
    loader = DictLoader({name: assets.text(f"templates/{name}") for name in TEMPLATES})
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["sentence"] = _sentence
    return made


def _sentence(words: str) -> str:
    """With a capital at its beginning, and nothing else changed."""
    return words[:1].upper() + words[1:]


def warm() -> None:
    """Read and parse everything that the pages use."""
    for name in TEMPLATES:
        environment().get_template(name)
    seal.framework()
    projection.outlines()
    for language in words.LANGUAGES:
        words.catalogue(language)
        words.moment(language, 0)
        format_date(date.min, "d MMM", locale=language)


def render(document: Evidence, language: str, digest: str, file: str = "FILE") -> str:
    """The page. `digest` is the SHA-256 of evidence.json, in hexadecimal; `file` the archive's
    name, for the command that verifies it."""
    names = {each.supplier: each.name for each in document.suppliers}
    names |= {each.id: each.name for each in document.entities}
    page = common(language, names)
    page |= {
        "e": document,
        "digest": digest,
        "file": file,
        "day": document.day,
        "facts": phrases.facts(document, language),
        "map": figures.site_map(document.sites, language),
        "operators": _operators(document),
        "laws": law_rows(document, language, names),
        "keys_sentence": phrases.keys(document, language),
        "seal_sentence": phrases.seal(document.seal, language),
        "answered": [each for each in document.seal.criteria if each.level is not None],
        "unanswered": [each for each in document.seal.criteria if each.level is None],
        "left": phrases.left_out(document, language),
        **_timeline(document, language),
        "policy": phrases.policy_rows(document.policy.fields, language),
        "witnesses": phrases.witnesses(document.log.witnesses, language),
        "cosigned": phrases.cosigned(document.log, language),
        **_graph(document, language),
        **_resources(document, language),
        **_accesses(document, language),
        **_findings(document, language),
    }
    return environment().get_template("evidence.html.j2").render(page)


def common(language: str, names: dict[str, str]) -> dict[str, Any]:
    """What every page's template uses."""
    return {
        "language": language,
        "other": "en" if language == "fr" else "fr",
        "style": assets.text("style.css"),
        "style_hash": assets.style_hash("style.css"),
        "_": partial(words.say, language),
        "country": partial(words.country, language),
        "moment": partial(words.moment, language),
        "day_word": partial(words.day, language),
        "number": partial(words.number, language),
        "name": lambda key: names.get(key, key),
        "reason": partial(phrases.reason, language, names),
        "basis_word": partial(phrases.basis, language),
        "verdict_word": partial(phrases.verdict, language),
        "kind_word": partial(phrases.kind, language),
        "data_word": partial(phrases.data, language),
    }


def _operators(document: Evidence) -> list[Any]:
    """One site's statement for each operator, which carries its verdict."""
    seen: dict[str, Any] = {}
    for site in document.sites:
        if site.operator.value is not None and site.operator.value not in seen:
            seen[site.operator.value] = {
                "id": site.operator.value, "verdict": site.verdict, "reasons": site.reasons,
                "non_eu_individual": site.non_eu_individual,
                "non_eu_together": site.non_eu_together,
            }  # fmt: skip
    return list(seen.values())


def law_rows(document: Any, language: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """A row for each law with the paths by which it reaches sites, foreign reach first."""
    known = {each.id: each for each in document.laws}
    rows: dict[str, dict[str, Any]] = {}
    for site in document.sites:
        for each in site.laws:
            law = known.get(each.law)
            name, article = _named(law, language) if law else (each.law, "")
            row = rows.setdefault(each.law, {
                "name": name, "article": article,
                "country": each.country, "kind": each.kind, "paths": {},
                "summary": law.summary.in_(language) if law else "",
            })  # fmt: skip
            row["paths"].setdefault(_path(each, language, names), []).append(site.name)
    for row in rows.values():
        row["paths"] = [f"{path} ({', '.join(at)})" for path, at in sorted(row["paths"].items())]
    return sorted(
        rows.values(),
        key=lambda row: (row["kind"] == "domestic", row["country"], row["name"]),
    )


def _named(law: LawPart, language: str) -> tuple[str, str]:
    """A law's name and article; documents of earlier versions name them in English only."""
    french = language == "fr"
    name = law.name_fr if french and isinstance(law.name_fr, str) else law.name
    article = law.article_fr if french and isinstance(law.article_fr, str) else law.article
    return name, article


def _path(reached: Reached, language: str, names: dict[str, str]) -> str:
    """The entities from the operator up to the one that a law takes hold of, or the place."""
    steps = list(reached.path) or ([reached.entity] if reached.entity else [])
    if not steps:
        return words.say(language, "the place itself")
    return " → ".join(names.get(each, each) for each in steps)


def _graph(document: Evidence, language: str) -> dict[str, Any]:
    shown = document.entities[:MANY]
    return {
        "graph": figures.ownership(shown, document.holdings, language),
        "graph_left": len(document.entities) - len(shown),
    }


def _resources(document: Evidence, language: str) -> dict[str, Any]:
    counted = Counter(
        (each.kind, each.site.value or "undeclared", each.keys.value) for each in document.resources
    )
    kinds = [
        {"kind": phrases.kind(language, kind), "site": words.say(language, site),
         "held": phrases.key_holder(language, keys), "count": count}
        for (kind, site, keys), count in sorted(counted.items())
    ]  # fmt: skip
    return {
        "kinds": kinds,
        "listed": document.resources[:MOST],
        "unlisted": max(0, len(document.resources) - MOST),
    }


def _timeline(document: Evidence, language: str) -> dict[str, Any]:
    picture, unseen = figures.accesses(document, language)
    return {"timeline": picture, "timeline_left": unseen}


def _accesses(document: Evidence, language: str) -> dict[str, Any]:
    newest = sorted(document.accesses, key=lambda each: -each.time)
    history = sorted(document.policy.history, key=lambda each: -each.time)
    return {
        "accesses": newest[:MOST],
        "accesses_left": max(0, len(newest) - MOST),
        "consents": [
            phrases.consent(each, language, document.made) for each in document.consents[-MOST:]
        ],
        "consents_left": max(0, len(document.consents) - MOST),
        "history": history[:10],
    }


def _findings(document: Evidence, language: str) -> dict[str, Any]:
    found: Sequence[dict[str, Any]] = document.findings
    return {
        "findings": [phrases.finding(each, language) for each in found[:MOST]],
        "findings_left": max(0, len(found) - MOST),
    }
