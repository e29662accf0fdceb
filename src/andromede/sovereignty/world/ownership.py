"""Integrated ownership: who owns how much of an entity, directly and through others. Pure.

A share passes down a chain by multiplication. Owning each other in a circle leads to a linear
system, which is solved exactly within each strongly connected part: a share is the probability
that a walk from the owned to its owners, each step by its share, comes to the owner, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def integrated(owned: Mapping[str, Owned], right: Right) -> dict[str, Shares]:
    """For each entity that is owned, every direct and indirect owner's share.

    Shares of those at the ends of the chains and of the undeclared rest sum to the whole; an owner
    in the middle of a chain counts besides those behind it.

    Errors: Undivided.
    """
    return _solve({key: each.of(right) for key, each in owned.items()})


def first_met(
    owned: Mapping[str, Owned], right: Right, ends: Callable[[str], bool]
) -> dict[str, Shares]:
    """As `integrated`, of owners of one kind only and for walks that end at the first of them:
    their shares never count a path twice, and sum to the whole at most.

    Errors: Undivided.
    """
    known = _solve({key: {} if ends(key) else each.of(right) for key, each in owned.items()})
    through = {key: _kept(shares, ends) for key, shares in known.items() if not ends(key)}
    behind = {
        key: _kept(_beyond({key}, each.of(right), through), ends)
        for key, each in owned.items()
        if ends(key)
    }
    return {**through, **behind}


def _kept(shares: Shares, ends: Callable[[str], bool]) -> Shares:
    return {owner: share for owner, share in shares.items() if ends(owner)}


Edges = Mapping[str, Shares]


def _solve(edges: Edges) -> dict[str, Shares]:
    """Owners' shares in every node, part by part, owners before what they own."""
    found: dict[str, Shares] = {}
    for part in components(edges):
        found.update(_reached(part, edges, found))
    return found


def _reached(part: list[str], edges: Edges, found: Mapping[str, Shares]) -> dict[str, Shares]:
    """Shares in the members of one strongly connected part, given those in all it is owned by."""
    members = set(part)
    outside = {key: _beyond(members, edges.get(key, {}), found) for key in part}
    if len(part) == 1 and part[0] not in edges.get(part[0], {}):
        return outside
    visits = _visits(part, edges)
    answer: dict[str, Shares] = {}
    for row, key in enumerate(part):
        shares: Shares = {}
        for column, via in enumerate(part):
            weight = visits[row][column]
            if weight == 0:
                continue
            for owner, share in outside[via].items():
                shares[owner] = shares.get(owner, Fraction()) + weight * share
            if via != key:  # the probability to come there at all, of the expected visits
                shares[via] = weight / visits[column][column]
        answer[key] = shares
    return answer


def _beyond(members: set[str], shares: Shares, found: Mapping[str, Shares]) -> Shares:
    """What owners outside a part hold of a member, by its direct holders outside."""
    answer: Shares = {}
    for owner, share in shares.items():
        if owner in members:
            continue
        answer[owner] = answer.get(owner, Fraction()) + share
        for further, more in found.get(owner, {}).items():
            answer[further] = answer.get(further, Fraction()) + share * more
    return answer


def _visits(part: list[str], edges: Edges) -> list[list[Fraction]]:
    """Expected visits of each member by a walk from each: the inverse of 1 minus the shares
    within the part, by elimination.

    Errors: Undivided.
    """
    size = len(part)
    rows = [
        [Fraction(at == to) - edges[key].get(other, Fraction()) for to, other in enumerate(part)]
        + [Fraction(at == to) for to in range(size)]
        for at, key in enumerate(part)
    ]
    for at in range(size):
        pivot = next((row for row in range(at, size) if rows[row][at] != 0), None)
        if pivot is None:
            raise Undivided(part)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        factor = rows[at][at]
        rows[at] = [value / factor for value in rows[at]]
        for row in range(size):
            scale = rows[row][at]
            if row != at and scale != 0:
                rows[row] = [
                    value - scale * other for value, other in zip(rows[row], rows[at], strict=True)
                ]
    return [row[size:] for row in rows]


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
