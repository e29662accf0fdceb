"""The SQL of ports."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import Json, identifier, table
from andromede.http.errors import BadRequest
from andromede.services.network.addresses.store import Held, allocation
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.store import (
    Collection,
    Project,
    Row,
    Where,
    change,
    note_status,
    standard_columns,
    standard_values,
)
from andromede.services.network.groups.store import member
from andromede.services.network.networks.store import network
from andromede.services.network.ports.schema import (
    COMPUTE,
    DHCP,
    FLOATING_IP,
    PORT,
    ROUTER_GATEWAY,
)
from andromede.services.network.ranges import store as ranges

port = table(
    "port",
    metadata,
    *standard_columns(),
    identifier("network_id", nullable=False),
    identifier("network_project", nullable=False, server_default=""),  # whose its network is
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("mac_address", sa.String(17), nullable=False),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("device_id", sa.String(255), nullable=False),
    sa.Column("device_owner", sa.String(255), nullable=False),
    sa.Column("port_security_enabled", sa.Boolean, nullable=False),
    sa.Column("pairs", Json, nullable=False),
    sa.Column("dhcp_options", Json, nullable=False),
    sa.Column("dns_name", sa.String(255), nullable=False),
    sa.Column("host_id", sa.String(255), nullable=False),
    sa.Column("site", sa.String(64), nullable=True),  # its server's; None: the cloud's own
    sa.Column("profile", Json, nullable=False),
    identifier("qos_policy_id", nullable=True),
    sa.Column("owner_uid", sa.BigInteger, nullable=True),  # whose QEMU opens the tap
    sa.Column("of_server", sa.Boolean, nullable=False),  # made with its server, goes with it
    sa.Column("on_host", sa.Boolean, nullable=False),  # the engine may hold it
    sa.Column("position", sa.Integer, nullable=False),  # among its server's cards
    sa.UniqueConstraint("network_id", "mac_address"),
    sa.Index("ix_port_owner", "network_id", "device_owner"),
    sa.Index(None, "network_id", "id"),
    sa.Index(None, "device_id", "id"),
)
LIMITED = port.c.qos_policy_id.is_not(None)
sa.Index("ix_port_qos_policy", port.c.qos_policy_id, sqlite_where=LIMITED,
         postgresql_where=LIMITED)  # fmt: skip
GUEST = port.c.project_id != port.c.network_project  # on the network of another project
sa.Index("ix_port_guest", port.c.network_project, port.c.id, sqlite_where=GUEST,
         postgresql_where=GUEST)  # fmt: skip

MAC_PREFIX = "fa:16:3e"
MAC_TRIES = 16


def seen(project: Project) -> list[Where]:
    """A project sees its own ports and all ports of its own networks."""
    return [port.c.project_id == project, sa.and_(port.c.network_project == project, GUEST)]


def _by_address(values: Sequence[str]) -> Where:
    """`fixed_ips=ip_address=…`, `subnet_id=…`, `ip_address_substr=…`: each must hold.

    Errors: BadRequest for what is no pair.
    """
    conditions: list[Where] = []
    for value in values:
        key, pair, word = value.partition("=")
        if not pair:
            raise BadRequest(f"Invalid input for operation: '{value}' is not of the form "
                             f"<key>=[value].")  # fmt: skip
        if key == "ip_address":
            conditions.append(allocation.c.ip == word)
        elif key == "subnet_id":
            conditions.append(allocation.c.subnet_id == word)
        elif key == "ip_address_substr":
            conditions.append(allocation.c.ip.contains(word, autoescape=True))
        else:
            conditions.append(sa.false())
    return port.c.id.in_(sa.select(allocation.c.port_id).where(*conditions))


def _by_group(values: Sequence[str]) -> Where:
    return port.c.id.in_(sa.select(member.c.port_id).where(member.c.group_id.in_(values)))


PORTS = Collection(PORT, port, seen, {"fixed_ips": _by_address, "security_groups": _by_group})
_BY_IDS = Statement(sa.select(port).where(port.c.id.in_(several("keys"))))
_OF_DEVICES = Statement(
    sa.select(port)
    .where(port.c.device_id.in_(several("keys")), port.c.device_id != "")
    .order_by(port.c.device_id, port.c.position, port.c.created_at, port.c.id)
)
_OWNED = Statement(
    sa.select(port)
    .where(
        port.c.network_id == sa.bindparam("network"), port.c.device_owner == sa.bindparam("owner")
    )
    .order_by(port.c.id)
)
_MAC_HELD = Statement("SELECT 1 FROM port WHERE network_id = :network_id AND mac_address = :mac")
_OWNER = sa.select(network.c.project_id).where(network.c.id == sa.bindparam("new_network_id"))
_INSERT = Statement(
    sa.insert(port).values(
        {column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in port.c}
        | {"network_project": _OWNER.scalar_subquery()}
    )
)


def by_id(connection: Connection, port_id: str) -> Row | None:
    return _BY_IDS.mapping(connection, {"keys": [port_id]})


def by_ids(connection: Connection, port_ids: Iterable[str]) -> dict[str, Row]:
    rows = _BY_IDS.mappings(connection, {"keys": sorted(set(port_ids))})
    return {row["id"]: row for row in rows}


def of_devices(connection: Connection, device_ids: Iterable[str]) -> list[Row]:
    """The ports of some devices, in each one's order."""
    return _OF_DEVICES.mappings(connection, {"keys": sorted(set(device_ids))})


def of_servers(connection: Connection, server_ids: Iterable[str]) -> list[Row]:
    """The ports of some servers, in the guests' order."""
    return [row for row in of_devices(connection, server_ids) if bound(row)]


def on_network(connection: Connection, network_id: str) -> list[Row]:
    """The ports on a network."""
    statement = sa.select(port).where(port.c.network_id == network_id).order_by(port.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def owned(connection: Connection, network_id: str, owner: str) -> list[Row]:
    """The ports on a network of one kind of owner."""
    return _OWNED.mappings(connection, {"network": network_id, "owner": owner})


def bound_on_network(connection: Connection, network_id: str) -> list[Row]:
    """The servers' ports on a network."""
    statement = (
        sa.select(port).where(port.c.network_id == network_id, is_bound()).order_by(port.c.number)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def in_the_way(connection: Connection, network_id: str, most: int = 10) -> list[str]:
    """Ports that keep a network from being deleted: all but its own DHCP port."""
    statement = (
        sa.select(port.c.id)
        .where(port.c.network_id == network_id, port.c.device_owner != DHCP)
        .limit(most)
    )
    return list(connection.execute(statement).scalars())


def is_bound() -> Where:
    """The SQL of `bound`."""
    return sa.and_(
        port.c.host_id != "", port.c.device_id != "", port.c.device_owner.like(f"{COMPUTE}%")
    )


def bound(row: Row) -> bool:
    """Whether a server holds the port on a host."""
    return bool(row["host_id"] and row["device_id"] and row["device_owner"].startswith(COMPUTE))


def all_bound(connection: Connection, hosts: Iterable[str]) -> list[tuple[str, str, str]]:
    """(id, network, project) of every port that a server holds on some hosts."""
    statement = sa.select(port.c.id, port.c.network_id, port.c.project_id).where(
        is_bound(), port.c.host_id.in_(sorted(hosts))
    )
    return [
        (key, network_id, project) for key, network_id, project in connection.execute(statement)
    ]


def choose_mac(connection: Connection, network_id: str) -> str:
    """A MAC address that no port of the network has.

    Errors: RuntimeError when none is found: the network holds millions of ports.
    """
    for _ in range(MAC_TRIES):
        tail = secrets.token_hex(3)
        mac = f"{MAC_PREFIX}:{tail[0:2]}:{tail[2:4]}:{tail[4:6]}"
        if not mac_held(connection, network_id, mac):
            return mac
    raise RuntimeError(f"network {network_id}: no free MAC address was found")


def mac_held(connection: Connection, network_id: str, mac: str) -> bool:
    return _MAC_HELD.first(connection, {"network_id": network_id, "mac": mac}) is not None


def require_mac_free(connection: Connection, network_id: str, mac: str) -> None:
    """Errors: Conflict (MacAddressInUse)."""
    if mac_held(connection, network_id, mac):
        raise in_use(
            "MacAddressInUse",
            f"Unable to complete operation for network {network_id}. "
            f"The mac address {mac} is in use.",
        )


BLANK: Row = {
    "name": "",
    "description": "",
    "admin_state_up": True,
    "status": "DOWN",
    "device_id": "",
    "device_owner": "",
    "port_security_enabled": True,
    "pairs": [],
    "dhcp_options": [],
    "dns_name": "",
    "host_id": "",
    "site": None,
    "profile": {},
    "owner_uid": None,
    "qos_policy_id": None,
    "of_server": False,
    "on_host": False,
    "position": 0,
}


def insert(connection: Connection, values: Row) -> Row:
    """A new port with a number of its own."""
    number = ranges.take_number(connection, "port")
    row = {**BLANK, **standard_values(), **values, "number": number}
    _INSERT.run(connection, {f"new_{name}": value for name, value in row.items()})
    return row


def update(connection: Connection, port_id: str, values: Row) -> None:
    change(connection, port, port_id, values)


def set_status(connection: Connection, port_ids: Iterable[str], status: str) -> None:
    """Note what the engine holds; not a change of the resource."""
    note_status(connection, port, port_ids, status)


def delete(connection: Connection, port_id: str) -> None:
    connection.execute(sa.delete(port).where(port.c.id == port_id))


def networks_of_groups(connection: Connection, group_ids: Iterable[str]) -> list[tuple[str, str]]:
    """(network, its project) of every network with a server's port in one of the groups."""
    statement = (
        sa.select(port.c.network_id, network.c.project_id)
        .join(member, member.c.port_id == port.c.id)
        .join(network, network.c.id == port.c.network_id)
        .where(member.c.group_id.in_(sorted(set(group_ids))), is_bound())
        .distinct()
    )
    return [(row.network_id, row.project_id) for row in connection.execute(statement)]


def hostname(dns_name: str, ips: Sequence[str]) -> str:
    """The name of a port on its network; empty when it has no address."""
    return dns_name.rstrip(".") or default_name(ips[0]) if ips else ""


def names(row: Row, held: Sequence[Held], domain: str) -> list[dict[str, str]]:
    """The names that resolve to a port on its network."""
    found = []
    for each in held:
        host = row["dns_name"].rstrip(".") or default_name(each.ip)
        found.append({"ip_address": each.ip, "hostname": host, "fqdn": f"{host}.{domain}"})
    return found


def default_name(ip: str) -> str:
    """The name of an address whose port has none: `host-10-0-0-5`."""
    exploded = ipaddress.ip_address(ip).exploded
    return "host-" + exploded.replace(".", "-").replace(":", "-")


def off_host(connection: Connection, port_id: str) -> None:
    """Note that the engine holds nothing of an unbound port."""
    connection.execute(
        sa.update(port)
        .where(port.c.id == port_id)
        .values(on_host=False, owner_uid=None, status="DOWN")
    )


def of_strangers(connection: Connection, network_id: str, project_id: str) -> bool:
    """Whether other projects than the network's have ports on it."""
    statement = sa.select(port.c.id).where(
        port.c.network_id == network_id, port.c.project_id.not_in([project_id, ""])
    )
    return connection.execute(statement.limit(1)).first() is not None


def of_routers_outside(connection: Connection, network_id: str) -> bool:
    """Whether routers or floating IPs stand on the network."""
    statement = sa.select(port.c.id).where(
        port.c.network_id == network_id, port.c.device_owner.in_([ROUTER_GATEWAY, FLOATING_IP])
    )
    return connection.execute(statement.limit(1)).first() is not None
