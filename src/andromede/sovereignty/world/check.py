"""Whether a declared world holds together: each value, each reference, each day. Pure.

Everything is looked at on the whole world as it would be, so that no order of changes can leave
behind what one change could not declare.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.world.analysis import percent
from andromede.sovereignty.world.model import (
    UNDECLARED,
    Contract,
    Entity,
    Holding,
    Kind,
    Site,
    Term,
    World,
    covers,
)
from andromede.sovereignty.world.ownership import (
    Right,
    components,
    direct,
)

DECIMALS = 6
LARGEST = Decimal(10) ** 18
KNOT = 40  # most entities that may own one another in circles


class Fault(Struct, frozen=True, kw_only=True):
    """What does not hold. `conflict`: with what else is declared, not in the value itself."""

    text: str
    conflict: bool = False


class FaultyWorld(ValueError):
    """A world that does not hold together; nothing of it was kept."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults[:10]))

    @property
    def conflict(self) -> bool:
        return all(fault.conflict for fault in self.faults)


def check(world: World, today: date) -> None:
    """Errors: FaultyWorld with everything that does not hold."""
    faults = [*_values(world), *_references(world)]
    if not faults:  # sums need sound values and references
        faults = [*_lives(world, today), *_overlaps(world), *_amounts(world)]
    if not faults:
        faults = [*_sums(world), *_circles(world)]
    if faults:
        raise FaultyWorld(faults)


def _values(world: World) -> Iterator[Fault]:
    for site in world.sites.values():
        yield from _site(site)
    for entity in world.entities.values():
        yield from _entity(entity)
    for holding in world.holdings.values():
        yield from _holding(holding)
    for contract in world.contracts.values():
        where = f"contract {contract.id}"
        yield from _period(where, contract)
        yield from _countries(where, contract.countries)


def _site(site: Site) -> Iterator[Fault]:
    where = f"site {site.name}"
    if not site.name:
        yield Fault(text="a site has no name; letters, digits, dots and dashes are accepted")
    yield from _countries(where, [site.country])
    for certificate in site.certificates:
        yield from _period(f"{where}, certificate {certificate.scheme}", certificate)
    for cidr in site.networks:
        try:
            ipaddress.ip_network(cidr)
        except ValueError as error:
            yield Fault(text=f"{where}: {error}; a network is accepted, as in 192.0.2.0/24")
    for before, after in pairwise(site.former):
        if after.until <= before.until:
            text = (
                f"{where}: {after.operator} ran it until {after.until}, not after "
                f"{before.operator} until {before.until}; the order of their days is accepted"
            )
            yield Fault(text=text)
    if (site.latitude is None) != (site.longitude is None):
        yield Fault(text=f"{where}: latitude and longitude are declared together or not at all")


def _entity(entity: Entity) -> Iterator[Fault]:
    where = f"entity {entity.id}"
    if entity.id == UNDECLARED:
        yield Fault(text=f"{where}: the id undeclared says that nobody is declared; choose another")
    seats = [entity.administration, entity.establishment, *entity.establishments]
    if not (entity.country == countries.UNION and entity.kind is Kind.HOLDERS):
        seats.append(entity.country)
    yield from _countries(where, [each for each in seats if each is not None])
    yield from _period(where, entity)
    yield from _number(f"{where}: capital", entity.capital, LARGEST)
    if entity.capital is not None and entity.capital == 0:
        yield Fault(text=f"{where}: capital is 0; more is accepted, or leave it out")


def _holding(holding: Holding) -> Iterator[Fault]:
    where = _named(holding)
    yield from _period(where, holding)
    yield from _number(f"{where}: capital", holding.capital, Decimal(100))
    yield from _number(f"{where}: votes", holding.votes, Decimal(100))
    yield from _number(f"{where}: amount", holding.amount, LARGEST)


def _named(holding: Holding) -> str:
    since = f" since {holding.since}" if holding.since else ""
    return f"holding of {holding.holder} in {holding.held}{since}"


def _countries(where: str, codes: Iterable[str]) -> Iterator[Fault]:
    for code in codes:
        if code != UNDECLARED and not countries.known(code):
            text = (
                f"{where}: {code} is no country of ISO 3166-1; two letters as in FR are "
                f"accepted, or undeclared"
            )
            yield Fault(text=text)


def _period(where: str, period: Any) -> Iterator[Fault]:
    if period.since is not None and period.until is not None and period.since >= period.until:
        text = f"{where}: it ends on {period.until}, not after its beginning on {period.since}"
        yield Fault(text=text)


def _number(where: str, value: Decimal | None, most: Decimal) -> Iterator[Fault]:
    if value is None:
        return
    exponent = value.as_tuple().exponent
    sound = value.is_finite() and isinstance(exponent, int) and exponent >= -DECIMALS
    if not sound or not 0 <= value <= most:
        text = f"{where} is {value}; 0 to {most:f} with at most {DECIMALS} decimals is accepted"
        yield Fault(text=text)


def _references(world: World) -> Iterator[Fault]:
    for site in world.sites.values():
        for term in site.terms():
            if term.operator != UNDECLARED:
                yield from _known(world, f"site {site.name}: operator", term.operator)
    for holding in world.holdings.values():
        where = _named(holding)
        yield from _known(world, f"{where}: holder", holding.holder)
        yield from _known(world, f"{where}: held", holding.held)
        held = world.entities.get(holding.held)
        if held is not None and held.kind is not Kind.COMPANY:
            text = f"{where}: {held.id} is declared as {held.kind}; only a company can be held"
            yield Fault(text=text)
    for contract in world.contracts.values():
        yield from _known(world, f"contract {contract.id}: customer", contract.customer)
        yield from _known(world, f"contract {contract.id}: supplier", contract.supplier)
    yield from _hosts(world)


def _known(world: World, where: str, key: str) -> Iterator[Fault]:
    if key not in world.entities:
        yield Fault(text=f"{where} {key} is not declared; a declared entity's id is accepted")


def _hosts(world: World) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for site in world.sites.values():
        for host in site.hosts:
            other = seen.setdefault(host, site.name)
            if other != site.name:
                text = f"host {host} is declared at site {site.name} and at {other}; it is at one"
                yield Fault(text=text, conflict=True)


def _lives(world: World, today: date) -> Iterator[Fault]:
    """Nothing may hold, run or supply before it was founded or after it was dissolved."""
    for site in world.sites.values():
        for term in site.terms():
            operator = world.entities.get(term.operator)
            if operator is None:
                continue
            if covers(term, today) and not covers(operator, today):
                text = f"site {site.name}: its operator {operator.id} {_life(operator)}"
                yield Fault(text=text, conflict=True)
            else:
                yield from _within(f"site {site.name}", term, operator)
    for holding in world.holdings.values():
        for key in (holding.holder, holding.held):
            yield from _within(_named(holding), holding, world.entities[key])
    for contract in world.contracts.values():
        for key in (contract.customer, contract.supplier):
            yield from _within(f"contract {contract.id}", contract, world.entities[key])


def _within(where: str, period: Holding | Contract | Term, entity: Entity) -> Iterator[Fault]:
    """Declared days must be days of the entity; an open end is as long as it exists."""
    since, until = period.since, period.until
    early = entity.since is not None and (
        (since is not None and since < entity.since)
        or (until is not None and until <= entity.since)
    )
    late = entity.until is not None and (
        (until is not None and until > entity.until)
        or (since is not None and since >= entity.until)
    )
    if early or late:
        yield Fault(text=f"{where}: {entity.id} {_life(entity)}", conflict=True)


def _life(entity: Entity) -> str:
    since = f"exists since {entity.since}" if entity.since else "exists"
    return f"{since} and is dissolved on {entity.until}" if entity.until else since


def _overlaps(world: World) -> Iterator[Fault]:
    pairs: dict[tuple[str, str], list[Holding]] = {}
    for holding in world.holdings.values():
        pairs.setdefault((holding.holder, holding.held), []).append(holding)
    for each in pairs.values():
        each.sort(key=lambda holding: holding.since or date.min)
        for before, after in pairwise(each):
            if before.until is None or after.since is None or after.since < before.until:
                text = (
                    f"{_named(after)} overlaps the one since {before.since or 'always'} until "
                    f"{before.until or 'further notice'}; end that one first, or change it"
                )
                yield Fault(text=text, conflict=True)


def _amounts(world: World) -> Iterator[Fault]:
    for holding in world.holdings.values():
        if holding.amount is None:
            continue
        where = _named(holding)
        whole = world.entities[holding.held].capital
        if whole is None:
            text = f"{where}: an amount is of a declared capital; declare that of {holding.held}"
            yield Fault(text=text, conflict=True)
        elif holding.amount > whole:
            text = f"{where}: {holding.amount:f} is more than the whole capital of {whole:f}"
            yield Fault(text=text, conflict=True)
        elif holding.capital is not None:
            yield from _agree(where, holding, Fraction(holding.amount) / Fraction(whole) * 100)


def _agree(where: str, holding: Holding, exact: Fraction) -> Iterator[Fault]:
    """The printed percentage must be the amount's, rounded to its own decimals either way."""
    assert holding.capital is not None
    exponent = holding.capital.as_tuple().exponent
    step = Fraction(1, 10 ** max(0, -int(exponent)))
    if abs(Fraction(holding.capital) - exact) >= step:
        text = (
            f"{where}: {holding.capital:f} % contradicts the amount, which is "
            f"{percent(exact / 100)} %; correct one, or leave the percentage out"
        )
        yield Fault(text=text, conflict=True)


def moments(world: World) -> list[date]:
    """A day of each stretch in which the same declarations stand, oldest first."""
    dated: list[Entity | Holding | Contract] = [
        *world.entities.values(),
        *world.holdings.values(),
        *world.contracts.values(),
    ]
    ends = {day for each in dated for day in (each.since, each.until) if day is not None}
    ends |= {each.until for site in world.sites.values() for each in site.former}
    return [date.min, *sorted(ends - {date.min})]


def _sums(world: World) -> Iterator[Fault]:
    by_held: dict[str, list[Holding]] = {}
    for holding in world.holdings.values():
        by_held.setdefault(holding.held, []).append(holding)
    for held in sorted(by_held):
        yield from _sums_of(world, held, by_held[held])


def _sums_of(world: World, held: str, holdings: list[Holding]) -> Iterator[Fault]:
    holders = {each.holder: world.entities[each.holder] for each in holdings}
    part = World(
        entities={held: world.entities[held], **holders},
        holdings={str(at): each for at, each in enumerate(holdings)},
    )
    for day in moments(part):
        owned = direct(part.at(day)).get(held)
        rights: tuple[Right, ...] = ("capital", "votes")
        for right in rights:
            rest = owned.rest(right) if owned is not None else Fraction()
            if rest < 0:
                since = "always" if day == date.min else str(day)
                rule = "" if right == "capital" else " (votes are as capital unless declared)"
                text = f"holdings in {held} sum to {percent(1 - rest)} % of {right} since {since}"
                yield Fault(text=f"{text}; at most 100 % is accepted{rule}", conflict=True)
                return


def _circles(world: World) -> Iterator[Fault]:
    """Circles are accepted, except where nobody outside owns anything of them."""
    edges: dict[str, dict[str, Fraction]] = {key: {} for key in world.entities}
    for holding in world.holdings.values():
        edges[holding.held][holding.holder] = Fraction(1)
    knots = [part for part in components(edges) if len(part) > 1 or part[0] in edges[part[0]]]
    for part in knots:
        if len(part) > KNOT:
            text = f"{len(part)} entities own one another in circles; at most {KNOT} are accepted"
            yield Fault(text=text, conflict=True)
    if any(len(part) > KNOT for part in knots):
        return
    for part in knots:
        yield from _closed(_within_part(world, set(part)))


def _within_part(world: World, members: set[str]) -> World:
    holdings = {
        key: each
        for key, each in world.holdings.items()
        if each.held in members and each.holder in members
    }
    return World(entities={key: world.entities[key] for key in members}, holdings=holdings)


def _closed(world: World) -> Iterator[Fault]:
    for day in moments(world):
        owned = direct(world.at(day))
        rights: tuple[Right, ...] = ("capital", "votes")
        for right in rights:
            for part in components({key: each.of(right) for key, each in owned.items()}):
                inner = [owned[key].of(right) if key in owned else {} for key in part]
                if all(sum(v for k, v in each.items() if k in part) == 1 for each in inner):
                    text = (
                        f"{', '.join(part)} would own one another wholly ({right}), and nobody "
                        f"outside would own them"
                    )
                    yield Fault(text=text, conflict=True)
                    return
