"""Handlers of what is declared: sites, entities, contracts, holdings, and the whole world at once.

Each mutation is checked against all that is declared, and is a leaf that everyone may read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from andromede import ids
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Conflict, NotFound
from andromede.http.operation import Reply
from andromede.http.paging import next_link, read_page
from andromede.services.sovereignty import placed
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.world import store
from andromede.sovereignty.world.change import change, declare, differences
from andromede.sovereignty.world.check import FaultyWorld
from andromede.sovereignty.world.document import of_world
from andromede.sovereignty.world.model import World

MOST = 1000
SINGULAR = {
    "sites": "site",
    "entities": "entity",
    "contracts": "contract",
    "holdings": "holding",
}


def listing(noun: str) -> Callable[[Context], object]:
    """The handler that pages a noun by name or id."""

    def handler(context: Context) -> object:
        page = read_page(context.query)
        size = page.size(MOST)
        rows = store.page(context.conn, noun, page.marker, size + 1)
        body: dict[str, Any] = {noun: rows[:size]}
        if size and len(rows) > size:
            last = getattr(rows[size - 1], _key(noun))
            href = next_link(context.url(f"/v1/{noun}"), context.query, last)
            body[f"{noun}_links"] = [{"rel": "next", "href": href}]
        return body

    return handler


def showing(noun: str) -> Callable[[Context], object]:
    """The handler that shows one by its name or id. Errors: NotFound."""

    def handler(context: Context) -> object:
        key = context.params["id"]
        found = store.find(context.conn, noun, key)
        if found is None:
            raise _unknown(noun, key)
        return {SINGULAR[noun]: found}

    return handler


def putting(noun: str) -> Callable[[Context], Reply]:
    """The handler that declares one, or replaces its declaration.

    Errors: BadRequest, Conflict.
    """

    def handler(context: Context) -> Reply:
        key = context.params["id"]
        given = getattr(context.body, SINGULAR[noun])
        told = getattr(given, _key(noun))
        if told not in ("", key):
            raise BadRequest(f"The body names {SINGULAR[noun]} {told}, the path {key}.")
        declared = _named(given, _key(noun), key)
        before, after = _put(context, noun, key, declared)
        return Reply(201 if before is None else 200, {SINGULAR[noun]: after})

    return handler


def deleting(noun: str) -> Callable[[Context], Reply]:
    """The handler that takes a declaration back.

    Errors: NotFound; Conflict when it is needed, or of a site that is in use.
    """

    def handler(context: Context) -> Reply:
        key = context.params["id"]

        def edit(world: World) -> World:
            parts = dict(getattr(world, noun))
            if key not in parts:
                raise _unknown(noun, key)
            del parts[key]
            return msgspec.structs.replace(world, **{noun: parts})

        try:
            before, after = change(context.conn, edit, context.cloud.config.place)
        except FaultyWorld as error:
            raise Conflict(
                f"{SINGULAR[noun].capitalize()} {key} cannot be deleted while it is needed: {error}"
            ) from error
        _require_unused(context, before, after)
        context.concerns(key, EVERYONE)
        context.notes = {"before": msgspec.to_builtins(getattr(before, noun)[key])}
        return Reply(204)

    return handler


def add_holding(context: Context) -> object:
    """Errors: BadRequest, Conflict."""
    given = context.body.holding
    if given.id:
        raise BadRequest("A new holding is given its id; leave it out of the body.")
    declared = msgspec.structs.replace(given, id=ids.new())
    _put(context, "holdings", declared.id, declared)
    return {"holding": declared}


def end_holding(context: Context) -> object:
    """Errors: NotFound, BadRequest, Conflict."""
    key = context.params["id"]
    found = store.find(context.conn, "holdings", key)
    if found is None:
        raise _unknown("holdings", key)
    declared = msgspec.structs.replace(found, until=context.body.holding.until)
    _put(context, "holdings", key, declared)
    return {"holding": declared}


def show_world(context: Context) -> object:
    return {"world": of_world(store.load(context.conn))}


def replace_world(context: Context) -> object:
    """Errors: BadRequest with everything that does not hold; Conflict for a site left out that is in
    use."""
    try:
        before, after = declare(context.conn, context.body.world, context.cloud.config.place)
    except FaultyWorld as error:
        raise BadRequest(f"The world was not replaced: {error}.") from error
    _require_unused(context, before, after)
    context.concerns("world", EVERYONE)
    context.notes = dict(differences(before, after))
    return {"world": of_world(after)}


def _require_unused(context: Context, before: World, after: World) -> None:
    """Errors: Conflict when a site that is not declared any more is in use."""
    try:
        placed.require_unused(context.conn, context.cloud.config.place, before, after)
    except FaultyWorld as error:
        raise Conflict(f"What is declared was not changed: {error}.") from error


def _put(context: Context, noun: str, key: str, declared: Any) -> tuple[Any | None, Any]:
    """Keep one declaration; the one it replaces, and as it was kept."""

    def edit(world: World) -> World:
        parts = dict(getattr(world, noun)) | {key: declared}
        return msgspec.structs.replace(world, **{noun: parts})

    try:
        before, after = change(context.conn, edit, context.cloud.config.place)
    except FaultyWorld as error:
        raise _refusal(noun, key, error) from error
    old, kept = getattr(before, noun).get(key), getattr(after, noun)[key]
    context.concerns(key, EVERYONE)
    context.notes = {"after": msgspec.to_builtins(kept)}
    if old is not None:
        context.notes["before"] = msgspec.to_builtins(old)
    return old, kept


def _refusal(noun: str, key: str, error: FaultyWorld) -> ApiError:
    kind = Conflict if error.conflict else BadRequest
    return kind(f"{SINGULAR[noun].capitalize()} {key} was not declared: {error}.")


def _named(given: Any, name: str, key: str) -> Any:
    """The declaration with its key of the path, checked as in a body.

    Errors: BadRequest.
    """
    try:
        plain = msgspec.to_builtins(given) | {name: key}
        return msgspec.convert(plain, type(given))
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid input: {error}") from error


def _key(noun: str) -> str:
    return "name" if noun == "sites" else "id"


def _unknown(noun: str, key: str) -> NotFound:
    return NotFound(f"{SINGULAR[noun].capitalize()} {key} could not be found.")
