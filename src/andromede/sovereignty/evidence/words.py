"""The pages' languages: messages from the `.po` catalogue, countries' names, dates and numbers.

English is what the source says; a catalogue gives the others. Reads packaged data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from typing import Any, Final

from babel.core import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po

from andromede.sovereignty import countries
from andromede.sovereignty.evidence import assets
from andromede.sovereignty.words import in_french, typeset

LANGUAGES: Final = ("fr", "en")
DEFAULT: Final = "en"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Messages by their English text. English has none of its own."""
    if language == DEFAULT:
        return {}
    file = BytesIO(assets.text(f"locale/{language}.po").encode())
    read = read_po(file, locale=language)
    return {str(each.id): str(each.string) for each in read if each.id and each.string}


def say(language: str, message: str, **values: Any) -> str:
    """A message in a language, with `{name}` places filled; without a translation, in English."""
    said = catalogue(language).get(message)
    if said is None:
        return message.format(**values) if values else message
    return in_french(said, values) if values else typeset(said)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def country(language: str, code: str) -> str:
    """A country's name by its two letters; what is no known code stays as it is."""
    if code == "undeclared":
        return say(language, "undeclared")
    return countries.name(code, language)


def moment(language: str, microseconds: int) -> str:
    """A moment as people write it, in UTC."""
    when = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    return f"{day(language, when.date().isoformat())}, {when:%H:%M} UTC"


def day(language: str, iso: str) -> str:
    """A day of ISO 8601 as people write it."""
    when = date.fromisoformat(iso)
    first = language == "fr" and when.day == 1
    return format_date(when, "d'er' MMMM y" if first else "d MMMM y", locale=_locale(language))


def number(language: str, value: str) -> str:
    """A decimal string with the language's comma."""
    return value.replace(".", ",") if language == "fr" else value


def choose(asked: str) -> str:
    """The language that an Accept-Language header prefers among ours; English without one."""
    best, most = DEFAULT, 0.0
    for part in asked.split(","):
        tag, _, rest = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            weight = 0.0
        if name in LANGUAGES and weight > most:
            best, most = name, weight
    return best
