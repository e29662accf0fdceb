"""What is declared of the world: sites, legal entities, dated shareholdings, contracts.

Pure structs, and the same ones in the database, in the API's bodies and in TOML. Percentages are
exact decimals, dates are days, periods are half-open: [since, until), None where unbounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

UNDECLARED = "undeclared"

Text = Annotated[str, Meta(max_length=1000)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Slug = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Country = Annotated[str, Meta(max_length=16, pattern=r"^([A-Z]{2}|undeclared)$")]
Share = Decimal  # percent, 0 to 100, at most 6 decimals
Amount = Decimal  # of capital, in the currency of the entity that is held


class Kind(StrEnum):
    """What an entity is. All but companies end a chain of owners."""

    COMPANY = "company"
    PUBLIC_BODY = "public-body"
    PERSON = "person"
    HOLDERS = "holders"  # a declared body of dispersed holders, as a float; it may be of "EU"


class Data(StrEnum):
    """What of customers' data a supplier can reach."""

    NONE = "none"
    METADATA = "metadata"
    ACCESS = "access"


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what an operator declares."""


class Certificate(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scheme: Text  # "SecNumCloud 3.2", "HDS"
    number: Text = ""
    issuer: Text = ""
    since: date | None = None
    until: date | None = None


class Term(Struct, frozen=True, kw_only=True):
    """For how long an entity ran a site."""

    operator: Slug
    since: date | None
    until: date | None


class Former(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who ran a site before a day."""

    operator: Slug
    until: date


class Site(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where hosts stand. `operator` is the entity that runs it, after those of `former`,
    which are in the order of their days."""

    name: Name = ""  # in a body of the API it may be left to the path
    region: Name = "RegionOne"
    country: Country = UNDECLARED
    place: Text = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    operator: Slug = UNDECLARED
    hosts: tuple[Annotated[str, Meta(min_length=1, max_length=255)], ...] = ()
    certificates: tuple[Certificate, ...] = ()
    networks: tuple[Annotated[str, Meta(max_length=64)], ...] = ()  # CIDRs that belong to it
    former: tuple[Former, ...] = ()

    def terms(self) -> list[Term]:
        """Who ran it when, oldest first, without a gap."""
        ends = [each.until for each in self.former]
        whose = [*(each.operator for each in self.former), self.operator]
        periods = zip(whose, [None, *ends], [*ends, None], strict=True)
        return [Term(operator=each, since=since, until=until) for each, since, until in periods]

    def at(self, day: date) -> Site:
        """As it was run on a day."""
        term = next(each for each in self.terms() if each.until is None or day < each.until)
        return msgspec.structs.replace(self, operator=term.operator)


class Entity(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A legal entity. `country` is its seat's; central administration and main establishment are
    where the seat is unless declared elsewhere. `establishments` are countries of its branches."""

    id: Slug = ""
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    kind: Kind = Kind.COMPANY
    country: Country = UNDECLARED
    administration: Country | None = None
    establishment: Country | None = None
    establishments: tuple[Country, ...] = ()
    register: Text = ""
    capital: Amount | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] | None = None
    since: date | None = None
    until: date | None = None


class Holding(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dated share of one entity in another. The amount wins over the rounded percentage where
    the held entity's capital is declared; votes are as capital unless declared."""

    holder: Slug
    held: Slug
    id: Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9-]*$")] = ""  # given when empty
    since: date | None = None
    until: date | None = None
    capital: Share | None = None
    amount: Amount | None = None
    votes: Share | None = None
    veto: bool = False
    board: bool = False  # may appoint a majority of the board
    source: Text = ""


class Contract(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract of sub-processing between a customer entity and its supplier."""

    id: Slug = ""
    customer: Slug
    supplier: Slug
    purpose: Text
    data: Data = Data.NONE
    countries: tuple[Country, ...] = ()  # where the supplier works on it
    since: date | None = None
    until: date | None = None
    objection_days: Annotated[int, Meta(ge=0, le=366)] = 30


class World(Struct, frozen=True, kw_only=True):
    """All that is declared, by name or id."""

    sites: Mapping[str, Site] = msgspec.field(default_factory=dict)
    entities: Mapping[str, Entity] = msgspec.field(default_factory=dict)
    holdings: Mapping[str, Holding] = msgspec.field(default_factory=dict)
    contracts: Mapping[str, Contract] = msgspec.field(default_factory=dict)

    def at(self, day: date) -> World:
        """What stands on a day: sites by who ran them then, entities that exist, holdings and
        contracts in force between such."""
        entities = {key: each for key, each in self.entities.items() if covers(each, day)}
        return World(
            sites={key: each.at(day) for key, each in self.sites.items()},
            entities=entities,
            holdings={
                key: each
                for key, each in self.holdings.items()
                if covers(each, day) and each.holder in entities and each.held in entities
            },
            contracts={
                key: each
                for key, each in self.contracts.items()
                if covers(each, day) and each.customer in entities and each.supplier in entities
            },
        )


def covers(period: Any, day: date) -> bool:
    """Whether a half-open period [since, until) contains the day."""
    return (period.since is None or period.since <= day) and (
        period.until is None or day < period.until
    )
