"""Integrated ownership: who owns how much of an entity, directly and through others. Pure.

A share passes down a chain by multiplication. Owning each other in a circle leads to a linear
system, which is solved exactly within each strongly connected part: a share is the probability
that a walk from the owned to its owners, each step by its share, comes to the owner, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from andromede.sovereignty.world.model import Holding, Kind, World

Right = Literal["capital", "votes"]
Shares = dict[str, Fraction]  # 1 is the whole
HUNDRED = Fraction(100)


class Undivided(ValueError):
    """Entities that own each other wholly: nobody outside owns them."""

    def __init__(self, members: Iterable[str]) -> None:
        self.members = sorted(members)
        super().__init__(f"{', '.join(self.members)} own one another wholly, and nobody owns them")


class Owned(Struct, frozen=True, kw_only=True):
    """A company's direct holders with the shares that are declared, and the undeclared rest."""

    capital: Shares
    votes: Shares

    def rest(self, right: Right) -> Fraction:
        return 1 - sum(self.of(right).values(), Fraction())

    def of(self, right: Right) -> Shares:
        return self.capital if right == "capital" else self.votes


def capital_of(holding: Holding, world: World) -> Fraction | None:
    """The share of capital: by the amount, where the held entity's capital is declared."""
    whole = world.entities[holding.held].capital
    if holding.amount is not None and whole:
        return Fraction(holding.amount) / Fraction(whole)
    return None if holding.capital is None else Fraction(holding.capital) / HUNDRED


def votes_of(holding: Holding, world: World) -> Fraction | None:
    if holding.votes is not None:
        return Fraction(holding.votes) / HUNDRED
    return capital_of(holding, world)


def direct(world: World) -> dict[str, Owned]:
    """Each company's direct holders. `world` is that of one day."""
    found = {
        key: Owned(capital={}, votes={})
        for key, each in world.entities.items()
        if each.kind is Kind.COMPANY
    }
    for each in world.holdings.values():
        owned = found[each.held]
        for shares, part in (
            (owned.capital, capital_of(each, world)),
            (owned.votes, votes_of(each, world)),
        ):
            if part:
                shares[each.holder] = shares.get(each.holder, Fraction()) + part
    return found


def integrated(owned: Mapping[str, Owned], right: Right) -> Mapping[str, Shares]:
    """For each entity that is owned, every direct and indirect owner's share.

    Shares of those at the ends of the chains and of the undeclared rest sum to the whole; an owner
    in the middle of a chain counts besides those behind it.

    Errors: Undivided.
    """
    return Integrated({key: each.of(right) for key, each in owned.items()})


def first_met(
    owned: Mapping[str, Owned], right: Right, ends: Callable[[str], bool]
) -> Mapping[str, Shares]:
    """As `integrated`, of owners of one kind only and for walks that end at the first of them:
    their shares never count a path twice, and sum to the whole at most.

    Errors: Undivided.
    """
    return FirstMet({key: each.of(right) for key, each in owned.items()}, ends)


Edges = Mapping[str, Shares]


class Row(Struct, frozen=True):
    """Owners' shares in one entity: numerators over one denominator, which costs no reduction at
    each step. `loose` are shares in addition, of members of a circle, each with its own."""

    numerators: Mapping[str, int]
    denominator: int
    loose: Shares = {}

    def shares(self) -> Shares:
        found = {key: Fraction(each, self.denominator) for key, each in self.numerators.items()}
        for key, each in self.loose.items():
            found[key] = found.get(key, Fraction()) + each
        return found


NOTHING = Row({}, 1)


class Integrated(Mapping[str, Shares]):
    """Integrated shares, computed part by part when somebody asks for a member of it, owners before
    what they own.

    Errors: Undivided, when it is made.
    """

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._shares: dict[str, Shares] = {}
        self._rows: dict[str, Row] = {}
        self._order = components(edges)  # owners first
        self._part: dict[str, int] = {}
        for number, part in enumerate(self._order):
            _require_outside(part, edges)
            self._part |= dict.fromkeys(part, number)

    def __getitem__(self, key: str) -> Shares:
        if key not in self._shares:
            self._shares[key] = self.row(key).shares()
        return self._shares[key]

    def __contains__(self, key: object) -> bool:
        return key in self._part

    def __iter__(self) -> Iterator[str]:
        return iter(self._part)

    def __len__(self) -> int:
        return len(self._part)

    def row(self, key: str) -> Row:
        """The shares of everybody in an entity, those that nobody owns included."""
        if key not in self._rows:
            for number in self._above(key):
                part = self._order[number]
                if part[0] not in self._rows:
                    self._rows.update(self._solved(part))
        return self._rows[key]

    def _above(self, key: str) -> list[int]:
        """The parts that lead up from an entity, itself included, in the order of solving."""
        reached = {self._part[key]}
        waiting = [key]
        while waiting:
            for member in self._order[self._part[waiting.pop()]]:
                for owner in self._edges.get(member, {}):
                    if self._part[owner] not in reached:
                        reached.add(self._part[owner])
                        waiting.append(owner)
        return sorted(reached)

    def _solved(self, part: list[str]) -> dict[str, Row]:
        members = set(part)
        outside = {key: self.beyond(members, self._edges.get(key, {})) for key in part}
        if len(part) == 1 and part[0] not in self._edges.get(part[0], {}):
            return outside
        return _within(part, outside, _visits(part, self._edges))

    def beyond(self, members: set[str], shares: Shares) -> Row:
        """What owners outside of some members hold of one, by its direct holders outside, whose
        own rows are known."""
        held = {owner: share for owner, share in shares.items() if owner not in members}
        rows = {owner: self._rows.get(owner, NOTHING) for owner in held}
        direct = math.lcm(*(each.denominator for each in held.values()))
        above = math.lcm(*(each.denominator for each in rows.values()))
        found: dict[str, int] = {}
        loose: Shares = {}
        for owner, share in held.items():
            weight = share.numerator * (direct // share.denominator)
            found[owner] = found.get(owner, 0) + weight * above
            row = rows[owner]
            factor = weight * (above // row.denominator)
            for further, numerator in row.numerators.items():
                found[further] = found.get(further, 0) + factor * numerator
            for further, more in row.loose.items():
                loose[further] = loose.get(further, Fraction()) + share * more
        return Row(found, direct * above, loose)


class FirstMet(Mapping[str, Shares]):
    """Shares of the owners first met, computed when somebody asks.

    Errors: Undivided, when it is made.
    """

    def __init__(self, edges: Edges, ends: Callable[[str], bool]) -> None:
        self._edges = edges
        self._ends = ends
        self._all = Integrated({key: {} if ends(key) else each for key, each in edges.items()})
        self._shares: dict[str, Shares] = {}

    def __getitem__(self, key: str) -> Shares:
        if key not in self._shares:
            found = self._all[key]
            if self._ends(key):
                held = self._edges[key]
                for owner in held.keys() & self._all.keys():
                    self._all.row(owner)
                found = self._all.beyond({key}, held).shares()
            self._shares[key] = {
                owner: share for owner, share in found.items() if self._ends(owner)
            }
        return self._shares[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)


def _require_outside(part: list[str], edges: Edges) -> None:
    """Errors: Undivided for a part whose members leave nothing to anybody outside of it, declared
    or not."""
    members = set(part)
    for key in part:
        inside = (share for owner, share in edges.get(key, {}).items() if owner in members)
        if sum(inside, Fraction()) < 1:
            return
    raise Undivided(part)


def _within(
    part: list[str], outside: Mapping[str, Row], visits: tuple[list[list[int]], int]
) -> dict[str, Row]:
    """The members' rows, by the expected visits of each from each (numerators, and what they are
    over)."""
    weights, over = visits
    common = math.lcm(*(outside[key].denominator for key in part))
    answer: dict[str, Row] = {}
    for row, key in enumerate(part):
        found: dict[str, int] = {}
        loose: Shares = {}
        for column, via in enumerate(part):
            weight = weights[row][column]
            factor = weight * (common // outside[via].denominator)
            for owner, numerator in outside[via].numerators.items():
                found[owner] = found.get(owner, 0) + factor * numerator
            for owner, share in outside[via].loose.items():
                loose[owner] = loose.get(owner, Fraction()) + Fraction(weight, over) * share
            if via != key and weight:  # the probability to come there at all, of the visits
                loose[via] = loose.get(via, Fraction()) + Fraction(weight, weights[column][column])
        answer[key] = Row(found, over * common, loose)
    return answer


def _visits(part: list[str], edges: Edges) -> tuple[list[list[int]], int]:
    """Expected visits of each member by a walk from each: the inverse of 1 minus the shares within
    the part, as numerators and what they are over.

    By elimination without fractions (Bareiss 1968): each row is made whole by its own denominator,
    and every division is exact. No pivot is 0, since from every member a way leads out.
    """
    size = len(part)
    scales = [math.lcm(*(each.denominator for each in edges[key].values())) for key in part]
    rows = []
    for at, key in enumerate(part):
        own = [edges[key].get(other, Fraction()) * scales[at] for other in part]
        row = [scales[at] * (at == to) - each.numerator for to, each in enumerate(own)]
        rows.append(row + [int(at == to) for to in range(size)])
    former = 1
    for at in range(size):
        chosen, pivot = rows[at], rows[at][at]
        for number, row in enumerate(rows):
            if number != at:
                scale = row[at]
                rows[number] = [
                    (pivot * value - scale * other) // former
                    for value, other in zip(row, chosen, strict=True)
                ]
        former = pivot
    inverse = [[value * scales[to] for to, value in enumerate(row[size:])] for row in rows]
    return inverse, former


def components(edges: Edges) -> list[list[str]]:
    """The strongly connected parts (Tarjan), without recursion; owners come before the owned."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    found: list[list[str]] = []
    for root in sorted(edges):
        if root in order:
            continue
        path = [(root, iter(sorted(edges[root])))]
        order[root] = low[root] = len(order)
        stack.append(root)
        waiting.add(root)
        while path:
            node, rest = path[-1]
            onward = next((each for each in rest if each not in order or each in waiting), None)
            if onward is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    found.append(_close(node, stack, waiting))
            elif onward in order:
                low[node] = min(low[node], order[onward])
            else:
                order[onward] = low[onward] = len(order)
                stack.append(onward)
                waiting.add(onward)
                path.append((onward, iter(sorted(edges.get(onward, {})))))
    return found


def _close(node: str, stack: list[str], waiting: set[str]) -> list[str]:
    part = []
    while True:
        member = stack.pop()
        waiting.discard(member)
        part.append(member)
        if member == node:
            return sorted(part)
