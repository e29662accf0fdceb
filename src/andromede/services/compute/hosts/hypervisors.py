"""Hypervisors over HTTP, for operators: what each host is, offers and runs.

Source: the compute API: ids are UUIDs from 2.53 on, capacity left for placement in 2.88.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct

from andromede import clock
from andromede.config import address
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation
from andromede.http.paging import Page, read_page
from andromede.services.compute import links, values
from andromede.services.compute.hosts import store
from andromede.services.compute.hosts.store import Host
from andromede.services.compute.servers import store as servers
from andromede.services.compute.versions import Conversion

MIB, GIB = 1 << 20, 1 << 30
SINCE_EMPTY = (2, 75)  # from here on a host without servers shows an empty list of them


class Shape(Struct, frozen=True, kw_only=True):
    """What a range of versions shows: numbers for ids, and the host's capacity."""

    numbers: bool = False
    capacity: bool = False


OLD = Shape(numbers=True, capacity=True)
MIDDLE = Shape(capacity=True)
NEW = Shape()


def _brief(host: Host, shape: Shape) -> dict[str, Any]:
    return {
        "id": host.number if shape.numbers else host.id,
        "hypervisor_hostname": host.name,
        "state": host.state,
        "status": host.status,
    }


def _view(context: Context, host: Host, shape: Shape) -> dict[str, Any]:
    shown = {
        **_brief(host, shape),
        "hypervisor_type": host.hypervisor,
        "hypervisor_version": host.hypervisor_version,
        "host_ip": address(context.cloud.config.private)[0],
        "service": {
            "id": host.number if shape.numbers else host.service_id,
            "host": host.name,
            "disabled_reason": host.disabled_reason,
        },
    }
    if shape.capacity:
        return {**shown, **_capacity(context, host), "cpu_info": {}}
    return {**shown, "uptime": _uptime(host)}


def _uptime(host: Host) -> str | None:
    """Since when a host is up, as its own `uptime` says it; None while it does not answer."""
    if not host.up or not host.booted_at:
        return None
    minutes = (clock.now() - host.booted_at) // (60 * clock.SECOND)
    hours, days = minutes // 60 % 24, minutes // (60 * 24)
    of_day = datetime.fromtimestamp(clock.now() / clock.SECOND, UTC).strftime("%H:%M:%S")
    return f" {of_day} up {days} days, {hours}:{minutes % 60:02}"


def _capacity(context: Context, host: Host) -> dict[str, int]:
    count, vcpus, memory, disk = servers.claims(context.conn, host.name)
    moving = [task for *_, task in servers.placed(context.conn, host.name) if task]
    return {
        "vcpus": host.vcpus,
        "vcpus_used": vcpus,
        "memory_mb": host.memory // MIB,
        "memory_mb_used": memory,
        "free_ram_mb": host.memory // MIB - memory,
        "local_gb": host.disk // GIB,
        "local_gb_used": disk,
        "free_disk_gb": host.disk // GIB - disk,
        "disk_available_least": host.disk // GIB - disk,
        "current_workload": len(moving),
        "running_vms": count,
    }


def _wanted(context: Context, page: Page) -> list[Host]:
    """The hosts a list asks for.

    Errors: NotFound when none matches a pattern; BadRequest for a marker that is none.
    """
    hosts = store.every(context.conn)
    pattern = context.first("hypervisor_hostname_pattern")
    if pattern is not None:
        if page.limit is not None or page.marker is not None:
            raise BadRequest(
                "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is "
                "not supported."
            )
        found = [host for host in hosts if pattern in host.name]
        if not found:
            raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
        return found
    if page.marker is not None:
        if not any(page.marker in (host.id, str(host.number)) for host in hosts):
            raise BadRequest(f"marker [{page.marker}] not found")
        keys = [page.marker in (host.id, str(host.number)) for host in hosts]
        hosts = hosts[keys.index(True) + 1 :]
    return hosts[: page.size(values.MOST_LISTED)]


def _guests(context: Context, host: Host, shown: dict[str, Any]) -> dict[str, Any]:
    """With the servers on the host, where they were asked for."""
    if not values.boolean(context.first("with_servers") or "false", "with_servers"):
        return shown
    there = _servers(context, host)
    return {**shown, "servers": there} if there or context.version >= SINCE_EMPTY else shown


def _servers(context: Context, host: Host) -> list[dict[str, str]]:
    found = (servers.get(context.conn, row[0]) for row in servers.placed(context.conn, host.name))
    return [{"name": each.instance_name, "uuid": each.id} for each in found if each]


def list_hosts(context: Context, shape: Shape, *, detail: bool) -> dict[str, Any]:
    values.known_query(context, ("limit", "marker", "hypervisor_hostname_pattern", "with_servers"))
    values.once(context, "limit", "marker")
    page = read_page(context.query)
    hosts = _wanted(context, page)
    shown = [_view(context, h, shape) if detail else _brief(h, shape) for h in hosts]
    body: dict[str, Any] = {
        "hypervisors": [_guests(context, h, s) for h, s in zip(hosts, shown, strict=True)]
    }
    path = "os-hypervisors/detail" if detail else "os-hypervisors"
    following = links.next_page(
        context, path, page, values.MOST_LISTED, [str(each["id"]) for each in shown]
    )
    if following and context.first("hypervisor_hostname_pattern") is None:
        body["hypervisors_links"] = following
    return body


def show(context: Context, shape: Shape) -> dict[str, Any]:
    values.known_query(context, ("with_servers",))
    host = _one(context, shape)
    return {"hypervisor": _guests(context, host, _view(context, host, shape))}


def _one(context: Context, shape: Shape) -> Host:
    """The host of the path.

    Errors: BadRequest for what is no id; NotFound.
    """
    wanted = context.params["id"]
    if not shape.numbers:
        _require_uuid(wanted)
    for host in store.every(context.conn):
        if wanted == (str(host.number) if shape.numbers else host.id):
            return host
    raise NotFound(f"Hypervisor with ID '{wanted}' could not be found.")


def uptime(context: Context, shape: Shape) -> dict[str, Any]:
    """Errors: NotFound; BadRequest while the host is down."""
    host = _one(context, shape)
    told = _uptime(host)
    if told is None:
        raise BadRequest(f"Compute service of {host.name} is unavailable at this time.")
    return {"hypervisor": {**_brief(host, shape), "uptime": told}}


def _matching(context: Context) -> list[Host]:
    """Errors: NotFound when no host's name holds the text of the path."""
    pattern = context.params["id"]
    found = [host for host in store.every(context.conn) if pattern in host.name]
    if not found:
        raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return found


def search(context: Context) -> dict[str, Any]:
    return {"hypervisors": [_brief(host, OLD) for host in _matching(context)]}


def servers_on(context: Context) -> dict[str, Any]:
    found = []
    for host in _matching(context):
        there = _servers(context, host)
        found.append({**_brief(host, OLD), **({"servers": there} if there else {})})
    return {"hypervisors": found}


def _require_uuid(text: str) -> None:
    try:
        UUID(text)
    except ValueError as error:
        raise BadRequest(f"Invalid uuid {text}") from error


def statistics(context: Context) -> dict[str, Any]:
    """The sum over all hosts."""
    hosts = store.every(context.conn)
    each = [_capacity(context, host) for host in hosts]
    names = each[0] if each else {}
    return {
        "hypervisor_statistics": {
            "count": len(hosts),
            **{name: sum(one[name] for one in each) for name in names},
        }
    }


def _row(path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method="GET",
        path=f"/v2.1/os-hypervisors{path}",
        handler=handler,
        action=f"compute:hypervisor:{verb}",
        allow=ADMIN,
        **more,
    )


RANGES: list[tuple[Shape, dict[str, Any]]] = [
    (OLD, {"until": (2, 52)}),
    (MIDDLE, {"since": (2, 53), "until": (2, 87)}),
    (NEW, {"since": (2, 88)}),
]
OPERATIONS = [
    operation
    for shape, versions in RANGES
    for operation in (
        _row("", partial(list_hosts, shape=shape, detail=False), "list", **versions),
        _row("/detail", partial(list_hosts, shape=shape, detail=True), "detail", **versions),
        _row("/{id}", partial(show, shape=shape), "show", **versions),
    )
]
OPERATIONS += [
    _row("/statistics", statistics, "statistics", until=(2, 87)),
    _row("/{id}/uptime", partial(uptime, shape=OLD), "uptime", until=(2, 52)),
    _row("/{id}/uptime", partial(uptime, shape=MIDDLE), "uptime", since=(2, 53), until=(2, 87)),
    _row("/{id}/search", search, "search", until=(2, 52)),
    _row("/{id}/servers", servers_on, "servers", until=(2, 52)),
]


def _text_cpu(body: Any) -> Any:
    for shown in body.get("hypervisors", [body.get("hypervisor")]):
        shown["cpu_info"] = ""
    return body


def _no_links(body: Any) -> Any:
    body.pop("hypervisors_links", None)
    return body


CONVERSIONS = [
    Conversion(
        since=(2, 28),
        actions=frozenset({"compute:hypervisor:detail", "compute:hypervisor:show"}),
        lower=_text_cpu,
    ),
    Conversion(
        since=(2, 33),
        actions=frozenset({"compute:hypervisor:list", "compute:hypervisor:detail"}),
        lower=_no_links,
    ),
]
