"""Whether an entity is shown to be owned within the European Union's thresholds (SecNumCloud 3.2,
19.6, as transcribed): shown, failed, or, where somebody declared too little, not shown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.world.analysis import Analysis, percent, seats
from andromede.sovereignty.world.model import UNDECLARED, Holding, Kind
from andromede.sovereignty.world.ownership import Right, Shares

INDIVIDUAL = Fraction(24, 100)
TOGETHER = Fraction(39, 100)
RIGHTS: tuple[Right, ...] = ("capital", "votes")
NOBODY = Fraction()


class Outcome(StrEnum):
    SHOWN = "shown"
    FAILED = "failed"
    NOT_SHOWN = "not-shown"


class Reason(Struct, frozen=True, kw_only=True):
    """One fact that a verdict rests on. `share` is a percentage, as a decimal string."""

    code: str
    entity: str
    text: str
    share: str | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """`non_eu_individual` and `non_eu_together` are percentages as decimal strings, rounded up, the
    larger of capital and votes. What makes it fail stands first among the reasons."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    non_eu_individual: str = "0"
    non_eu_together: str = "0"

    @property
    def shown(self) -> bool:
        return self.outcome is Outcome.SHOWN


def judge(analysis: Analysis, key: str) -> Verdict:
    """The verdict on an entity, on the day of the analysis."""
    if key not in analysis.world.entities:
        text = f"{key} does not exist on that day" if key != UNDECLARED else (
            "nobody declared who it is"
        )  # fmt: skip
        reason = Reason(code="entity-undeclared", entity=key, text=text)
        return Verdict(outcome=Outcome.NOT_SHOWN, reasons=(reason,))
    failing = (
        *_seats(analysis, key),
        *_individually(analysis, key),
        *_together(analysis, key),
        *_rights(analysis, key),
        *_controlled(analysis, key),
    )
    missing = tuple(_undeclared(analysis, key))
    alone, all_of_them = _largest(analysis, key), _sum(analysis, key)
    outcome = Outcome.FAILED if failing else Outcome.NOT_SHOWN if missing else Outcome.SHOWN
    within = Reason(
        code="within-thresholds",
        entity=key,
        text=f"every chain of owners of {key} ends in declared holders; non-EU owners hold at "
        f"most {percent(alone)} % each and {percent(all_of_them)} % together",
        share=percent(all_of_them),
    )
    return Verdict(
        outcome=outcome,
        reasons=(*failing, *missing) or (within,),
        non_eu_individual=percent(alone, up=True),
        non_eu_together=percent(all_of_them, up=True),
    )


def _seats(analysis: Analysis, key: str) -> Iterator[Reason]:
    words = {
        "seat": "seat",
        "administration": "central administration",
        "establishment": "main establishment",
    }
    for what, country in seats(analysis.world.entities[key]).items():
        if country != UNDECLARED and not countries.in_union(country, analysis.day):
            text = f"the {words[what]} of {key} is in {countries.name(country)}, outside the EU"
            yield Reason(code=f"{what}-outside", entity=key, text=text)


def _individual(analysis: Analysis, key: str) -> dict[str, dict[Right, Fraction]]:
    """What each owner outside the Union holds, directly and through others, by right."""
    found: dict[str, dict[Right, Fraction]] = {}
    for right in RIGHTS:
        shares: Shares = getattr(analysis, right).get(key, {})
        for owner, share in shares.items():
            if owner in analysis.foreign:
                found.setdefault(owner, {})[right] = share
    return dict(sorted(found.items()))


def _largest(analysis: Analysis, key: str) -> Fraction:
    owners = _individual(analysis, key).values()
    return max((max(each.values()) for each in owners), default=NOBODY)


def _individually(analysis: Analysis, key: str) -> Iterator[Reason]:
    for owner, shares in _individual(analysis, key).items():
        above = {right: share for right, share in shares.items() if share > INDIVIDUAL}
        if above:
            text = (
                f"{owner}, outside the EU, holds {_said(above)} of {key}, directly or through "
                f"others; at most 24 % is accepted"
            )
            share = percent(max(above.values()))
            yield Reason(code="individual-above", entity=owner, text=text, share=share)


def _said(shares: Mapping[Right, Fraction]) -> str:
    """`25 % of the capital and of the votes`, or each with its own."""
    if len(shares) > 1 and len(set(shares.values())) == 1:
        return f"{percent(next(iter(shares.values())))} % of the capital and of the votes"
    return " and ".join(f"{percent(share)} % of the {right}" for right, share in shares.items())


def _of_all(analysis: Analysis, key: str) -> dict[Right, Fraction]:
    met = {"capital": analysis.outside_capital, "votes": analysis.outside_votes}
    return {right: sum(met[right].get(key, {}).values(), NOBODY) for right in RIGHTS}


def _sum(analysis: Analysis, key: str) -> Fraction:
    return max(_of_all(analysis, key).values())


def _together(analysis: Analysis, key: str) -> Iterator[Reason]:
    above = {r: share for r, share in _of_all(analysis, key).items() if share > TOGETHER}
    if above:
        text = (
            f"owners outside the EU together hold {_said(above)} of {key}; at most 39 % is accepted"
        )
        share = percent(max(above.values()))
        yield Reason(code="together-above", entity=key, text=text, share=share)


def _rights(analysis: Analysis, key: str) -> Iterator[Reason]:
    """Vetoes and board rights over the entity, or over a company that controls it."""
    over = {key, *analysis.controllers.get(key, {})} - analysis.foreign | {key}
    for each in analysis.world.holdings.values():
        if each.held not in over or not (each.veto or each.board):
            continue
        master = _foreign_master(analysis, each.holder)
        if master is not None:
            yield from _right(each, master)


def _right(holding: Holding, master: str) -> Iterator[Reason]:
    whose = holding.holder if master == holding.holder else f"{holding.holder}, held by {master},"
    for has, code, what in (
        (holding.veto, "veto", "a veto"),
        (holding.board, "board", "the right to appoint a majority of the board"),
    ):
        if has:
            text = f"{whose} has {what} at {holding.held} and is outside the EU"
            yield Reason(code=code, entity=holding.holder, text=text)


def _foreign_master(analysis: Analysis, holder: str) -> str | None:
    """The holder itself, or who controls it, if outside the Union."""
    group = [holder, *sorted(analysis.controllers.get(holder, {}))]
    return next((each for each in group if each in analysis.foreign), None)


def _controlled(analysis: Analysis, key: str) -> Iterator[Reason]:
    for controller, path in sorted(analysis.controllers.get(key, {}).items()):
        if controller in analysis.foreign:
            text = f"{controller}, outside the EU, controls {key} by {' < '.join(path)}"
            yield Reason(code="controlled", entity=controller, text=text)


def _undeclared(analysis: Analysis, key: str) -> Iterator[Reason]:
    """What the verdict would need and nobody declared, on every chain up to owners outside the
    Union, whose own owners change nothing."""
    holders: dict[str, set[str]] = {}
    for each in analysis.world.holdings.values():
        holders.setdefault(each.held, set()).add(each.holder)
    seen: set[str] = set()
    ahead = [key]
    while ahead:
        at = ahead.pop(0)
        if at in seen or (at in analysis.foreign and at != key):
            continue
        seen.add(at)
        yield from _missing(analysis, at)
        ahead += sorted(holders.get(at, ()))


def _missing(analysis: Analysis, key: str) -> Iterator[Reason]:
    entity = analysis.world.entities[key]
    places = [what for what, country in seats(entity).items() if country == UNDECLARED]
    if places:
        text = f"nobody declared the {places[0]} of {key}"
        yield Reason(code="seat-undeclared", entity=key, text=text)
    if entity.kind is not Kind.COMPANY:
        return
    owned = analysis.owned[key]
    rest = max(owned.rest(right) for right in RIGHTS)
    if rest > 0:
        text = f"nobody declared who owns {percent(rest)} % of {key}"
        yield Reason(code="owners-undeclared", entity=key, text=text, share=percent(rest))
