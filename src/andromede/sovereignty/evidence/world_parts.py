"""The parts of the document that say what the world is: sites, owners, suppliers, laws. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec

from andromede.sovereignty import countries
from andromede.sovereignty.evidence.answers import Holder, Location
from andromede.sovereignty.evidence.model import (
    EntityPart,
    HoldingPart,
    LawPart,
    Reached,
    SitePart,
    SupplierPart,
    Why,
    declared,
)
from andromede.sovereignty.words import Text
from andromede.sovereignty.world import laws, ownership
from andromede.sovereignty.world.analysis import percent
from andromede.sovereignty.world.facts import Facts, SiteFacts
from andromede.sovereignty.world.model import UNDECLARED, Contract, Kind, Site, World, covers

QUALIFYING = "secnumcloud"  # the scheme whose examination covers foreign law (19.6)


def sites(facts: Facts, counted: Mapping[str, int]) -> tuple[SitePart, ...]:
    """Each declared site, and each other one that `counted` has resources on."""
    names = {*facts.sites, *counted}
    return tuple(_site(facts, name, counted.get(name, 0)) for name in sorted(names))


def _site(facts: Facts, name: str, resources: int) -> SitePart:
    known = facts.site(name)
    site = facts.world.sites.get(name) or Site(name=name)
    in_force = [each for each in site.certificates if covers(each, facts.date)]
    return SitePart(
        name=name,
        region=known.region,
        country=declared(known.country),
        place=declared(site.place),
        latitude=site.latitude,
        longitude=site.longitude,
        operator=declared(known.operator),
        certificates=tuple(msgspec.to_builtins(each) for each in in_force),
        resources=resources,
        verdict=known.verdict.outcome.value,
        reasons=tuple(
            Why(code=each.code, entity=each.entity, text=each.text.en, text_fr=each.text.fr,
                share=each.share)
            for each in known.verdict.reasons
        ),
        non_eu_individual=known.non_eu_individual,
        non_eu_together=known.non_eu_together,
        laws=tuple(
            Reached(
                law=each.law, country=each.country, kind=each.kind, way=each.way,
                entity=each.entity, path=each.path, why=each.why.en, why_fr=each.why.fr,
            )
            for each in known.exposures
        ),
        jurisdictions=tuple(sorted(known.jurisdictions)),
    )  # fmt: skip


def operators(parts: Iterable[SitePart]) -> list[str]:
    """The declared operators of sites."""
    return sorted({each.operator.value for each in parts if each.operator.value is not None})


def entities(facts: Facts, roots: Iterable[str]) -> tuple[EntityPart, ...]:
    """The operators and everyone above them, nearest first."""
    now = facts.world.at(facts.date)
    owned = ownership.direct(now)
    order = [key for key in roots if key in now.entities]
    operators = set(order)
    for key in order:
        above = sorted({each.holder for each in now.holdings.values() if each.held == key})
        order += [each for each in above if each not in order]
    found = []
    for key in order:
        each = now.entities[key]
        rest = owned[key].rest("capital") if each.kind is Kind.COMPANY else Fraction(0)
        found.append(
            EntityPart(
                id=key,
                name=each.name,
                kind=each.kind.value,
                country=declared(each.country),
                in_eu=_in_eu(each.country, facts),
                operator=key in operators,
                register=each.register,
                undeclared=percent(rest),
            )
        )
    return tuple(found)


def _in_eu(country: str, facts: Facts) -> bool | None:
    return None if country == UNDECLARED else countries.in_union(country, facts.date)


def holdings(facts: Facts, parts: Iterable[EntityPart]) -> tuple[HoldingPart, ...]:
    """The shares in force among these entities; amounts are turned into percentages."""
    now = facts.world.at(facts.date)
    known = {each.id for each in parts}
    return tuple(
        HoldingPart(
            holder=each.holder,
            held=each.held,
            capital=_percent(ownership.capital_of(each, now)),
            votes=_percent(ownership.votes_of(each, now)),
            veto=each.veto,
            board=each.board,
            since=each.since.isoformat() if each.since else None,
            source=each.source,
        )
        for _, each in sorted(now.holdings.items())
        if {each.holder, each.held} <= known
    )


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else percent(share)


def suppliers(facts: Facts, roots: Iterable[str]) -> tuple[SupplierPart, ...]:
    """The sub-processors of the operators, and theirs, in force."""
    now = facts.world.at(facts.date)
    customers = list(roots)
    found: dict[str, SupplierPart] = {}
    for key in customers:
        for each in now.contracts.values():
            if each.customer == key and each.id not in found:
                found[each.id] = _supplier(each, now)
                if each.supplier not in customers:
                    customers.append(each.supplier)
    return tuple(found.values())


def _supplier(each: Contract, now: World) -> SupplierPart:
    return SupplierPart(
        id=each.id,
        customer=each.customer,
        supplier=each.supplier,
        name=now.entities[each.supplier].name,
        purpose=each.purpose,
        data=each.data.value,
        countries=each.countries,
        since=each.since.isoformat() if each.since else None,
    )


def law_parts(parts: Iterable[SitePart]) -> tuple[LawPart, ...]:
    """The laws that the sites name, from the data file."""
    named = {each.law for part in parts for each in part.laws}
    return tuple(
        LawPart(
            id=each.id, name=each.name, article=each.article, country=each.country,
            kind=each.kind, source=each.source,
            summary=Text(each.summary["en"], each.summary["fr"]),
            name_fr=each.name_fr or each.name, article_fr=each.article_fr or each.article,
        )
        for each in laws.LAWS
        if each.id in named
    )  # fmt: skip


def holder(facts: Facts, key: str) -> Holder:
    """An operator as the SEAL's criteria see it."""
    known = facts.entities.get(key)
    if known is None:
        return Holder(id=key, outcome="not-shown")
    return Holder(
        id=key,
        outcome=known.verdict.outcome.value,
        codes=frozenset(each.code for each in known.verdict.reasons),
        in_eu=_in_eu(known.country, facts),
        non_eu=known.verdict.non_eu_together,
        foreign_laws=tuple(
            each.law
            for each in known.exposures
            if each.kind == "extraterritorial" and not countries.in_union(each.country, facts.date)
        ),
    )


def location(facts: Facts, name: str) -> Location:
    """A site as the SEAL's criteria see it."""
    known: SiteFacts = facts.site(name)
    site = facts.world.sites.get(name)
    qualified = site is not None and any(
        QUALIFYING in each.scheme.lower() and covers(each, facts.date) for each in site.certificates
    )
    return Location(name=name, in_eu=_in_eu(known.country, facts), qualified=qualified)
