"""Sentences in English and French at once, as verdicts, rules, findings and notices say them. Pure.

French is written in the source with plain spaces and apostrophes, and set as it is printed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

FIXED = "\N{NO-BREAK SPACE}"
_SPACED = re.compile(r" (?=[:;!?%»])|(?<=«) ")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=[\w{])")
_ELIDED = re.compile(r"\b([Dd]|[Qq]u)e \{(\w+)\}")
_VOWELS = frozenset("aeiouœæ")


class Text(Struct, frozen=True):
    """A sentence in both languages."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        return self.fr if language == "fr" else self.en


@lru_cache(maxsize=4096)
def typeset(french: str) -> str:
    """French as it is printed: spaces before `: ; ! ? %` and inside guillemets that break no line,
    and apostrophes that are no quotes."""
    return _APOSTROPHE.sub("\N{RIGHT SINGLE QUOTATION MARK}", _SPACED.sub(FIXED, french))


def in_french(template: str, values: Mapping[str, object]) -> str:
    """A French template with its places filled; `de {name}` is elided before a vowel."""

    def elide(found: re.Match[str]) -> str:
        word, name = found.groups()
        first = unicodedata.normalize("NFD", str(values[name])[:1].lower())[:1]
        return f"{word}\N{RIGHT SINGLE QUOTATION MARK}{{{name}}}" if first in _VOWELS else found[0]

    ready = typeset(template)
    if "e {" in ready:
        ready = _ELIDED.sub(elide, ready)
    return ready.format_map(values)


def text(en: str, fr: str, **values: object) -> Text:
    """A sentence of two templates; each `{name}` is filled with its value, a Text in the language."""
    if not values:
        return Text(en, typeset(fr))
    english = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
    french = {k: v.fr if isinstance(v, Text) else v for k, v in values.items()}
    return Text(en.format_map(english), in_french(fr, french))


def join(parts: Iterable[Text], between: Text) -> Text:
    """Several texts as one."""
    found = list(parts)
    return Text(
        between.en.join(each.en for each in found), between.fr.join(each.fr for each in found)
    )


AND = Text(" and ", " et ")
THEN = text("; ", " ; ")


def percentage(value: str) -> Text:
    """A decimal string with its sign."""
    return Text(f"{value} %", f"{value.replace('.', ',')}{FIXED}%")
