"""Bodies and answers about the declared world and what follows from it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from andromede.sovereignty.world.document import Document
from andromede.sovereignty.world.laws import Reach
from andromede.sovereignty.world.model import Contract, Entity, Holding, Site
from andromede.sovereignty.world.verdict import Outcome


class Link(Struct):
    """Where the next page of a list is."""

    rel: str
    href: str


class SiteBody(Struct, forbid_unknown_fields=True):
    site: Site


class EntityBody(Struct, forbid_unknown_fields=True):
    entity: Entity


class ContractBody(Struct, forbid_unknown_fields=True):
    contract: Contract


class HoldingBody(Struct, forbid_unknown_fields=True):
    holding: Holding


class End(Struct, forbid_unknown_fields=True):
    """The first day on which a holding is held no longer."""

    until: date


class EndBody(Struct, forbid_unknown_fields=True):
    holding: End


class WorldBody(Struct, forbid_unknown_fields=True):
    world: Document


class Sites(Struct, omit_defaults=True):
    sites: list[Site]
    sites_links: list[Link] = []


class Entities(Struct, omit_defaults=True):
    entities: list[Entity]
    entities_links: list[Link] = []


class Contracts(Struct, omit_defaults=True):
    contracts: list[Contract]
    contracts_links: list[Link] = []


class Holdings(Struct, omit_defaults=True):
    holdings: list[Holding]
    holdings_links: list[Link] = []


class LawView(Struct):
    """A law, in English and French, and whether it binds today."""

    id: str
    name: str
    name_fr: str
    article: str
    article_fr: str
    country: str
    country_name: dict[str, str]
    kind: str
    reaches: tuple[Reach, ...]
    holder_above: Decimal
    since: date
    until: date | None
    in_force: bool
    source: str
    summary: dict[str, str]
    note: str


class Laws(Struct):
    laws: list[LawView]


class Owner(Struct):
    """A direct or indirect owner. Percentages are decimal strings; the direct ones are null where
    it holds nothing directly."""

    entity: str
    name: str
    kind: str
    country: str
    capital: str
    votes: str
    direct_capital: str | None
    direct_votes: str | None
    outside_eu: bool
    controls: list[str]  # the path of control, from the entity to this owner; empty for none


class ReasonView(Struct):
    """One fact that a verdict rests on. `share` is a percentage, as a decimal string."""

    code: str
    entity: str
    text: str
    text_fr: str
    share: str | None


class VerdictView(Struct):
    """Whether an entity is shown to be owned within the thresholds; shares are percentages."""

    outcome: Outcome
    reasons: list[ReasonView]
    non_eu_individual: str
    non_eu_together: str


class Ownership(Struct):
    """Who owns an entity on a day. `undeclared_*` are the parts of it that no holding declares;
    `undeclared` says in words what nobody declared."""

    entity: str
    date: date
    verdict: VerdictView
    owners: list[Owner]
    undeclared_capital: str
    undeclared_votes: str
    undeclared: list[str]
    undeclared_fr: list[str]


class OwnershipBody(Struct):
    ownership: Ownership


class ExposureView(Struct):
    """One law that reaches a place or an entity: by which country's, through whom, and why.

    `path` are entity ids from the one asked about to the one that the law takes hold of; `way` is
    one of the law's `reaches`.
    """

    law: str
    country: str
    kind: str
    way: str
    entity: str
    path: tuple[str, ...]
    why: str
    why_fr: str


class Exposures(Struct):
    """The laws that reach an entity or a site on a day; what nobody declared, in words."""

    date: date
    exposures: list[ExposureView]
    jurisdictions: list[str]
    undeclared: list[str]
    undeclared_fr: list[str]
