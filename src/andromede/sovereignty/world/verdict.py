"""Whether an entity is shown to be owned within the European Union's thresholds (SecNumCloud 3.2,
19.6, as transcribed): shown, failed, or, where somebody declared too little, not shown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.words import AND, Text, join, percentage, text
from andromede.sovereignty.world.analysis import Analysis, percent, seats
from andromede.sovereignty.world.model import UNDECLARED, Holding, Kind
from andromede.sovereignty.world.ownership import Right, Shares

INDIVIDUAL = Fraction(24, 100)
TOGETHER = Fraction(39, 100)
RIGHTS: tuple[Right, ...] = ("capital", "votes")
NOBODY = Fraction()
SEATS = {
    "seat": text("seat", "le siège"),
    "administration": text("central administration", "l'administration centrale"),
    "establishment": text("main establishment", "l'établissement principal"),
}
OF = {
    "capital": text("of the capital", "du capital"),
    "votes": text("of the votes", "des droits de vote"),
}


class Outcome(StrEnum):
    SHOWN = "shown"
    FAILED = "failed"
    NOT_SHOWN = "not-shown"


class Reason(Struct, frozen=True, kw_only=True):
    """One fact that a verdict rests on. `share` is a percentage, as a decimal string."""

    code: str
    entity: str
    text: Text
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
        reason = Reason(code="entity-undeclared", entity=key, text=_nobody(key))
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
    return Verdict(
        outcome=outcome,
        reasons=(*failing, *missing) or (_within(key, alone, all_of_them),),
        non_eu_individual=percent(alone, up=True),
        non_eu_together=percent(all_of_them, up=True),
    )


def _nobody(key: str) -> Text:
    if key == UNDECLARED:
        return text("nobody declared who it is", "personne n'a déclaré de qui il s'agit")
    return text("{key} does not exist on that day", "{key} n'existe pas à cette date", key=key)


def _within(key: str, alone: Fraction, together: Fraction) -> Reason:
    said = text(
        "every chain of owners of {key} ends in declared holders; non-EU owners hold at most "
        "{alone} each and {together} together",
        "chaque chaîne de propriétaires de {key} aboutit à des détenteurs déclarés ; les "
        "propriétaires hors de l'UE détiennent au plus {alone} chacun et {together} ensemble",
        key=key, alone=percentage(percent(alone)), together=percentage(percent(together)),
    )  # fmt: skip
    return Reason(code="within-thresholds", entity=key, text=said, share=percent(together))


def _seats(analysis: Analysis, key: str) -> Iterator[Reason]:
    for what, country in seats(analysis.world.entities[key]).items():
        if country != UNDECLARED and not countries.in_union(country, analysis.day):
            said = text(
                "the {what} of {key} is in {country}, outside the EU",
                "{what} de {key} est hors de l'UE ({country})",
                what=SEATS[what], key=key, country=countries.names(country),
            )  # fmt: skip
            yield Reason(code=f"{what}-outside", entity=key, text=said)


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
            said = text(
                "{owner}, outside the EU, holds {shares} of {key}, directly or through others; "
                "at most 24 % is accepted",
                "{owner}, hors de l'UE, détient {shares} de {key}, directement ou par d'autres ; "
                "au plus 24 % sont admis",
                owner=owner, shares=_said(above), key=key,
            )  # fmt: skip
            share = percent(max(above.values()))
            yield Reason(code="individual-above", entity=owner, text=said, share=share)


def _said(shares: Mapping[Right, Fraction]) -> Text:
    """`25 % of the capital and of the votes`, or each with its own."""
    if len(shares) > 1 and len(set(shares.values())) == 1:
        both = percentage(percent(next(iter(shares.values()))))
        return text("{both} {of}", "{both} {of}", both=both, of=join(OF.values(), AND))
    parts = (
        text("{part} {of}", "{part} {of}", part=percentage(percent(share)), of=OF[right])
        for right, share in shares.items()
    )
    return join(parts, AND)


def _of_all(analysis: Analysis, key: str) -> dict[Right, Fraction]:
    met = {"capital": analysis.outside_capital, "votes": analysis.outside_votes}
    return {right: sum(met[right].get(key, {}).values(), NOBODY) for right in RIGHTS}


def _sum(analysis: Analysis, key: str) -> Fraction:
    return max(_of_all(analysis, key).values())


def _together(analysis: Analysis, key: str) -> Iterator[Reason]:
    above = {r: share for r, share in _of_all(analysis, key).items() if share > TOGETHER}
    if above:
        said = text(
            "owners outside the EU together hold {shares} of {key}; at most 39 % is accepted",
            "des propriétaires hors de l'UE détiennent ensemble {shares} de {key} ; au plus 39 % "
            "sont admis",
            shares=_said(above), key=key,
        )  # fmt: skip
        share = percent(max(above.values()))
        yield Reason(code="together-above", entity=key, text=said, share=share)


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
    whose = text("{holder}", "{holder}, hors de l'UE,", holder=holding.holder)
    if master != holding.holder:
        whose = text("{holder}, held by {master},", "{holder}, que contrôle {master}, hors de l'UE,",
                     holder=holding.holder, master=master)  # fmt: skip
    for has, code, en, fr in (
        (holding.veto, "veto", "a veto at {held}", "a un droit de veto sur {held}"),
        (
            holding.board, "board", "the right to appoint a majority of the board at {held}",
            "peut nommer la majorité du conseil d'administration de {held}",
        ),
    ):  # fmt: skip
        if has:
            said = text(f"{{whose}} has {en} and is outside the EU", f"{{whose}} {fr}",
                        whose=whose, held=holding.held)  # fmt: skip
            yield Reason(code=code, entity=holding.holder, text=said)


def _foreign_master(analysis: Analysis, holder: str) -> str | None:
    """The holder itself, or who controls it, if outside the Union."""
    group = [holder, *sorted(analysis.controllers.get(holder, {}))]
    return next((each for each in group if each in analysis.foreign), None)


def _controlled(analysis: Analysis, key: str) -> Iterator[Reason]:
    for controller, path in sorted(analysis.controllers.get(key, {}).items()):
        if controller in analysis.foreign:
            said = text(
                "{controller}, outside the EU, controls {key} by {path}",
                "{controller}, hors de l'UE, contrôle {key} par la chaîne {path}",
                controller=controller, key=key, path=" < ".join(path),
            )  # fmt: skip
            yield Reason(code="controlled", entity=controller, text=said)


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
        what = Text(places[0], SEATS[places[0]].fr)
        said = text("nobody declared the {what} of {key}", "personne n'a déclaré {what} de {key}",
                    what=what, key=key)  # fmt: skip
        yield Reason(code="seat-undeclared", entity=key, text=said)
    if entity.kind is not Kind.COMPANY:
        return
    owned = analysis.owned[key]
    rest = max(owned.rest(right) for right in RIGHTS)
    if rest > 0:
        said = text("nobody declared who owns {share} of {key}",
                    "personne n'a déclaré qui détient {share} de {key}",
                    share=percentage(percent(rest)), key=key)  # fmt: skip
        yield Reason(code="owners-undeclared", entity=key, text=said, share=percent(rest))
