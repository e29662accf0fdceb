"""Changes that customers are told of: who runs a site, who owns whoever runs it, and which suppliers
reach its data.

Source: SecNumCloud 3.2, 19.6.f (ownership, within a month) and 15.1.b with GDPR 28(2) (suppliers).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.findings import notices
from andromede.sovereignty.world.facts import Facts
from andromede.sovereignty.world.model import UNDECLARED, Contract, Data, Holding, World

WITHIN_DAYS = 30
Seen = dict[str, Any]


class Change(Struct, frozen=True, kw_only=True):
    """What customers are told, and from which day on it holds."""

    kind: str
    text_fr: str
    text_en: str
    days: int
    since: date | None = None


def seen(known: Facts) -> Seen:
    """What a later look is compared to: operators of sites, their owners' holdings, suppliers."""
    world = known.world.at(known.date)
    sites = {name: site.operator for name, site in world.sites.items()}
    operators = sorted({each for each in sites.values() if each != UNDECLARED})
    return {
        "sites": sites,
        "owners": {each: _owners(world, each) for each in operators},
        "suppliers": {each: _suppliers(world, each) for each in operators},
    }


def _owners(world: World, entity: str) -> dict[str, str]:
    """Every holding at or above an entity that is in force, in words."""
    found: dict[str, str] = {}
    reached, waiting = {entity}, [entity]
    while waiting:
        held = waiting.pop()
        for each in world.holdings.values():
            if each.held == held:
                found[each.id] = _holding(each)
                if each.holder not in reached:
                    reached.add(each.holder)
                    waiting.append(each.holder)
    return found


def _holding(each: Holding) -> str:
    shares = [f"{each.capital} %"] if each.capital is not None else []
    shares += [f"{each.amount}"] if each.amount is not None else []
    shares += [f"{each.votes} % votes"] if each.votes is not None else []
    shares += [word for word, has in (("veto", each.veto), ("board", each.board)) if has]
    return f"{each.holder} → {each.held} ({', '.join(shares) or UNDECLARED})"


def _suppliers(world: World, operator: str) -> dict[str, str]:
    return {
        each.id: f"{each.supplier}: {each.purpose} ({each.data.value})"
        for each in world.contracts.values()
        if each.customer == operator and each.data is not Data.NONE
    }


def tell(connection: Connection, before: Seen, after: Seen, known: Facts) -> None:
    """Open a notice to everyone for each change between two looks."""
    for each in (*_operators(before, after, known.world), *_ownership(before, after, known.world),
                 *_contracts(before, after, known)):  # fmt: skip
        since = each.since or known.date
        start = datetime(since.year, since.month, since.day, tzinfo=UTC)
        until = (start + timedelta(days=each.days) - clock.EPOCH) // timedelta(microseconds=1)
        notices.open(connection, each.kind, None, each.text_fr, each.text_en, until)


def _operators(before: Seen, after: Seen, world: World) -> Iterator[Change]:
    for site, operator in after["sites"].items():
        was = before["sites"].get(site, operator)
        if was != operator:
            yield Change(
                kind="operator",
                text_fr=f"Le site {site}, exploité par {was}, l'est désormais par {operator}.",
                text_en=f"Site {site}, which {was} ran, is now run by {operator}.",
                days=WITHIN_DAYS,
                since=next(
                    (each.since for each in world.sites[site].terms() if each.operator == operator),
                    None,
                ),
            )


def _ownership(before: Seen, after: Seen, world: World) -> Iterator[Change]:
    for operator, owners in after["owners"].items():
        was = before["owners"].get(operator)
        if was is None or was == owners:
            continue
        gone = [text for key, text in was.items() if owners.get(key) != text]
        new = [text for key, text in owners.items() if was.get(key) != text]
        days = [*(_start(world, key) for key in owners if was.get(key) != owners[key]),
                *(_end(world, key) for key in was if key not in owners)]  # fmt: skip
        yield Change(
            kind="ownership",
            text_fr=f"La détention de {operator} a changé. Jusqu'ici : {'; '.join(gone) or '—'}. "
            f"Désormais : {'; '.join(new) or '—'}.",
            text_en=f"The ownership of {operator} changed. So far: {'; '.join(gone) or '—'}. "
            f"From now on: {'; '.join(new) or '—'}.",
            days=WITHIN_DAYS,
            since=min((each for each in days if each is not None), default=None),
        )


def _start(world: World, holding: str) -> date | None:
    found = world.holdings.get(holding)
    return found.since if found else None


def _end(world: World, holding: str) -> date | None:
    found = world.holdings.get(holding)
    return found.until if found else None


def _contracts(before: Seen, after: Seen, known: Facts) -> Iterator[Change]:
    for operator, suppliers in after["suppliers"].items():
        was = before["suppliers"].get(operator, {})
        for key in sorted(suppliers.keys() | was.keys()):
            if suppliers.get(key) == was.get(key):
                continue
            contract: Contract | None = known.world.contracts.get(key)
            yield Change(
                kind="sub-processor",
                text_fr=f"Sous-traitance de {operator} : {was.get(key, '—')} devient "
                f"{suppliers.get(key, '—')}.",
                text_en=f"Sub-processing of {operator}: {was.get(key, '—')} becomes "
                f"{suppliers.get(key, '—')}.",
                days=contract.objection_days if contract else WITHIN_DAYS,
            )
