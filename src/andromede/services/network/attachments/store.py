"""One statement for all that a server's body says of the network: addresses and groups."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from andromede.db import Connection
from andromede.db.plain import Row, Statement, listing, members

_ADDRESSES = (
    "SELECT p.device_id AS server, n.name AS name, p.mac_address AS mac, a.ip AS ip,"
    " f.floating_ip_address AS floating, p.position AS card, a.position AS place, p.id AS port"
    " FROM port p JOIN network n ON n.id = p.network_id"
    " JOIN network_ip_allocation a ON a.port_id = p.id"
    " LEFT JOIN floating_ip f ON f.port_id = p.id AND f.fixed_ip_address = a.ip"
    " WHERE p.device_id {match} AND p.host_id <> ''"
)
_GROUPS = (
    "SELECT p.device_id, g.name, NULL, NULL, NULL, 0, 0, g.id"
    " FROM port p JOIN port_security_group m ON m.port_id = p.id"
    " JOIN security_group g ON g.id = m.group_id"
    " WHERE p.device_id {match} AND p.host_id <> ''"
)
_BOTH = f"{_ADDRESSES} UNION ALL {_GROUPS}"
_ONE = Statement(_BOTH.format(match="= :server"))
_HOLDERS = (
    "SELECT DISTINCT p.device_id FROM network_ip_allocation a JOIN port p ON p.id = a.port_id"
    " WHERE p.host_id <> '' AND p.device_owner LIKE 'compute:%'"
    " AND a.ip LIKE :part ESCAPE '!' AND a.ip LIKE :family"
)
_HOLDERS_OF_ALL = sa.text(_HOLDERS)
_HOLDERS_OF_ONE = sa.text(f"{_HOLDERS} AND p.project_id = :project")


class Attachment(Struct, kw_only=True):
    """A server's addresses by network name, as compute answers them, and its groups' names."""

    addresses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)


@functools.lru_cache(maxsize=256)
def _many(count: int) -> Statement:
    """The statement for so many servers."""
    return Statement(_BOTH.format(match=f"IN ({listing(count)})"))


def of_servers(connection: Connection, server_ids: Iterable[str]) -> dict[str, Attachment]:
    """What each server has, by one statement."""
    wanted = list(server_ids)
    found = {key: Attachment() for key in wanted}
    if not wanted:
        return found
    if len(wanted) == 1:
        rows = _ONE.rows(connection, {"server": wanted[0]})
    else:
        rows = _many(len(wanted)).rows(connection, members(wanted))
    for server, name, mac, ip, floating, _, _, _ in sorted(rows, key=_place):
        attachment = found[server]
        if ip is None:
            if name not in attachment.groups:
                attachment.groups.append(name)
            continue
        listed = attachment.addresses.setdefault(name, [])
        entry = address(ip, mac, "fixed")
        if entry not in listed:
            listed.append(entry)
        if floating is not None:
            listed.append(address(floating, mac, "floating"))
    return found


def _place(row: Row) -> tuple[Any, ...]:
    """Where a row stands among its server's: by card, port, and place on the port."""
    return row[5], row[7], row[6], row[4] or ""


def holders(connection: Connection, project_id: str | None, part: str, version: int) -> set[str]:
    """The servers, of a project or of all, with a fixed address that has `part` in it."""
    literal = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    family = "%:%" if version == 6 else "%.%"
    values = {"part": f"%{literal}%", "family": family}
    if project_id is None:
        return set(connection.execute(_HOLDERS_OF_ALL, values).scalars())
    return set(connection.execute(_HOLDERS_OF_ONE, {**values, "project": project_id}).scalars())


def address(ip: str, mac: str, kind: str) -> dict[str, Any]:
    """One address of a server's body. Source: compute's extended IPs."""
    return {
        "version": 6 if ":" in ip else 4,
        "addr": ip,
        "OS-EXT-IPS:type": kind,
        "OS-EXT-IPS-MAC:mac_addr": mac,
    }
