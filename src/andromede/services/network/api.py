"""What other services may call of the network service. Nothing else of it is theirs to import.

A server's life with its ports: in the transaction that accepts the server, `create_port` or
`bind_ports`; in its boot step, `realise` before the machine starts; when the machine runs,
`ports_active`; once the machine is removed, `release_ports`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from andromede.config import Config
from andromede.db import Connection
from andromede.engine.protocol import NicSpec
from andromede.http.context import Context
from andromede.http.errors import Conflict
from andromede.services.network import external, facts, servers, specs, steps
from andromede.services.network.addresses import store as addresses
from andromede.services.network.attachments import store as attachments
from andromede.services.network.attachments.store import Attachment
from andromede.services.network.audit import audit
from andromede.services.network.audit.store import held_by_servers
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.placements.store import placements
from andromede.services.network.ports import store as ports
from andromede.services.network.reach import reach
from andromede.services.network.rules import store as rules
from andromede.services.network.servers import Holder, Port, add_address, remove_address
from andromede.work import Step

__all__ = [
    "Attachment",
    "Holder",
    "Port",
    "add_address",
    "add_security_group",
    "attachments_of",
    "audit",
    "bind_ports",
    "bootstrap",
    "create_port",
    "default_network",
    "domain_of",
    "held_by_servers",
    "network_data",
    "nic_specs",
    "placements",
    "port_by_address",
    "ports_active",
    "ports_of",
    "ports_of_many",
    "ports_of_servers",
    "reach",
    "realise",
    "release_port",
    "release_ports",
    "remove_address",
    "remove_security_group",
    "security_groups_of",
    "server_addresses",
    "servers_at",
]  # fmt: skip


def create_port(
    connection: Connection,
    context: Context,
    network_id: str,
    holder: Holder,
    *,
    security_groups: Sequence[str] | None = None,
    fixed_ip: str | None = None,
    position: int = 0,
) -> Port:
    """A port made with a server, and gone with it; `position` is its place among the cards.

    `security_groups`: ids or names of the project's; none means its default group.
    Errors: NotFound for a network that the caller does not see; Forbidden for an external one;
    OverQuota; BadRequest or Conflict for an address or group that cannot be had.
    """
    return servers.create(
        connection,
        context,
        network_id,
        holder,
        security_groups=security_groups,
        fixed_ip=fixed_ip,
        position=position,
    )


def bind_ports(
    connection: Connection,
    context: Context,
    port_ids: Sequence[str],
    holder: Holder,
    *,
    first: int = 0,
) -> list[Port]:
    """Give ports that exist to a server, as its cards from position `first` on.

    Errors: NotFound for a port of another project; Conflict (PortInUse) for one that is held.
    """
    return servers.bind(connection, context, port_ids, holder, first)


def release_ports(connection: Connection, server_id: str, request_id: str) -> None:
    """Once the machine is gone: delete the ports made with it, free those bound to it."""
    servers.release(connection, server_id, request_id)


def release_port(connection: Connection, port_id: str, request_id: str) -> None:
    """As `release_ports`, for one card that its server's guest has let go of."""
    row = ports.by_id(connection, port_id)
    if row is not None:
        servers.let_go(connection, row, request_id)


def ports_of(connection: Connection, server_id: str) -> list[Port]:
    """A server's ports in the guest's order."""
    return ports_of_many(connection, [server_id])[server_id]


def ports_of_many(connection: Connection, server_ids: Iterable[str]) -> dict[str, list[Port]]:
    """The ports of some servers, in each guest's order."""
    wanted = list(server_ids)
    rows = ports.of_servers(connection, wanted)
    held = addresses.of_ports(connection, (row["id"] for row in rows))
    found: dict[str, list[Port]] = {key: [] for key in wanted}
    for row in rows:
        found[row["device_id"]].append(servers.as_port(row, held[row["id"]]))
    return found


def nic_specs(connection: Connection, server_id: str) -> tuple[NicSpec, ...]:
    """A server's cards for its machine's document, in the guest's order."""
    rows = ports.of_servers(connection, [server_id])
    nets = networks.by_ids(connection, (row["network_id"] for row in rows))
    return tuple(
        NicSpec(
            port_id=row["id"],
            network_id=row["network_id"],
            mac=row["mac_address"],
            mtu=nets[row["network_id"]]["mtu"],
        )
        for row in rows
    )


def attachments_of(connection: Connection, server_ids: Iterable[str]) -> dict[str, Attachment]:
    """Addresses and group names of some servers, by one statement."""
    return attachments.of_servers(connection, server_ids)


def server_addresses(
    connection: Connection, server_ids: Iterable[str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """For each server its `addresses`, floating ones included, as compute answers them."""
    found = attachments.of_servers(connection, server_ids)
    return {key: each.addresses for key, each in found.items()}


def servers_at(connection: Connection, project_id: str | None, part: str, version: int) -> set[str]:
    """The servers with a fixed address of that IP version that has `part` in it."""
    return attachments.holders(connection, project_id, part, version)


def security_groups_of(connection: Connection, server_id: str) -> list[dict[str, Any]]:
    """The groups of a server's ports, each with its `rules`, as this service's own API shows them."""
    rows = ports.of_servers(connection, [server_id])
    named = groups.of_ports(connection, (row["id"] for row in rows))
    group_ids = sorted({group_id for each in named.values() for group_id in each})
    held = groups.by_ids(connection, group_ids)
    ruled = rules.of_groups(connection, group_ids)
    return [
        {
            "id": group_id,
            "name": held[group_id]["name"],
            "description": held[group_id]["description"],
            "project_id": held[group_id]["project_id"],
            "rules": [rules.view(rule) for rule in ruled[group_id]],
        }
        for group_id in group_ids
    ]


def realise(step: Step, port_ids: Sequence[str]) -> None:
    """Have the ports, their networks and filters on the host; a server's machine starts after it.

    Takes no transaction while the engine works; may be called again at any time.
    Errors: EngineError.
    """
    steps.realise(step.database, step.world.engine, port_ids)


def ports_active(connection: Connection, server_id: str, active: bool) -> None:
    """Note that a server's machine runs with its ports, or that it does not."""
    rows = ports.of_servers(connection, [server_id])
    up = [row["id"] for row in rows if active and row["admin_state_up"]]
    down = [row["id"] for row in rows if row["id"] not in up]
    ports.set_status(connection, up, "ACTIVE")
    ports.set_status(connection, down, "DOWN")


def ports_on(connection: Connection, server_id: str, host: str, site: str) -> None:
    """Note which host a server's ports are on, and where that stands."""
    for row in ports.of_servers(connection, [server_id]):
        ports.update(connection, row["id"], {"host_id": host, "site": site})


def ports_of_servers(connection: Connection, port_ids: Iterable[str]) -> set[str]:
    """Which of some ports servers hold; the others are at the cloud's own site."""
    return {key for key, row in ports.by_ids(connection, port_ids).items() if ports.bound(row)}


def port_by_address(connection: Connection, network_id: str, ip: str) -> str | None:
    """The server that holds an address on a network, for the metadata service."""
    port_id = addresses.port_at(connection, network_id, ip)
    row = ports.by_id(connection, port_id) if port_id else None
    return row["device_id"] if row is not None and ports.bound(row) else None


def network_data(connection: Connection, server_id: str) -> dict[str, Any]:
    """The facts of `network_data.json`, for config drive and metadata."""
    return facts.network_data(connection, server_id)


def network_ids(connection: Connection) -> list[str]:
    """Every network there is."""
    return [network_id for network_id, _ in networks.all_ids(connection)]


def domain_of(connection: Connection, server_id: str) -> str:
    """The domain in which a server's name is known: that of its first card's network."""
    rows = ports.of_servers(connection, [server_id])
    network = networks.by_id(connection, rows[0]["network_id"]) if rows else None
    return specs.DOMAIN if network is None else specs.domain(network)


def default_network(connection: Connection, project_id: str) -> str | None:
    """The network a server gets when none is named: the only one; None when there is none.

    Errors: Conflict when there are several.
    """
    found = networks.usable(connection, project_id)
    if len(found) > 1:
        raise Conflict("Multiple possible networks found, use a Network ID to be more specific.")
    return found[0]["id"] if found else None


def add_security_group(
    connection: Connection, context: Context, server_id: str, group: str
) -> None:
    """Make a server's ports members of a group, named by id or name.

    Errors: BadRequest for an unknown group; Conflict for an ambiguous name.
    """
    servers.regroup(connection, context, server_id, group, join=True)


def remove_security_group(
    connection: Connection, context: Context, server_id: str, group: str
) -> None:
    """End a server's ports' membership in a group.

    Errors: BadRequest for an unknown group, or when the server is no member.
    """
    servers.regroup(connection, context, server_id, group, join=False)


def bootstrap(connection: Connection, config: Config, project_id: str) -> str:
    """The operator's external network `public` with its subnet, made if there is none; its id."""
    return external.ensure(connection, config, project_id)
