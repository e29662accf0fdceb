"""Compute services over HTTP, for operators: one runs on each host. Who disables one has its host
take no more servers; who forces one down tells what its silence has not told yet.

Source: the compute API's reference, "Compute services".
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede import clock
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.compute import values
from andromede.services.compute.hosts import placing, store
from andromede.services.compute.hosts.moments import spoken
from andromede.services.compute.hosts.store import Host
from andromede.services.compute.servers import store as servers
from andromede.services.compute.versions import Conversion

BINARY = "nova-compute"  # what clients know the worker of a host by
LAST_NUMBERS = (2, 52)


Reason = Annotated[str, Meta(min_length=1, max_length=255)]


class Switch(Struct, forbid_unknown_fields=True):
    """Which service an older request means."""

    host: str
    binary: str
    disabled_reason: Reason | UnsetType = UNSET
    forced_down: bool | str | UnsetType = UNSET


class Changes(Struct, forbid_unknown_fields=True):
    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    disabled_reason: Reason | UnsetType = UNSET
    forced_down: bool | str | UnsetType = UNSET


def _view(each: Host, zone: str, *, numbers: bool) -> dict[str, Any]:
    return {
        "id": each.number if numbers else each.service_id,
        "binary": BINARY,
        "host": each.name,
        "zone": zone,
        "status": each.status,
        "state": each.state,
        "updated_at": spoken(each.seen_at),
        "disabled_reason": each.disabled_reason,
        "forced_down": each.forced_down_at is not None,
    }


def list_services(context: Context, *, numbers: bool) -> dict[str, Any]:
    values.known_query(context, ("host", "binary"))
    host, binary = context.first("host"), context.first("binary")
    hosts = [] if binary and binary != BINARY else store.every(context.conn)
    zones = placing.zones(context.conn)
    return {
        "services": [
            _view(each, zones[each.name], numbers=numbers)
            for each in hosts
            if not host or host == each.name
        ]
    }


def _reason(text: str) -> str:
    return values.printable(text, "disabled_reason", trim=True)


def _meant(context: Context) -> tuple[Host, Switch]:
    """Errors: NotFound when no such service runs on such a host; BadRequest."""
    asked: Switch = context.body
    if asked.forced_down is not UNSET:
        values.boolean(asked.forced_down, "forced_down")
    for each in store.every(context.conn):
        if (each.name, BINARY) == (asked.host, asked.binary):
            context.concerns(each.service_id)
            return each, asked
    raise NotFound(f"Could not find binary {asked.binary} on host {asked.host}.")


def enable(context: Context) -> dict[str, Any]:
    host, _ = _meant(context)
    store.change(context.conn, host.name, disabled_at=None, disabled_reason=None)
    return {"service": {"host": host.name, "binary": BINARY, "status": "enabled"}}


def disable(context: Context, *, reason: bool = False) -> dict[str, Any]:
    """Errors: BadRequest for a reason that is missing or too long."""
    host, asked = _meant(context)
    shown: dict[str, Any] = {"host": host.name, "binary": BINARY, "status": "disabled"}
    if reason:
        if asked.disabled_reason is UNSET:
            raise BadRequest("Missing disabled reason field")
        shown["disabled_reason"] = _reason(asked.disabled_reason)
    store.change(
        context.conn, host.name, disabled_at=clock.now(),
        disabled_reason=shown.get("disabled_reason"),
    )  # fmt: skip
    return {"service": shown}


def force_down(context: Context) -> dict[str, Any]:
    """Errors: BadRequest when forced_down is missing."""
    host, asked = _meant(context)
    if asked.forced_down is UNSET:
        raise BadRequest("Missing forced_down field")
    down = values.boolean(asked.forced_down, "forced_down")
    store.change(context.conn, host.name, forced_down_at=clock.now() if down else None)
    return {"service": {"host": host.name, "binary": BINARY, "forced_down": down}}


def _find(context: Context, *, numbers: bool) -> Host:
    """Errors: BadRequest for what is no id; NotFound."""
    wanted = context.params["id"]
    if numbers:
        wanted = str(values.whole(wanted, "id", 0))
    else:
        try:
            UUID(wanted)
        except ValueError as error:
            raise BadRequest(f"Invalid uuid {wanted}") from error
    for each in store.every(context.conn):
        if wanted == (str(each.number) if numbers else each.service_id):
            context.concerns(each.service_id)
            return each
    raise NotFound(f"Service {wanted} could not be found.")


def update(context: Context) -> dict[str, Any]:
    """Errors: BadRequest; NotFound."""
    asked: Changes = context.body
    changes: dict[str, Any] = {}
    if asked.status is not UNSET:
        disabled = asked.status == "disabled"
        changes = {"disabled_at": clock.now() if disabled else None, "disabled_reason": None}
    if asked.disabled_reason is not UNSET:
        if asked.status != "disabled":
            raise BadRequest("Specifying disabled_reason requires that status is disabled.")
        changes["disabled_reason"] = _reason(asked.disabled_reason)
    if asked.forced_down is not UNSET:
        down = values.boolean(asked.forced_down, "forced_down")
        changes["forced_down_at"] = clock.now() if down else None
    if not changes:
        raise BadRequest("No updates were requested. status and forced_down are accepted.")
    host = _find(context, numbers=False)
    store.change(context.conn, host.name, **changes)
    [changed] = [each for each in store.every(context.conn) if each.number == host.number]
    zone = placing.zones(context.conn)[host.name]
    return {"service": _view(changed, zone, numbers=False)}


def remove(context: Context, *, numbers: bool) -> Reply:
    """Forget the host of a service; a worker that lives notes it again.

    Errors: Conflict while it is up, or servers are there.
    """
    host = _find(context, numbers=numbers)
    if host.up or servers.claims(context.conn, host.name)[0]:
        raise Conflict(
            f"Unable to delete compute service of host {host.name}: it is up, or has servers."
        )
    store.forget(context.conn, host.name)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v2.1/os-services{path}", handler=handler,
        action=f"compute:service:{verb}", allow=ADMIN, **more,
    )  # fmt: skip


def _switch(path: str, handler: Any, **more: Any) -> Operation:
    return _row("PUT", path, handler, path[1:], body=Switch, until=LAST_NUMBERS, **more)


OPERATIONS = [
    _row("GET", "", partial(list_services, numbers=True), "list", until=LAST_NUMBERS),
    _row("GET", "", partial(list_services, numbers=False), "list", since=(2, 53)),
    _switch("/enable", enable),
    _switch("/disable", disable),
    _switch("/disable-log-reason", partial(disable, reason=True)),
    _switch("/force-down", force_down, since=(2, 11)),
    _row("PUT", "/{id}", update, "update", body=Changes, since=(2, 53)),
    _row("DELETE", "/{id}", partial(remove, numbers=True), "delete", until=LAST_NUMBERS),
    _row("DELETE", "/{id}", partial(remove, numbers=False), "delete", since=(2, 53)),
]


def _not_forced(body: Any) -> Any:
    for service in body["services"]:
        service.pop("forced_down")
    return body


CONVERSIONS = [
    Conversion(since=(2, 11), actions=frozenset({"compute:service:list"}), lower=_not_forced)
]
