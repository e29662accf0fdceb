"""Hosts over HTTP as microversions until 2.42 have them, for operators.

Source: the compute API's reference, "Hosts".
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from andromede import clock
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, NotFound
from andromede.http.operation import Operation
from andromede.services.compute.claims import store as claims
from andromede.services.compute.hosts import placing, store
from andromede.services.compute.hosts.store import Host
from andromede.services.compute.servers import store as servers

LAST = (2, 42)
MIB, GIB = 1 << 20, 1 << 30


class NotImplementedHere(ApiError):
    status = 501


class Changes(Struct, forbid_unknown_fields=True):
    status: str | UnsetType = UNSET
    maintenance_mode: str | UnsetType = UNSET


def list_hosts(context: Context) -> dict[str, Any]:
    wanted, zones = context.first("zone"), placing.zones(context.conn)
    return {
        "hosts": [
            {"host_name": each.name, "service": "compute", "zone": zones[each.name]}
            for each in store.every(context.conn)
            if not wanted or wanted == zones[each.name]
        ]
    }


def _find(context: Context) -> Host:
    for each in store.every(context.conn):
        if each.name == context.params["name"]:
            context.concerns(each.id)
            return each
    raise NotFound(f"Compute host {context.params['name']} could not be found.")


def _resource(host: Host, project: str, vcpus: int, memory: int, disk: int) -> dict[str, Any]:
    """Vcpus, MiB of memory and GiB of disk on a host, and whose they are."""
    told = {"host": host.name, "project": project}
    return {"resource": {**told, "cpu": vcpus, "memory_mb": memory, "disk_gb": disk}}


def show(context: Context) -> dict[str, Any]:
    host = _find(context)
    _, *used = servers.claims(context.conn, host.name)
    of_projects: dict[str, list[int]] = {}
    for each in claims.on(context.conn, host.name):
        amounts = of_projects.setdefault(each.project_id, [0, 0, 0])
        for at, amount in enumerate((each.vcpus, each.memory, each.disk)):
            amounts[at] += amount
    return {
        "host": [
            _resource(host, "(total)", host.vcpus, host.memory // MIB, host.disk // GIB),
            _resource(host, "(used_now)", *used),
            _resource(host, "(used_max)", *used),
            *(_resource(host, project, *sums) for project, sums in sorted(of_projects.items())),
        ]
    }


def update(context: Context) -> dict[str, Any]:
    """Have a host take servers, or no more of them.

    Errors: BadRequest; NotFound; a 501 for the mode of maintenance, which would move its servers.
    """
    body: Changes = context.body
    status = _switch(body.status, "status")
    mode = _switch(body.maintenance_mode, "maintenance_mode")
    if status is None and mode is None:
        raise BadRequest("Invalid input: status is accepted, enable or disable.")
    host = _find(context)
    if mode is not None or status is None:
        raise NotImplementedHere(
            f"Host {host.name}: its servers stay where they are, so it has no mode of maintenance."
        )
    at = None if status else clock.now()
    store.change(context.conn, host.name, disabled_at=at, disabled_reason=None)
    return {"host": host.name, "status": "enabled" if status else "disabled"}


def _switch(word: str | UnsetType, name: str) -> bool | None:
    known = {"enable": True, "disable": False}
    if word is UNSET:
        return None
    if word.lower().strip() not in known:
        raise BadRequest(f"Invalid {name}: '{word}'. enable and disable are accepted.")
    return known[word.lower().strip()]


def power(context: Context) -> None:
    """Errors: NotFound; a 501, for no engine powers the machine that it runs on."""
    host = _find(context)
    raise NotImplementedHere(f"Host {host.name}: hosts are not started and stopped from here.")


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v2.1/os-hosts{path}", handler=handler,
        action=f"compute:host:{verb}", allow=ADMIN, until=LAST, **more,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_hosts, "list"),
    _row("GET", "/{name}", show, "show"),
    _row("PUT", "/{name}", update, "update", body=Changes),
    *(_row("GET", f"/{{name}}/{act}", power, act) for act in ("startup", "shutdown", "reboot")),
]
