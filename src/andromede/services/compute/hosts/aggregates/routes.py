"""Aggregates over HTTP, for operators.

Source: the compute API's reference, "Host aggregates".
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Operation
from andromede.services.compute import values
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.hosts.aggregates import store
from andromede.services.compute.hosts.aggregates.store import Aggregate
from andromede.services.compute.hosts.moments import spoken
from andromede.services.compute.hosts.placing import require_rezoning
from andromede.services.compute.versions import Conversion

ZONE = "availability_zone"


class New(Struct, forbid_unknown_fields=True):
    name: str
    availability_zone: str | None = None


class NewBody(Struct, forbid_unknown_fields=True):
    aggregate: New


class Changes(Struct, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    availability_zone: str | UnsetType | None = UNSET


class ChangesBody(Struct, forbid_unknown_fields=True):
    aggregate: Changes


class OfHost(Struct, forbid_unknown_fields=True):
    host: str


class AddBody(Struct, forbid_unknown_fields=True):
    add_host: OfHost


class RemoveBody(Struct, forbid_unknown_fields=True):
    remove_host: OfHost


class Metadata(Struct, forbid_unknown_fields=True):
    metadata: dict[str, str | None]


class MetadataBody(Struct, forbid_unknown_fields=True):
    set_metadata: Metadata


def _view(found: Aggregate) -> dict[str, Any]:
    zone = {} if found.zone is None else {ZONE: found.zone}
    return {
        "id": found.number,
        "uuid": found.id,
        "name": found.name,
        "availability_zone": found.zone,
        "hosts": found.hosts,
        "metadata": {**found.properties, **zone},
        "created_at": spoken(found.created_at),
        "updated_at": None if found.updated_at is None else spoken(found.updated_at),
        "deleted": False,
        "deleted_at": None,
    }


def _find(context: Context) -> Aggregate:
    """Errors: BadRequest for an id that is no number; NotFound."""
    wanted = values.whole(context.params["id"], "id", -values.LARGEST)
    for each in store.every(context.conn):
        if each.number == wanted:
            context.concerns(each.id)
            return each
    raise NotFound(f"Aggregate {wanted} could not be found.")


def _shown(context: Context, name: str) -> dict[str, Any]:
    [found] = [each for each in store.every(context.conn) if each.name == name]
    context.concerns(found.id)
    return {"aggregate": _view(found)}


def _zone(name: str | None) -> str | None:
    if name is None:
        return None
    if ":" in name:
        raise BadRequest(f"Invalid input for field/attribute {ZONE}. Value: {name}. No ':' in it.")
    return values.printable(name, ZONE)


def _require_unused(context: Context, name: str) -> None:
    if any(each.name == name for each in store.every(context.conn)):
        raise Conflict(f"Aggregate {name} already exists.")


def list_aggregates(context: Context) -> dict[str, Any]:
    return {"aggregates": [_view(each) for each in store.every(context.conn)]}


def show(context: Context) -> dict[str, Any]:
    return {"aggregate": _view(_find(context))}


def create(context: Context) -> dict[str, Any]:
    """Errors: BadRequest; Conflict for a used name."""
    body: NewBody = context.body
    name = values.printable(body.aggregate.name, "name")
    zone = _zone(body.aggregate.availability_zone)
    _require_unused(context, name)
    store.add(context.conn, name, zone)
    made = _shown(context, name)
    del made["aggregate"]["hosts"], made["aggregate"]["metadata"]
    return made


def update(context: Context) -> dict[str, Any]:
    """Errors: BadRequest, also for a zone that servers stand against; Conflict for a used name."""
    found, body = _find(context), context.body
    asked: Changes = body.aggregate
    changes: dict[str, Any] = {}
    if asked.name is not UNSET:
        changes["name"] = values.printable(asked.name, "name")
        if changes["name"] != found.name:
            _require_unused(context, changes["name"])
    if asked.availability_zone is not UNSET:
        changes["zone"] = _zone(asked.availability_zone)
        require_rezoning(context.conn, found, found.hosts, changes["zone"])
    if not changes:
        raise BadRequest("Invalid input for aggregate: name or availability_zone is accepted.")
    store.change(context.conn, found.number, **changes)
    return _shown(context, changes.get("name", found.name))


def remove(context: Context) -> None:
    """Errors: BadRequest while hosts are in it."""
    found = _find(context)
    if found.hosts:
        raise BadRequest(f"Cannot remove aggregate {found.number}: hosts are in it.")
    store.remove(context.conn, found.number)


def add_host(context: Context) -> dict[str, Any]:
    """Errors: NotFound for the host; Conflict when it is there, or cannot be in the zone."""
    body: AddBody = context.body
    found, host = _find(context), body.add_host.host
    if host not in hosts.places(context.conn):
        raise NotFound(f"Compute host {host} could not be found.")
    if host in found.hosts:
        raise Conflict(f"Aggregate {found.number} already has host {host}.")
    try:
        if found.zone is not None:
            require_rezoning(context.conn, found, [host], found.zone)
    except BadRequest as error:
        raise Conflict(error.message) from error
    store.join(context.conn, found.number, host)
    return _shown(context, found.name)


def remove_host(context: Context) -> dict[str, Any]:
    """Errors: NotFound for the host; Conflict while servers stand on it in the zone."""
    body: RemoveBody = context.body
    found, host = _find(context), body.remove_host.host
    if host not in found.hosts:
        raise NotFound(f"Cannot remove host {host} in aggregate {found.number}: not found.")
    try:
        if found.zone is not None:
            require_rezoning(context.conn, found, [host], None)
    except BadRequest as error:
        raise Conflict(error.message) from error
    store.leave(context.conn, found.number, host)
    return _shown(context, found.name)


def set_metadata(context: Context) -> dict[str, Any]:
    """Set keys, and take away those that are null.

    Errors: BadRequest, also for a zone that servers stand against.
    """
    body: MetadataBody = context.body
    found, asked = _find(context), dict(body.set_metadata.metadata)
    changes: dict[str, Any] = {}
    if ZONE in asked:
        changes["zone"] = _zone(asked.pop(ZONE))
        require_rezoning(context.conn, found, found.hosts, changes["zone"])
    there = {name: value for name, value in found.properties.items() if name not in asked}
    given = {name: value for name, value in asked.items() if value is not None}
    changes["properties"] = there | values.pairs(given, "metadata")
    store.change(context.conn, found.number, **changes)
    return _shown(context, found.name)


def _row(method: str, path: str, handler: Any, verb: str, body: Any = None, **more: Any) -> Any:
    return Operation(
        method=method, path=f"/v2.1/os-aggregates{path}", handler=handler,
        action=f"compute:aggregate:{verb}", allow=ADMIN, body=body, **more,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_aggregates, "list"),
    _row("POST", "", create, "create", NewBody),
    _row("GET", "/{id}", show, "show"),
    _row("PUT", "/{id}", update, "update", ChangesBody),
    _row("DELETE", "/{id}", remove, "delete"),
    _row("POST", "/{id}/action", add_host, "add-host", AddBody, key="add_host"),
    _row("POST", "/{id}/action", remove_host, "remove-host", RemoveBody, key="remove_host"),
    _row("POST", "/{id}/action", set_metadata, "set-metadata", MetadataBody, key="set_metadata"),
]


def _no_uuid(body: Any) -> Any:
    for each in body.get("aggregates", [body.get("aggregate")]):
        del each["uuid"]
    return body


CONVERSIONS = [
    Conversion(
        since=(2, 41),
        actions=frozenset(row.action for row in OPERATIONS if row.action.split(":")[2] != "delete"),
        lower=_no_uuid,
    )
]
