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
from andromede.sovereignty.words import THEN, Text, join, percentage, text
from andromede.sovereignty.world.facts import Facts
from andromede.sovereignty.world.model import UNDECLARED, Contract, Data, Holding, World

WITHIN_DAYS = 30
Seen = dict[str, Any]
NONE = Text("—", "—")
VETO = text("veto", "droit de veto")
BOARD = text("board", "nomination de la majorité du conseil d'administration")
NO_SHARE = text(UNDECLARED, "part non déclarée")
NOBODY = text(UNDECLARED, "un exploitant non déclaré")
DATA = {
    Data.METADATA: text("metadata", "métadonnées"),
    Data.ACCESS: text("access", "accès aux données"),
}


class Change(Struct, frozen=True, kw_only=True):
    """What customers are told, and from which day on it holds."""

    kind: str
    text: Text
    days: int
    since: date | None = None


def seen(known: Facts) -> Seen:
    """What a later look is compared to: operators of sites, their owners' holdings, suppliers, the
    latter two in words. They are compared in English; French stands beside it, to be told."""
    world = known.world.at(known.date)
    sites = {name: site.operator for name, site in world.sites.items()}
    operators = sorted({each for each in sites.values() if each != UNDECLARED})
    owners = {each: _owners(world, each) for each in operators}
    suppliers = {each: _suppliers(world, each) for each in operators}
    return {
        "sites": sites,
        "owners": _in("en", owners),
        "suppliers": _in("en", suppliers),
        "owners_fr": _in("fr", owners),
        "suppliers_fr": _in("fr", suppliers),
    }


def _in(language: str, told: dict[str, dict[str, Text]]) -> dict[str, dict[str, str]]:
    return {
        operator: {key: each.in_(language) for key, each in words.items()}
        for operator, words in told.items()
    }


def _told(seen: Seen, noun: str, operator: str) -> dict[str, Text]:
    """An operator's owners or suppliers in a look; one that kept no French is told in English."""
    french = seen.get(f"{noun}_fr", {}).get(operator, {})
    english = seen[noun].get(operator, {})
    return {key: Text(en, french.get(key, en)) for key, en in english.items()}


def _owners(world: World, entity: str) -> dict[str, Text]:
    """Every holding at or above an entity that is in force, in words."""
    found: dict[str, Text] = {}
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


def _holding(each: Holding) -> Text:
    shares = [percentage(str(each.capital))] if each.capital is not None else []
    if each.amount is not None:
        shares.append(Text(str(each.amount), str(each.amount).replace(".", ",")))
    if each.votes is not None:
        votes = percentage(str(each.votes))
        shares.append(text("{votes} votes", "{votes} des droits de vote", votes=votes))
    shares += [VETO] if each.veto else []
    shares += [BOARD] if each.board else []
    said = join(shares or [NO_SHARE], Text(", ", ", "))
    return text("{holder} → {held} ({said})", "{holder} → {held} ({said})",
                holder=each.holder, held=each.held, said=said)  # fmt: skip


def _suppliers(world: World, operator: str) -> dict[str, Text]:
    return {
        each.id: text("{who}: {purpose} ({data})", "{who}, {purpose} ({data})",
                      who=each.supplier, purpose=each.purpose, data=DATA[each.data])
        for each in world.contracts.values()
        if each.customer == operator and each.data is not Data.NONE
    }  # fmt: skip


def tell(connection: Connection, before: Seen, after: Seen, known: Facts) -> None:
    """Open a notice to everyone for each change between two looks."""
    for each in (*_operators(before, after, known.world), *_ownership(before, after, known.world),
                 *_contracts(before, after, known)):  # fmt: skip
        since = each.since or known.date
        start = datetime(since.year, since.month, since.day, tzinfo=UTC)
        until = (start + timedelta(days=each.days) - clock.EPOCH) // timedelta(microseconds=1)
        notices.open(connection, each.kind, None, each.text.fr, each.text.en, until)


def _operators(before: Seen, after: Seen, world: World) -> Iterator[Change]:
    for site, operator in after["sites"].items():
        was = before["sites"].get(site, operator)
        if was != operator:
            yield Change(
                kind="operator",
                text=text(
                    "Site {site}, which {was} ran, is now run by {now}.",
                    "Le site {site}, jusqu'ici exploité par {was}, l'est désormais par {now}.",
                    site=site, was=_operator(was), now=_operator(operator),
                ),
                days=WITHIN_DAYS,
                since=next(
                    (each.since for each in world.sites[site].terms() if each.operator == operator),
                    None,
                ),
            )  # fmt: skip


def _operator(key: str) -> Text:
    return NOBODY if key == UNDECLARED else Text(key, key)


def _ownership(before: Seen, after: Seen, world: World) -> Iterator[Change]:
    for operator, owners in after["owners"].items():
        was = before["owners"].get(operator)
        if was is None or was == owners:
            continue
        old, now = _told(before, "owners", operator), _told(after, "owners", operator)
        gone = [each for key, each in old.items() if owners.get(key) != each.en]
        new = [each for key, each in now.items() if was.get(key) != each.en]
        days = [*(_start(world, key) for key in owners if was.get(key) != owners[key]),
                *(_end(world, key) for key in was if key not in owners)]  # fmt: skip
        yield Change(
            kind="ownership",
            text=text(
                "The ownership of {operator} changed. So far: {gone}. From now on: {new}.",
                "La détention de {operator} a changé. Jusqu'ici : {gone}. Désormais : {new}.",
                operator=operator, gone=join(gone or [NONE], THEN), new=join(new or [NONE], THEN),
            ),
            days=WITHIN_DAYS,
            since=min((each for each in days if each is not None), default=None),
        )  # fmt: skip


def _start(world: World, holding: str) -> date | None:
    found = world.holdings.get(holding)
    return found.since if found else None


def _end(world: World, holding: str) -> date | None:
    found = world.holdings.get(holding)
    return found.until if found else None


def _contracts(before: Seen, after: Seen, known: Facts) -> Iterator[Change]:
    for operator in after["suppliers"]:
        was = _told(before, "suppliers", operator)
        now = _told(after, "suppliers", operator)
        for key in sorted(now.keys() | was.keys()):
            old, new = was.get(key, NONE), now.get(key, NONE)
            if old.en == new.en:
                continue
            contract: Contract | None = known.world.contracts.get(key)
            yield Change(
                kind="sub-processor",
                text=text(
                    "Sub-processing of {operator}: {old} becomes {new}.", _sub_processing(old, new),
                    operator=operator, old=old, new=new,
                ),
                days=contract.objection_days if contract else WITHIN_DAYS,
            )  # fmt: skip


def _sub_processing(old: Text, new: Text) -> str:
    """The French template."""
    if old is NONE:
        return "Nouveau sous-traitant de {operator} : {new}."
    if new is NONE:
        return "{operator} n'a plus ce sous-traitant : {old}."
    return "La sous-traitance de {operator} change. Jusqu'ici : {old}. Désormais : {new}."
