"""Changing the declared world: each change is checked as a whole and kept whole, or not at all.
Works in the transaction it is given; the only one who writes by the world's store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from andromede.config import Place
from andromede.db import Connection
from andromede.sovereignty.world import store
from andromede.sovereignty.world.check import Fault, FaultyWorld, check
from andromede.sovereignty.world.document import Document, to_world
from andromede.sovereignty.world.facts import today
from andromede.sovereignty.world.model import UNDECLARED, Entity, Former, Site, World


def change(
    connection: Connection, edit: Callable[[World], World], place: Place
) -> tuple[World, World]:
    """Replace the world by what `edit` makes of it; the one before and the one after.

    Errors: FaultyWorld, and whatever `edit` raises; nothing is changed then.
    """
    before = store.load(connection)
    after = _succeeded(before, edit(before), today())
    check(after, today())
    if place.site not in after.sites:
        text = f"site {place.site} is where this host stands; it stays declared"
        raise FaultyWorld([Fault(text=text, conflict=True)])
    store.save(connection, before, after)
    return before, after


def _succeeded(before: World, after: World, day: date) -> World:
    """Keep who ran a site until today where another is declared now, unless the change itself
    says who ran it before. A change that says nothing of the past leaves it as it was."""
    sites = dict(after.sites)
    for name, site in after.sites.items():
        old = before.sites.get(name)
        if old is None or site.former not in ((), old.former):
            continue
        past = old.former
        if old.operator != site.operator and (not past or past[-1].until < day):
            past = (*past, Former(operator=old.operator, until=day))
        sites[name] = msgspec.structs.replace(site, former=past)
    return msgspec.structs.replace(after, sites=sites)


def declare(connection: Connection, document: Document, place: Place) -> tuple[World, World]:
    """Replace the whole world by a document's.

    Errors: FaultyWorld.
    """
    return change(connection, lambda before: to_world(document, before), place)


def seed(connection: Connection, place: Place) -> None:
    """Declare where this host stands, as its settings say, in a cloud that declares no site yet."""
    if store.page(connection, "sites", None, 1):
        return

    def edit(before: World) -> World:
        operator, entities = _operator(place.operator, before)
        site = Site(
            name=place.site,
            region=place.region,
            country=place.country,
            operator=operator,
            hosts=(place.host,) if place.host else (),
        )
        return msgspec.structs.replace(before, sites={site.name: site}, entities=entities)

    change(connection, edit, place)


def _operator(name: str, before: World) -> tuple[str, dict[str, Any]]:
    """The id of the operator that the settings name, and the entities with it among them."""
    entities = dict(before.entities)
    if name == UNDECLARED:
        return UNDECLARED, entities
    key = slug(name)
    if key not in entities:
        entities[key] = Entity(id=key, name=name)
    return key, entities


def slug(name: str) -> str:
    """An entity's id made of its name: `Société Générale` gives `societe-generale`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-") or "operator"


def differences(before: World, after: World) -> dict[str, dict[str, list[str]]]:
    """The names and ids of what was added, changed and removed, by noun."""
    found: dict[str, dict[str, list[str]]] = {}
    for noun in store.NOUNS:
        old, new = getattr(before, noun), getattr(after, noun)
        moves = {
            "added": sorted(set(new) - set(old)),
            "changed": sorted(key for key in new if key in old and new[key] != old[key]),
            "removed": sorted(set(old) - set(new)),
        }
        if any(moves.values()):
            found[noun] = {what: keys for what, keys in moves.items() if keys}
    return found
