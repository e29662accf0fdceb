"""Countries: which there are, what they are called, and who was in the Union when."""

from __future__ import annotations

from datetime import date

import pytest

from andromede.sovereignty import countries


def test_there_are_those_of_iso_3166() -> None:
    assert len(countries.CODES) == 249
    for code in ("EU", "UK", "XK", "ZZ", "fr", ""):
        assert not countries.known(code)


def test_names_in_two_languages() -> None:
    assert countries.name("DE") == "Germany"
    assert countries.name("DE", "fr") == "Allemagne"
    assert countries.name("EU", "fr") == "Union européenne"
    assert countries.name("undeclared", "fr") == "undeclared"
    assert all(countries.name(code, "fr") != code for code in countries.CODES)


def members(day: date) -> int:
    """How many states were in the Union."""
    own = {code for code in countries.CODES if countries.state(code) == code}
    return sum(countries.in_union(code, day) for code in own)


@pytest.mark.parametrize(
    ("day", "count"),
    [
        (date(1957, 12, 31), 0), (date(1958, 1, 1), 6), (date(1973, 1, 1), 9),
        (date(1981, 1, 1), 10), (date(1986, 1, 1), 12), (date(1995, 1, 1), 15),
        (date(2004, 5, 1), 25), (date(2007, 1, 1), 27), (date(2013, 7, 1), 28),
        (date(2020, 1, 31), 28), (date(2020, 2, 1), 27),
    ],
)  # fmt: skip
def test_the_union_had_so_many_members(day: date, count: int) -> None:
    assert members(day) == count


@pytest.mark.parametrize(
    ("code", "inside"),
    [
        ("GP", True), ("RE", True), ("AX", True), ("NC", False), ("PF", False), ("GL", False),
        ("JE", False), ("CH", False), ("GB", False), ("EU", True),
    ],
)  # fmt: skip
def test_territories_that_are_in_the_union(code: str, inside: bool) -> None:
    assert countries.in_union(code, date(2026, 1, 1)) is inside


def test_territories_join_and_leave() -> None:
    assert not countries.in_union("YT", date(2013, 12, 31))
    assert countries.in_union("YT", date(2014, 1, 1))
    assert countries.in_union("BL", date(2011, 12, 31))
    assert not countries.in_union("BL", date(2012, 1, 1))
