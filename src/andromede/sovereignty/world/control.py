"""Who controls whom: a majority of votes held by an entity together with those it controls, or the
right to appoint a majority of the board, over any number of steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from andromede.sovereignty.world.model import World
from andromede.sovereignty.world.ownership import Owned

Path = tuple[str, ...]
HALF = Fraction(1, 2)


def controllers(world: World, owned: Mapping[str, Owned]) -> dict[str, dict[str, Path]]:
    """For each company, who controls it, with the path from the company to its controller."""
    boards = {(each.held, each.holder) for each in world.holdings.values() if each.board}
    holds: dict[str, set[str]] = {}
    for company, each in owned.items():
        for holder in each.votes:
            holds.setdefault(holder, set()).add(company)
    for company, holder in boards:
        holds.setdefault(holder, set()).add(company)
    found: dict[str, dict[str, Path]] = {key: {} for key in owned}
    for controller in sorted(holds):
        for company, path in _controlled(controller, owned, holds, boards).items():
            found[company][controller] = path
    return found


def _controlled(
    controller: str,
    owned: Mapping[str, Owned],
    holds: Mapping[str, set[str]],
    boards: set[tuple[str, str]],
) -> dict[str, Path]:
    """Every company that one entity controls. The set only grows, whatever the order."""
    paths: dict[str, Path] = {controller: (controller,)}
    fresh = [controller]
    while fresh:
        touched = sorted({company for each in fresh for company in holds.get(each, ())})
        fresh = []
        for company in touched:
            via = None if company in paths else _by(company, paths, owned[company], boards)
            if via is not None:
                paths[company] = (company, *paths[via])
                fresh.append(company)
    del paths[controller]
    return paths


def _by(
    company: str, group: Mapping[str, Path], owned: Owned, boards: set[tuple[str, str]]
) -> str | None:
    """The member of a group by which the group controls the company, or None."""
    appoints = sorted(each for each in group if (company, each) in boards)
    if appoints:
        return appoints[0]
    members = sorted(each for each in owned.votes if each in group)
    votes = sum((owned.votes[each] for each in members), Fraction())
    return max(members, key=lambda each: owned.votes[each]) if votes > HALF else None
