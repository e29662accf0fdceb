"""All that follows from who owns whom on one day, for verdicts and laws: of each entity when somebody
asks for it, and once. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.world.control import Path, controllers
from andromede.sovereignty.world.model import UNDECLARED, Entity, World
from andromede.sovereignty.world.ownership import Owned, Shares, direct, first_met, integrated

MILLIONTH = Fraction(1, 10**6)


class Analysis(Struct, frozen=True, kw_only=True):
    """`world` is that of the day. `capital` and `votes` are integrated shares by company and
    owner; `outside_capital` and `outside_votes` those of the non-EU owners first met; `foreign`
    are the entities with a declared seat, administration or establishment outside the Union."""

    world: World
    day: date
    owned: Mapping[str, Owned]
    capital: Mapping[str, Shares]
    votes: Mapping[str, Shares]
    outside_capital: Mapping[str, Shares]
    outside_votes: Mapping[str, Shares]
    controllers: Mapping[str, Mapping[str, Path]]
    controlled: Mapping[str, Mapping[str, Path]]  # by controller: each company, path downwards
    foreign: frozenset[str]

    def share(self, company: str, owner: str) -> Fraction:
        """The owner's integrated share, of capital or votes, whichever is larger."""
        return max(
            self.capital.get(company, {}).get(owner, Fraction()),
            self.votes.get(company, {}).get(owner, Fraction()),
        )

    def owners(self, company: str) -> list[str]:
        """Every direct and indirect owner that is declared with a share."""
        return sorted({*self.capital.get(company, {}), *self.votes.get(company, {})})


def analyse(world: World, day: date) -> Analysis:
    """`world` is the whole declared world.

    Errors: ownership.Undivided.
    """
    now = world.at(day)
    owned = direct(now)
    foreign = frozenset(key for key, each in now.entities.items() if outside(each, day))
    above = controllers(now, owned)
    below: dict[str, dict[str, Path]] = {}
    for company, each in above.items():
        for controller, path in each.items():
            below.setdefault(controller, {})[company] = path[::-1]
    capital = integrated(owned, "capital")
    outside_capital = first_met(owned, "capital", foreign.__contains__)
    votes, outside_votes = capital, outside_capital
    if any(each.votes != each.capital for each in owned.values()):
        votes = integrated(owned, "votes")
        outside_votes = first_met(owned, "votes", foreign.__contains__)
    return Analysis(
        world=now,
        day=day,
        owned=owned,
        capital=capital,
        votes=votes,
        outside_capital=outside_capital,
        outside_votes=outside_votes,
        controllers=above,
        controlled=below,
        foreign=foreign,
    )


def seats(entity: Entity) -> dict[str, str]:
    """Where the law asks an entity to be: the country of each, `undeclared` where nobody said."""
    return {
        "seat": entity.country,
        "administration": entity.administration or entity.country,
        "establishment": entity.establishment or entity.country,
    }


def outside(entity: Entity, day: date) -> bool:
    """Whether any of them is declared outside the European Union."""
    return any(
        country != UNDECLARED and not countries.in_union(country, day)
        for country in seats(entity).values()
    )


def percent(share: Fraction, *, up: bool = False) -> str:
    """A share as a percentage with at most six decimals, rounded to the nearest or `up`. What is
    not nothing never shows as 0."""
    scaled = share * 100 / MILLIONTH
    rounded = math.ceil(scaled) if up else round(scaled)
    if rounded == 0 and scaled > 0:
        rounded = 1
    whole, rest = divmod(rounded, 10**6)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")
