"""Ports as servers hold them: made, bound, released; groups added and removed. For `api` alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import handling
from andromede.services.network.common import store as common
from andromede.services.network.common.errors import forbidden, in_use, missing
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.schema import ZONE
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.ports import change, plug, store
from andromede.services.network.ports.schema import COMPUTE
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import touch
from andromede.services.network.subnets import store as subnets

GATHER = 0.5  # seconds in which a server that is being built need not be known as a member


class Port(Struct, frozen=True, kw_only=True):
    """A port as compute knows it; `of_server` says that it goes with its server."""

    id: str
    network_id: str
    project_id: str
    name: str
    mac: str
    addresses: tuple[Held, ...]
    server_id: str
    status: str
    of_server: bool


class Holder(Struct, frozen=True, kw_only=True):
    """The server that is to hold a port: its host and site, the user its machine runs as, its name
    in DNS."""

    server_id: str
    host: str
    site: str | None = None  # None: the cloud's own
    owner_uid: int | None = None
    hostname: str = ""


def as_port(row: Row, held: Sequence[Held]) -> Port:
    return Port(
        id=row["id"],
        network_id=row["network_id"],
        project_id=row["project_id"],
        name=row["name"],
        mac=row["mac_address"],
        addresses=tuple(held),
        server_id=row["device_id"],
        status=row["status"],
        of_server=row["of_server"],
    )


def _columns(holder: Holder, position: int) -> Row:
    return {
        "device_id": holder.server_id,
        "device_owner": f"{COMPUTE}{ZONE}",
        "host_id": holder.host,
        "site": holder.site,
        "owner_uid": holder.owner_uid,
        "position": position,
        "on_host": True,
    }


def create(
    connection: Connection,
    context: Context,
    network_id: str,
    holder: Holder,
    *,
    security_groups: Sequence[str] | None,
    fixed_ip: str | None,
    position: int,
) -> Port:
    """A new port of the caller's project, bound at once."""
    network = networks.by_id(connection, network_id)
    project_id = context.project_id
    if network is None:
        raise missing("network", network_id)
    own = context.caller.admin or network["project_id"] == project_id
    if not own and common.find(connection, NETWORKS, context.caller, network_id) is None:
        raise missing("network", network_id)
    if not (own or networks.is_shared(connection, network, project_id)):
        raise forbidden(
            f"It is not allowed to create an interface on external network {network_id}"
        )
    handling.require_way(context, network)
    quota.require(connection, project_id, "port")
    secured = network["port_security_enabled"]
    group_ids = resolve_groups(connection, project_id, security_groups) if secured else []
    row, held = plug.plug(
        connection,
        network_id,
        project_id=project_id,
        wanted=[{"ip_address": fixed_ip}] if fixed_ip else None,
        group_ids=group_ids,
        **_columns(holder, position),
        dns_name=holder.hostname,
        port_security_enabled=secured,
        of_server=True,
    )
    _reach(connection, row, group_ids, context.request_id)
    return as_port(row, held)


def bind(
    connection: Connection,
    context: Context,
    port_ids: Sequence[str],
    holder: Holder,
    first: int,
) -> list[Port]:
    """Give ports that exist to a server."""
    rows = store.by_ids(connection, port_ids)
    members = groups.of_ports(connection, port_ids)
    bound: list[Row] = []
    for position, port_id in enumerate(port_ids, first):
        row = rows.get(port_id)
        if row is None or not (context.caller.admin or row["project_id"] == context.project_id):
            raise missing("port", port_id)
        handling.require_way(context, row)
        if row["device_id"] and row["device_id"] != holder.server_id:
            raise in_use(
                "PortInUse",
                f"Port {port_id} is still in use: device {row['device_id']} holds it.",
            )
        columns = _columns(holder, position)
        columns["dns_name"] = row["dns_name"] or holder.hostname
        store.update(connection, port_id, columns)
        bound.append({**row, **columns})
        _reach(connection, bound[-1], members[port_id], context.request_id)
    held = addresses.of_ports(connection, port_ids)
    return [as_port(row, held[row["id"]]) for row in bound]


def _reach(connection: Connection, row: Row, group_ids: Sequence[str], request_id: str) -> None:
    """Networks whose rules name the port's groups learn of its addresses, those of many servers
    at once; its own network's filters are applied by the server's own boot."""
    plug.touch_groups(connection, group_ids, row["project_id"], request_id, within=GATHER)


def release(connection: Connection, server_id: str, request_id: str) -> None:
    """A server is gone: ports made with it go too, others are free for another server."""
    for row in store.of_servers(connection, [server_id]):
        let_go(connection, row, request_id)


def let_go(connection: Connection, row: Row, request_id: str) -> None:
    """Delete a port that was made with its server, or free it."""
    if row["of_server"]:
        remove(connection, row, request_id)
    else:
        unbind(connection, row, request_id)


def remove(connection: Connection, row: Row, request_id: str) -> None:
    """Delete a server's port, with the floating IPs that stand for it parted."""
    touch.part_port(connection, row["id"], request_id)
    plug.unplug(connection, row, request_id)


def unbind(connection: Connection, row: Row, request_id: str) -> None:
    """Take a port from its server; its addresses, groups and floating IPs stay."""
    plug.touch_filters(connection, row, request_id)
    columns = {
        "device_id": "",
        "device_owner": "",
        "host_id": "",
        "site": None,
        "dns_name": "",
        "position": 0,
        "status": "DOWN",
    }
    store.update(connection, row["id"], columns)
    intents.converge(connection, intents.PORT, row["id"], row["project_id"], request_id)


def resolve_groups(
    connection: Connection, project_id: str, words: Sequence[str] | None
) -> list[str]:
    """The groups named, by id or name; the default one when none is.

    Errors: BadRequest for an unknown one; Conflict for a name that several have.
    """
    if not words or list(words) == ["default"]:
        return [groups.ensure_default(connection, project_id)]
    found = groups.resolve(connection, project_id, words)
    chosen: list[str] = []
    for word in words:
        if word == "default" and not found[word]:
            found[word] = [groups.ensure_default(connection, project_id)]
        if not found[word]:
            raise BadRequest(
                f"Security group {word} not found for project {project_id}.",
                type="SecurityGroupNotFound",
            )
        if len(found[word]) > 1:
            raise Conflict(
                f"Multiple security groups found matching '{word}'. Use an ID to be more specific."
            )
        chosen.append(found[word][0])
    return sorted(set(chosen))


def regroup(
    connection: Connection, context: Context, server_id: str, word: str, *, join: bool
) -> None:
    """Add a group to every secured port of a server, or take it away."""
    group_id = resolve_groups(connection, context.project_id, [word])[0]
    rows = store.of_servers(connection, [server_id])
    members = groups.of_ports(connection, (row["id"] for row in rows))
    changed = False
    for row in rows:
        named = set(members[row["id"]])
        wanted = named | {group_id} if join else named - {group_id}
        if wanted == named or not row["port_security_enabled"]:
            continue
        plug.touch_filters(connection, row, context.request_id)
        groups.leave(connection, row["id"])
        groups.join(connection, row["id"], wanted)
        plug.touch_filters(connection, row, context.request_id)
        store.update(connection, row["id"], {})
        changed = True
    if not changed and not join:
        raise BadRequest(f"Security group {word} is not associated with server {server_id}")


def add_address(context: Context, server_id: str, network_id: str) -> bool:
    """Give a server's port on a network another address there; False when it has no such port.

    Errors: Conflict when the network has none left.
    """
    blocks = subnets.of_network(context.conn, network_id)
    for row in store.of_servers(context.conn, [server_id]):
        if row["network_id"] == network_id and blocks:
            _readdress(context, row, [*_held(context, row), {"subnet_id": blocks[0]["id"]}])
            return True
    return False


def remove_address(context: Context, server_id: str, ip: str) -> bool:
    """Take an address from whichever port of a server has it; False when none has."""
    for row in store.of_servers(context.conn, [server_id]):
        held = _held(context, row)
        left = [each for each in held if each["ip_address"] != ip]
        if len(left) < len(held):
            _readdress(context, row, left)
            return True
    return False


def _held(context: Context, row: Row) -> list[dict[str, str]]:
    held = addresses.of_ports(context.conn, [row["id"]])[row["id"]]
    return [{"subnet_id": each.subnet_id, "ip_address": each.ip} for each in held]


def _readdress(context: Context, row: Row, wanted: list[dict[str, str]]) -> None:
    network = networks.by_id(context.conn, row["network_id"])
    assert network is not None
    change.apply(context, row, network, {"fixed_ips": wanted})
