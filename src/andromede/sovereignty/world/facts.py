"""What follows from the declared world on one day: for each site and entity its verdict and the
laws that reach it. Computed once per process for a generation of the world and each stretch of days
without a turn; reads the world's store."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

import msgspec
from msgspec import Struct

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty import countries, generation
from andromede.sovereignty.words import Text, text
from andromede.sovereignty.world import laws, store
from andromede.sovereignty.world.analysis import Analysis, analyse, seats
from andromede.sovereignty.world.check import moments
from andromede.sovereignty.world.laws import Exposure
from andromede.sovereignty.world.model import UNDECLARED, Site, World
from andromede.sovereignty.world.verdict import Outcome, Reason, Verdict, judge


class EntityFacts(Struct, frozen=True, kw_only=True):
    """An entity on a day. `undeclared` says in words what nobody declared."""

    id: str
    country: str = UNDECLARED
    verdict: Verdict
    exposures: tuple[Exposure, ...] = ()
    jurisdictions: frozenset[str] = frozenset()
    undeclared: tuple[Text, ...] = ()


class SiteFacts(Struct, frozen=True, kw_only=True):
    """A site on a day. `jurisdictions` are the countries whose laws reach it: its own, and those of
    every exposure of its operator and of suppliers with access to data or metadata."""

    site: str
    region: str = "RegionOne"
    country: str = UNDECLARED
    operator: str = UNDECLARED
    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    verdict: Verdict
    exposures: tuple[Exposure, ...] = ()
    jurisdictions: frozenset[str] = frozenset()
    undeclared: tuple[Text, ...] = ()

    @property
    def non_eu_individual(self) -> str:
        return self.verdict.non_eu_individual

    @property
    def non_eu_together(self) -> str:
        return self.verdict.non_eu_together


class Facts(Struct, frozen=True, kw_only=True):
    """The world on a day, and what follows from it."""

    sites: Mapping[str, SiteFacts]
    entities: Mapping[str, EntityFacts]
    world: World  # the whole declared world; `world.at(date)` restricts it
    generation: str
    date: date
    analysis: Analysis  # who owns and controls whom; its day begins the stretch of this one

    def site(self, name: str) -> SiteFacts:
        """The facts of a site; one that nobody declared is undeclared in all."""
        return self.sites.get(name) or undeclared_site(name)


def today() -> date:
    """The clock's day, UTC."""
    return datetime.fromtimestamp(clock.now() / clock.SECOND, UTC).date()


def undeclared_site(name: str) -> SiteFacts:
    said = text("nobody declared site {name}", "personne n'a déclaré le site {name}", name=name)
    reason = Reason(code="site-undeclared", entity="", text=said)
    return SiteFacts(
        site=name,
        verdict=Verdict(outcome=Outcome.NOT_SHOWN, reasons=(reason,)),
        undeclared=(reason.text,),
    )


class _Kept:
    """What one generation of the world gave: the days on which anything turns, and the facts of
    each stretch between two of them. Nothing else than the date differs within a stretch."""

    def __init__(self, world: World, same: _Kept | None = None) -> None:
        """`same`: what an earlier generation gave of an equal world, as a policy alone changed."""
        self.world = world
        self.turns: list[date] = (
            same.turns if same else sorted({*moments(world), *countries.turns(), *laws.turns()})
        )
        self.stretches: dict[date, Facts] = same.stretches if same else {}
        self.days: dict[date, Facts] = {}

    def of(self, mark: str, day: date) -> Facts:
        known = self.days.get(day)
        if known is None:
            begin = self.turns[bisect_right(self.turns, day) - 1]
            if begin not in self.stretches:
                self.stretches[begin] = compute(self.world, mark, begin)
            if len(self.days) > MOST_DAYS:
                self.days.clear()
            known = msgspec.structs.replace(self.stretches[begin], date=day, generation=mark)
            self.days[day] = known
        return known


MOST_DAYS = 1_000
MOST_GENERATIONS = 2
_kept: dict[str, _Kept] = {}


def current(connection: Connection, day: date | None = None) -> Facts:
    """The facts of a day (None: today), as the connection's transaction sees the world."""
    mark = generation.read(connection)
    kept = _kept.get(mark)
    if kept is None:
        world = store.load(connection)
        same = next((each for each in _kept.values() if each.world == world), None)
        kept = _Kept(world, same)
        for old in list(_kept)[: 1 - MOST_GENERATIONS]:
            _kept.pop(old, None)
        _kept[mark] = kept
    return kept.of(mark, day or today())


class Entities(Mapping[str, EntityFacts]):
    """The facts of every entity of a day, each computed when somebody asks for it: what is decided
    asks for those that run sites, and their suppliers."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._order = sorted(analysis.world.entities)
        self._known: dict[str, EntityFacts] = {}

    def __getitem__(self, key: str) -> EntityFacts:
        found = self._known.get(key)
        if found is None:
            if key not in self._analysis.world.entities:
                raise KeyError(key)
            found = self._known[key] = _entity(self._analysis, key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)


def compute(world: World, mark: str, day: date) -> Facts:
    """What follows from a world on a day."""
    analysis = analyse(world, day)
    entities = Entities(analysis)
    return Facts(
        sites={
            name: _site(analysis, entities, site) for name, site in analysis.world.sites.items()
        },
        entities=entities,
        world=world,
        generation=mark,
        date=day,
        analysis=analysis,
    )


def _entity(analysis: Analysis, key: str) -> EntityFacts:
    verdict = judge(analysis, key)
    exposures = tuple(laws.of_entity(analysis, key))
    home = {each for each in seats(analysis.world.entities[key]).values() if each != UNDECLARED}
    return EntityFacts(
        id=key,
        country=analysis.world.entities[key].country,
        verdict=verdict,
        exposures=exposures,
        jurisdictions=frozenset(home | _beyond(exposures)),
        undeclared=_missing(verdict),
    )


def _beyond(exposures: Iterable[Exposure]) -> set[str]:
    return {each.country for each in exposures if each.kind == "extraterritorial"}


def _missing(verdict: Verdict) -> tuple[Text, ...]:
    return tuple(each.text for each in verdict.reasons if each.code.endswith("-undeclared"))


def _site(analysis: Analysis, entities: Mapping[str, EntityFacts], site: Site) -> SiteFacts:
    operator = entities.get(site.operator)
    verdict = operator.verdict if operator else judge(analysis, site.operator)
    exposures = (
        *laws.of_place(site.country, analysis.day),
        *(operator.exposures if operator else ()),
    )
    own = {countries.state(site.country)} - {UNDECLARED}
    suppliers = [entities[each] for each in laws.suppliers(analysis, site.operator)]
    nobody = text("nobody declared where site {name} is",
                  "personne n'a déclaré où se trouve le site {name}", name=site.name)  # fmt: skip
    return SiteFacts(
        site=site.name,
        region=site.region,
        country=site.country,
        operator=site.operator,
        hosts=site.hosts,
        networks=site.networks,
        verdict=verdict,
        exposures=exposures,
        jurisdictions=frozenset(
            own.union(
                _beyond(exposures),
                operator.jurisdictions if operator else (),
                *(each.jurisdictions for each in suppliers),
            )
        ),
        undeclared=(*((nobody,) if site.country == UNDECLARED else ()), *_missing(verdict)),
    )
