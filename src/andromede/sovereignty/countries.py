"""Countries: ISO 3166-1 codes with their names, whose law a territory is under, and who was in the
European Union on a day. Pure; names are read when the module is, since roles may not read later."""

from __future__ import annotations

import re
from datetime import date

from babel import Locale

from andromede.sovereignty.words import Text

LANGUAGES = ("en", "fr")
UNION = "EU"

# CLDR has codes besides ISO 3166-1's: regions, exceptional reservations, and private use.
_OTHERS = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())  # noqa: SIM905


def _territories(language: str) -> dict[str, str]:
    return dict(Locale(language).territories)


CODES = frozenset(
    code for code in _territories("en") if re.fullmatch("[A-Z]{2}", code) and code not in _OTHERS
)
_NAMES = {
    language: {code: _territories(language)[code] for code in (*CODES, UNION)}
    for language in LANGUAGES
}

# Treaty of Rome in force 1958-01-01; treaties of accession; the withdrawal of 2020-01-31, 23:00 GMT.
_JOINED = {
    date(1958, 1, 1): "BE DE FR IT LU NL",
    date(1973, 1, 1): "DK GB IE",
    date(1981, 1, 1): "GR",
    date(1986, 1, 1): "ES PT",
    date(1995, 1, 1): "AT FI SE",
    date(2004, 5, 1): "CY CZ EE HU LT LV MT PL SI SK",
    date(2007, 1, 1): "BG RO",
    date(2013, 7, 1): "HR",
}
_MEMBERS = {code: joined for joined, codes in _JOINED.items() for code in codes.split()}
_LEFT = {"GB": date(2020, 2, 1)}

# Territories with codes of their own: the state they belong to.
_STATES = {
    **dict.fromkeys(("BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"), "FR"),
    **dict.fromkeys(("AS", "GU", "MP", "PR", "UM", "VI"), "US"),
    "AX": "FI",
}
# Those that are in the Union as well (article 355 TFEU): since, and until.
_TERRITORIES: dict[str, tuple[date, date | None]] = {
    **dict.fromkeys(("GF", "GP", "MF", "MQ", "RE"), (date(1958, 1, 1), None)),
    "BL": (date(1958, 1, 1), date(2012, 1, 1)),
    "YT": (date(2014, 1, 1), None),
    "AX": (date(1995, 1, 1), None),
}


def known(code: str) -> bool:
    """Whether ISO 3166-1 has the alpha-2 code."""
    return code in CODES


def name(code: str, language: str = "en") -> str:
    """The country's name in French or English; the code itself where there is none."""
    return _NAMES[language].get(code, code)


def names(code: str) -> Text:
    """The country's name in both languages."""
    return Text(name(code, "en"), name(code, "fr"))


def state(code: str) -> str:
    """The state whose law holds in a territory; a state is its own."""
    return _STATES.get(code, code)


def in_union(code: str, day: date) -> bool:
    """Whether a country or territory was in the European Union on the day. `EU` itself is."""
    if code == UNION:
        return True
    if code in _TERRITORIES:
        since, until = _TERRITORIES[code]
    else:
        since, until = _MEMBERS.get(code, date.max), _LEFT.get(code)
    return since <= day and (until is None or day < until)


def turns() -> set[date]:
    """Every day on which somebody joined or left the European Union."""
    ends = {day for period in _TERRITORIES.values() for day in period if day is not None}
    return {*_JOINED, *_LEFT.values(), *ends}
