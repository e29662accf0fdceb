"""The SQL of security group rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import identifier, table
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    own,
    standard_columns,
    standard_values,
)
from andromede.services.network.groups.schema import PROTOCOLS, RULE

rule = table(
    "security_group_rule",
    metadata,
    *standard_columns(named=False),
    identifier("security_group_id", nullable=False),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("ethertype", sa.String(8), nullable=False),
    sa.Column("protocol", sa.String(16), nullable=True),
    sa.Column("port_range_min", sa.Integer, nullable=True),
    sa.Column("port_range_max", sa.Integer, nullable=True),
    sa.Column("remote_ip_prefix", sa.String(43), nullable=True),
    identifier("remote_group_id", nullable=True, index=True),
    identifier("remote_address_group_id", nullable=True, index=True),
    sa.Column("meaning", sa.String(255), nullable=False),
    sa.UniqueConstraint("security_group_id", "meaning"),
)

RULES = Collection(RULE, rule, own(rule.c.project_id))
_OF_GROUPS = Statement(
    sa.select(rule)
    .where(rule.c.security_group_id.in_(several("keys")))
    .order_by(rule.c.created_at, rule.c.id)
)
EVERYWHERE = ("0.0.0.0/0", "::/0")


def protocol_number(protocol: str | None, ether: str) -> int | None:
    """A protocol's number; ICMP in IPv6 is ICMPv6."""
    if protocol is None:
        return None
    number = PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)
    return 58 if number == 1 and ether == "IPv6" else number


def meaning(values: Mapping[str, Any]) -> str:
    """What a rule lets pass, spelled so that two rules of equal meaning are equal text."""
    remote = normalized(values["remote_ip_prefix"])
    parts = (
        values["direction"],
        values["ethertype"],
        protocol_number(values["protocol"], values["ethertype"]),
        values["port_range_min"],
        values["port_range_max"],
        None if remote in EVERYWHERE else remote,
        values["remote_group_id"],
    )
    spelled = " ".join("*" if part is None else str(part) for part in parts)
    listed = values["remote_address_group_id"]
    return f"{spelled} {listed}" if listed else spelled


def normalized(prefix: str | None) -> str | None:
    """A CIDR without host bits."""
    return None if prefix is None else str(ipaddress.ip_network(prefix, strict=False))


def blank(group: Mapping[str, Any], direction: str, ether: str, **more: Any) -> Row:
    """A rule of a group that lets everything of one family pass, but for what `more` says."""
    return {
        "id": ids.new(),
        "project_id": group["project_id"],
        "description": None,
        "security_group_id": group["id"],
        "direction": direction,
        "ethertype": ether,
        "protocol": None,
        "port_range_min": None,
        "port_range_max": None,
        "remote_ip_prefix": None,
        "remote_group_id": None,
        "remote_address_group_id": None,
        **more,
    }


def insert(connection: Connection, values: Row) -> Row:
    row = {**standard_values(), **values, "meaning": meaning(values)}
    connection.execute(sa.insert(rule), row)
    return row


def same(connection: Connection, values: Mapping[str, Any]) -> str | None:
    """The rule of the group that already says what these values say."""
    return connection.execute(
        sa.select(rule.c.id).where(
            rule.c.security_group_id == values["security_group_id"],
            rule.c.meaning == meaning(values),
        )
    ).scalar()


def delete(connection: Connection, rule_id: str) -> None:
    connection.execute(sa.delete(rule).where(rule.c.id == rule_id))


def delete_of_group(connection: Connection, group_id: str) -> None:
    """Remove a group's rules, and other groups' rules that name it."""
    connection.execute(
        sa.delete(rule).where(
            sa.or_(rule.c.security_group_id == group_id, rule.c.remote_group_id == group_id)
        )
    )


def naming(connection: Connection, group_id: str) -> list[str]:
    """The other groups whose rules name this one."""
    statement = (
        sa.select(rule.c.security_group_id)
        .where(rule.c.remote_group_id == group_id, rule.c.security_group_id != group_id)
        .distinct()
    )
    return list(connection.execute(statement).scalars())


def naming_addresses(connection: Connection, address_group_id: str) -> list[str]:
    """The groups whose rules name an address group."""
    statement = (
        sa.select(rule.c.security_group_id)
        .where(rule.c.remote_address_group_id == address_group_id)
        .distinct()
    )
    return list(connection.execute(statement).scalars())


def of_groups(connection: Connection, group_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The rules of some groups, oldest first."""
    wanted = list(group_ids)
    found: dict[str, list[Row]] = {key: [] for key in wanted}
    if wanted:
        for row in _OF_GROUPS.mappings(connection, {"keys": wanted}):
            found[row["security_group_id"]].append(row)
    return found


def view(row: Mapping[str, Any], *, default: bool = False) -> Row:
    """A rule as clients see it; `default`: it is of a project's default group."""
    return {
        "id": row["id"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "security_group_id": row["security_group_id"],
        "direction": row["direction"],
        "ethertype": row["ethertype"],
        "protocol": row["protocol"],
        "port_range_min": row["port_range_min"],
        "port_range_max": row["port_range_max"],
        "remote_ip_prefix": row["remote_ip_prefix"],
        "remote_group_id": row["remote_group_id"],
        "remote_address_group_id": row["remote_address_group_id"],
        "normalized_cidr": normalized(row["remote_ip_prefix"]),
        "belongs_to_default_sg": default,
        "description": row["description"],
        "revision_number": row["revision_number"],
        "created_at": clock.iso(row["created_at"]),
        "updated_at": clock.iso(row["updated_at"]),
    }


def update(connection: Connection, rule_id: str, values: Row) -> None:
    change(connection, rule, rule_id, values)
