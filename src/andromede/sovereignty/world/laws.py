"""The laws that reach an entity or a place, from the reviewed data file `laws.toml`. Pure.

A law takes hold of data through where they lie, or through whoever holds or controls their holder.
The file is data for people to check: each law names its article, its source and what it says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import msgspec
from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.words import Text, percentage, text, typeset
from andromede.sovereignty.world.analysis import Analysis, percent, seats
from andromede.sovereignty.world.model import UNDECLARED, Data, Entity, Kind, covers


class Reach(StrEnum):
    """How a law takes hold. What it takes hold of must be of the law's country."""

    PLACE = "place"  # the data lie there
    SEAT = "seat"  # the entity's seat, central administration or main establishment
    ESTABLISHMENT = "establishment"  # a branch of the entity, or a company it controls
    CONTROLLED = "controlled"  # an entity that controls it
    HOLDER = "holder"  # an entity that holds more than `holder_above` percent


class Law(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One law. `summary` says in English and French what it lets whom demand of whom; `name_fr` and
    `article_fr` are given where French calls them otherwise than the law's own language."""

    id: str
    name: str
    name_fr: str = ""
    article: str
    article_fr: str = ""
    country: str  # or EU
    kind: str  # "domestic" or "extraterritorial": also for data that lie elsewhere
    reaches: tuple[Reach, ...]
    holder_above: Decimal = Decimal(24)
    since: date
    until: date | None = None
    source: str
    summary: dict[str, str]
    note: str = ""


class Exposure(Struct, frozen=True, kw_only=True):
    """One law that reaches a place or an entity: by which country's, through whom, and why.

    `path` are entity ids from the one asked about to the one that the law takes hold of; `way` is
    a `Reach`.
    """

    law: str  # the law's id in the data file
    country: str
    kind: str  # "domestic" or "extraterritorial"
    way: str
    entity: str = ""  # whom the law takes hold of; "" where it is the place itself
    path: tuple[str, ...] = ()
    why: Text


def _read() -> tuple[Law, ...]:
    text = (Path(__file__).parent / "laws.toml").read_text()
    document = tomllib.loads(text, parse_float=Decimal)
    for each in document["law"]:
        each["summary"]["fr"] = typeset(each["summary"]["fr"])
        each |= {key: typeset(each[key]) for key in ("name_fr", "article_fr") if key in each}
    return tuple(msgspec.convert(document["law"], list[Law]))


LAWS = _read()  # read at import: roles may not read the program's folder later


def turns() -> set[date]:
    """Every day on which a law began or ended."""
    return {day for law in LAWS for day in (law.since, law.until) if day is not None}


def of_place(country: str, day: date, laws: Sequence[Law] = LAWS) -> Iterator[Exposure]:
    """The laws that reach what lies in a country."""
    for law in laws:
        if Reach.PLACE in law.reaches and covers(law, day) and _is_of(law, country, day):
            why = text("the data lie in {country}", "lieu des données : {country}",
                       country=countries.names(country))  # fmt: skip
            yield _exposure(law, Reach.PLACE, (), why)


def of_entity(analysis: Analysis, key: str, laws: Sequence[Law] = LAWS) -> list[Exposure]:
    """The laws that reach an entity and, through its suppliers with access to data or metadata,
    what it holds: each law once for each entity that it takes hold of."""
    found: dict[tuple[str, str], Exposure] = {}
    for path in _chains(analysis, key):
        for each in _of_one(analysis, path, laws):
            found.setdefault((each.law, each.entity), each)
    return list(found.values())


def suppliers(analysis: Analysis, key: str) -> list[str]:
    """Who supplies an entity with access to data or metadata, directly or through another."""
    return [path[-1] for path in _chains(analysis, key)][1:]


def _chains(analysis: Analysis, key: str) -> Iterator[tuple[str, ...]]:
    """The entity itself, then its suppliers with access, and theirs."""
    seen = {key}
    ahead: list[tuple[str, ...]] = [(key,)]
    while ahead:
        path = ahead.pop(0)
        yield path
        for contract in analysis.world.contracts.values():
            touches = contract.customer == path[-1] and contract.data is not Data.NONE
            if touches and contract.supplier not in seen:
                seen.add(contract.supplier)
                ahead.append((*path, contract.supplier))


def _of_one(analysis: Analysis, path: tuple[str, ...], laws: Sequence[Law]) -> Iterator[Exposure]:
    entity = analysis.world.entities.get(path[-1])
    if entity is None:
        return
    ways = {
        Reach.SEAT: _seat,
        Reach.ESTABLISHMENT: _establishments,
        Reach.CONTROLLED: _controllers,
        Reach.HOLDER: _holders,
    }
    for law in laws:
        if not covers(law, analysis.day):
            continue
        for way, find in ways.items():
            if way in law.reaches:
                for rest, why in find(analysis, entity, law):
                    yield _exposure(law, way, (*path, *rest), _through(path, why))
        if Reach.PLACE in law.reaches and len(path) > 1:
            yield from _works_there(analysis, path, law)


Found = Iterator[tuple[tuple[str, ...], Text]]
SEATS = {
    "seat": text("seat", "siège"),
    "administration": text("administration", "administration centrale"),
    "establishment": text("establishment", "établissement principal"),
}


def _seat(analysis: Analysis, entity: Entity, law: Law) -> Found:
    places = seats(entity)
    for what, country in places.items():
        if _is_of(law, country, analysis.day):
            yield (), text(
                "the {what} of {key} is in {country}", "{what} de {key} : {country}",
                what=SEATS[what], key=entity.id, country=countries.names(country),
            )  # fmt: skip
            return


def _establishments(analysis: Analysis, entity: Entity, law: Law) -> Found:
    branch = next((each for each in entity.establishments if _is_of(law, each, analysis.day)), None)
    if branch is not None:
        yield (), text("{key} has a branch in {country}", "succursale de {key} : {country}",
                       key=entity.id, country=countries.names(branch))  # fmt: skip
    for company, path in sorted(analysis.controlled.get(entity.id, {}).items()):
        country = _country(analysis, company, law)
        if country is not None:
            yield path[1:], text(
                "{key} controls {company}, of {country}", "{key} contrôle {company} ({country})",
                key=entity.id, company=company, country=countries.names(country),
            )  # fmt: skip


def _controllers(analysis: Analysis, entity: Entity, law: Law) -> Found:
    """Who controls it, if of the country, or reached there by a branch or another company."""
    for controller, path in sorted(analysis.controllers.get(entity.id, {}).items()):
        master = analysis.world.entities[controller]
        if master.kind is Kind.HOLDERS:
            continue
        country = _country(analysis, controller, law)
        if country is not None:
            yield path[1:], text(
                "{key} is controlled by {controller}, of {country}",
                "{controller} ({country}) contrôle {key}",
                key=entity.id, controller=controller, country=countries.names(country),
            )  # fmt: skip
        elif Reach.ESTABLISHMENT in law.reaches:
            for rest, why in _establishments(analysis, master, law):
                if entity.id not in rest:
                    yield (*path[1:], *rest), text(
                        "{key} is controlled by {controller}, and {why}",
                        "{controller} contrôle {key} ; {why}",
                        key=entity.id, controller=controller, why=why,
                    )  # fmt: skip


def _holders(analysis: Analysis, entity: Entity, law: Law) -> Found:
    threshold = Fraction(law.holder_above) / 100
    for owner in analysis.owners(entity.id):
        share = analysis.share(entity.id, owner)
        country = _country(analysis, owner, law)
        dispersed = analysis.world.entities[owner].kind is Kind.HOLDERS
        if country is not None and share > threshold and not dispersed:
            yield (owner,), text(
                "{owner}, of {country}, holds {share}", "{owner} ({country}) détient {share}",
                owner=owner, country=countries.names(country), share=percentage(percent(share)),
            )  # fmt: skip


def _works_there(analysis: Analysis, path: tuple[str, ...], law: Law) -> Iterator[Exposure]:
    for contract in analysis.world.contracts.values():
        if (contract.customer, contract.supplier) != path[-2:] or contract.data is Data.NONE:
            continue
        for country in contract.countries:
            if _is_of(law, country, analysis.day):
                why = text(
                    "{supplier} works on it in {country}",
                    "lieu de travail de {supplier} sur ces données : {country}",
                    supplier=path[-1], country=countries.names(country),
                )  # fmt: skip
                yield _exposure(law, Reach.PLACE, path, _through(path, why))


def _through(path: tuple[str, ...], why: Text) -> Text:
    """The reason with the contract before it by which a supplier comes to the data."""
    if len(path) == 1:
        return why
    return text(
        "{supplier} supplies {customer} with access to its data; {why}",
        "{supplier}, fournisseur de {customer}, accède à ses données ; {why}",
        supplier=path[-1], customer=path[-2], why=why,
    )  # fmt: skip


def _country(analysis: Analysis, key: str, law: Law) -> str | None:
    """The country by which an entity is of the law's country, or None."""
    places = seats(analysis.world.entities[key]).values()
    return next((each for each in places if _is_of(law, each, analysis.day)), None)


def _is_of(law: Law, country: str, day: date) -> bool:
    if country == UNDECLARED:
        return False
    if law.country == countries.UNION:
        return countries.in_union(country, day)
    return countries.state(country) == law.country


def _exposure(law: Law, way: Reach, path: tuple[str, ...], why: Text) -> Exposure:
    return Exposure(
        law=law.id,
        country=law.country,
        kind=law.kind,
        way=way.value,
        entity=path[-1] if path else "",
        path=path,
        why=why,
    )
