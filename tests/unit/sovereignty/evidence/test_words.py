"""The pages' words: every message has its French, places match, languages are chosen as asked."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.sovereignty.evidence import figures, html, phrases, public, words
from andromede.sovereignty.evidence.model import Why

HERE = Path(words.__file__).parent
MARKED = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
TABLES = (
    phrases.VERDICTS, phrases.DATA, phrases.KINDS, phrases.KEYS, phrases.REASONS, figures.KINDS,
    phrases.EMPTY, phrases.LEFT, *phrases.VALUES.values(),
)  # fmt: skip
COMPOSED = {
    public.CONSENT, public.FREELY, public.OPEN, public.ONE_FACTOR, "measured", "declared",
    "computed", "unknown", "Accesses", "Consents", "Emergencies", "Findings", "in force", "expired",
    "asked for", "refused", "revoked", "cloud", "the cloud's defaults", "no country",
    "too little is declared",
    "declared by the operator", "declared by the makers",
    "every chain of owners ends in the EU", "the limits on owners outside the EU are not kept",
}  # fmt: skip


def messages() -> Iterator[str]:
    """Every message of templates and modules."""
    for path in (HERE / "templates").iterdir():
        yield from (ast.literal_eval(found) for found in MARKED.findall(path.read_text()))
    for path in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None)
            name = getattr(called, "id", getattr(called, "attr", ""))
            if isinstance(node, ast.Call) and name == "say":
                told = node.args[1] if len(node.args) > 1 else None
                if isinstance(told, ast.Constant):
                    yield str(told.value)
    for table in TABLES:
        yield from table.values()
    yield from COMPOSED


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


def test_every_message_has_its_french_and_no_other_is_kept() -> None:
    french, wanted = words.catalogue("fr"), set(messages())
    assert sorted(wanted - set(french)) == []
    assert sorted(set(french) - wanted) == []
    for message in wanted:
        assert places(message) == places(french[message]), message


@pytest.mark.parametrize(
    ("asked", "language"),
    [("", "en"), ("fr", "fr"), ("fr-CA, en;q=0.8", "fr"), ("en;q=0.8, fr;q=0.9", "fr"),
     ("de, *;q=0.1", "en"), ("fr;q=nonsense", "en"), ("fr;q=0", "en")],
)  # fmt: skip
def test_languages_are_chosen_as_asked(asked: str, language: str) -> None:
    assert words.choose(asked) == language


def test_numbers_days_and_countries() -> None:
    assert words.number("fr", "24.01") == "24,01"
    assert words.number("en", "24.01") == "24.01"
    assert words.moment("fr", 0) == "1er janvier 1970, 00:00 UTC"
    assert words.day("fr", "2026-11-22") == "22 novembre 2026"
    assert words.day("en", "2026-11-01") == "1 November 2026"
    assert words.country("fr", "DE") == "Allemagne"
    assert words.country("fr", "undeclared") == "non déclaré"


def test_reasons_are_sentences_and_unknown_ones_stay_as_computed() -> None:
    known = Why(code="owners-undeclared", entity="o", text="raw", share="27.05")
    assert phrases.reason("en", {"o": "Orange"}, known) == (
        "Nobody declared who owns 27.05 % of Orange."
    )
    assert phrases.reason("fr", {"o": "Orange"}, known) == (
        "Personne n’a déclaré qui détient 27,05 % d’Orange."
    )
    raw = Why(code="new", entity="o", text="raw", text_fr="brut")
    assert (phrases.reason("en", {}, raw), phrases.reason("fr", {}, raw)) == ("raw", "brut")
    assert phrases.reason("fr", {}, Why(code="new", entity="o", text="raw")) == "raw"
    nobody = Why(code="entity-undeclared", entity="undeclared", text="raw")
    assert phrases.reason("en", {}, nobody) == "Nobody declared the operator."


@pytest.mark.parametrize(
    ("rule", "value", "english", "french"),
    [
        ("allowed_countries", ["DE", "US"], "Germany, United States", "Allemagne, États-Unis"),
        ("allowed_countries", [], "no country", "aucun pays"),
        ("allowed_sites", ["a", "b"], "a, b", "a, b"),
        ("administration_from", [], "nowhere", "nulle part"),
        ("individual_percent", "12.5", "12.5 %", "12,5\u00a0%"),
        ("finding_days", 1, "1 day", "1 jour"),
        ("retention_days", 183, "183 days", "183 jours"),
        ("shown_required", True, "yes", "oui"),
        ("backup_elsewhere", False, "no", "non"),
        ("together_percent", None, "any", "sans restriction"),
        (
            "supplier_access",
            "eu",
            "suppliers of the EU only",
            "fournisseurs de l\u2019UE seulement",
        ),
        ("of_another_version", "x", "x", "x"),
    ],
)
def test_rules_are_told_in_words(rule: str, value: object, english: str, french: str) -> None:
    fields = {rule: {"value": value, "set_at": ["cloud", "project/p"]}}
    (row,) = phrases.policy_rows(fields, "en")
    assert (row["value"], row["set_at"]) == (english, "cloud, project/p")
    (row,) = phrases.policy_rows(fields, "fr")
    assert (row["value"], row["set_at"]) == (french, "le cloud, project/p")


def test_a_finding_that_kept_no_french_is_told_in_english_and_marked() -> None:
    row = {"rule": "r", "reason": "is in US", "reason_fr": "est aux États-Unis", "opened": 0}
    told = [phrases.finding(row, language) for language in ("en", "fr")]
    assert [(each["reason"], each["language"]) for each in told] == [
        ("is in US", "en"), ("est aux États-Unis", "fr"),
    ]  # fmt: skip
    for older in ({**row, "reason_fr": ""}, {"reason": "is in US", "opened": 0}):
        told_so = phrases.finding(older, "fr")
        assert (told_so["reason"], told_so["language"]) == ("is in US", "en")


def test_all_is_read_before_the_fork() -> None:
    html.warm()
    assert set(html.environment().list_templates()) == set(html.TEMPLATES)
