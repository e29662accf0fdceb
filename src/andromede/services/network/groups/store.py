"""The SQL of security groups, of the one default group per project, and of who is a member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import identifier, table
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.groups.schema import GROUP
from andromede.services.network.rules import store as rules
from andromede.services.network.shares import store as shares
from andromede.services.network.templates import store as templates
from andromede.services.network.templates.schema import PARENT

group = table(
    "security_group",
    metadata,
    *standard_columns(),
    sa.Column("stateful", sa.Boolean, nullable=False),
)
default_group = table(
    "default_security_group",
    metadata,
    identifier("project_id", primary_key=True),
    identifier("group_id", nullable=False),
)
member = table(
    "port_security_group",
    metadata,
    identifier("port_id", primary_key=True),
    identifier("group_id", primary_key=True),
    sa.Index("ix_port_security_group_group", "group_id"),
)


DEFAULT = "default"
GROUPS = Collection(GROUP, group, shares.seen(group), {"shared": shares.filtering(group)})
_DEFAULT = Statement("SELECT group_id FROM default_security_group WHERE project_id = :project_id")
_BY_IDS = Statement(sa.select(group).where(group.c.id.in_(several("keys"))))
_JOIN = Statement(sa.insert(member))
_OF_PORTS = Statement(
    sa.select(member.c.port_id, member.c.group_id)
    .where(member.c.port_id.in_(several("keys")))
    .order_by(member.c.group_id)
)


def default_id(connection: Connection, project_id: str) -> str | None:
    """The project's default group, if it was made."""
    found: str | None = _DEFAULT.scalar(connection, {"project_id": project_id})
    return found


def ensure_default(connection: Connection, project_id: str) -> str:
    """The project's default group, made now if it was not, with the rules that are for such."""
    held = default_id(connection, project_id)
    if held is not None:
        return held
    row = insert(
        connection,
        {
            "id": ids.new(),
            "project_id": project_id,
            "name": DEFAULT,
            "description": "Default security group",
            "stateful": True,
        },
    )
    connection.execute(sa.insert(default_group), {"project_id": project_id, "group_id": row["id"]})
    return str(row["id"])


def insert(connection: Connection, values: Row) -> Row:
    """A new group with the default rules for its kind."""
    row = {**standard_values(), **values}
    connection.execute(sa.insert(group), row)
    for each in templates.of_new(connection, default=values["name"] == DEFAULT):
        fields = {name: each[name] for name in templates.FIELDS}
        if fields["remote_group_id"] == PARENT:
            fields["remote_group_id"] = row["id"]
        meant = {**rules.blank(row, each["direction"], each["ethertype"]), **fields}
        if rules.same(connection, meant) is None:
            rules.insert(connection, {**meant, "description": each["description"] or None})
    return row


def update(connection: Connection, group_id: str, values: Row) -> None:
    change(connection, group, group_id, values)


def delete(connection: Connection, group_id: str) -> None:
    """Remove a group with its rules, and its place as a project's default."""
    shares.forget(connection, group_id)
    templates.forget(connection, group_id)
    rules.delete_of_group(connection, group_id)
    connection.execute(sa.delete(default_group).where(default_group.c.group_id == group_id))
    connection.execute(sa.delete(group).where(group.c.id == group_id))


def by_id(connection: Connection, group_id: str) -> Row | None:
    row = connection.execute(sa.select(group).where(group.c.id == group_id)).mappings().first()
    return dict(row) if row is not None else None


def resolve(connection: Connection, project_id: str, words: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the project's groups that each word names, by id or else by name."""
    found: dict[str, list[str]] = {word: [] for word in words}
    statement = sa.select(group.c.id, group.c.name).where(
        sa.or_(
            sa.and_(
                group.c.project_id == project_id,
                sa.or_(group.c.id.in_(words), group.c.name.in_(words)),
            ),
            sa.and_(group.c.id.in_(words), shares.reached(group.c.id, project_id)),
        ),
    )
    rows = connection.execute(statement).all()
    for row in rows:
        if row.name in found:
            found[row.name].append(row.id)
    for row in rows:
        if row.id in found:
            found[row.id] = [row.id]
    return found


def existing(connection: Connection, group_ids: Iterable[str]) -> dict[str, str]:
    """The project of each group that exists."""
    statement = sa.select(group.c.id, group.c.project_id).where(
        group.c.id.in_(sorted(set(group_ids)))
    )
    return {row.id: row.project_id for row in connection.execute(statement)}


def by_ids(connection: Connection, group_ids: Iterable[str]) -> dict[str, Row]:
    rows = _BY_IDS.mappings(connection, {"keys": sorted(set(group_ids))})
    return {row["id"]: row for row in rows}


def join(connection: Connection, port_id: str, group_ids: Iterable[str]) -> None:
    """Make a port a member of some groups."""
    for each in sorted(set(group_ids)):
        _JOIN.run(connection, {"port_id": port_id, "group_id": each})


def leave(connection: Connection, port_id: str) -> None:
    connection.execute(sa.delete(member).where(member.c.port_id == port_id))


def of_ports(connection: Connection, port_ids: Iterable[str]) -> dict[str, list[str]]:
    """The groups of some ports, sorted."""
    wanted = list(port_ids)
    found: dict[str, list[str]] = {key: [] for key in wanted}
    if wanted:
        for port_id, group_id in _OF_PORTS.rows(connection, {"keys": wanted}):
            found[port_id].append(group_id)
    return found


def has_members(connection: Connection, group_id: str) -> bool:
    statement = sa.select(member.c.port_id).where(member.c.group_id == group_id).limit(1)
    return connection.execute(statement).first() is not None


def view(
    row: Mapping[str, Any],
    group_rules: Sequence[Row],
    tags: Sequence[str],
    *,
    shared: bool = False,
) -> Row:
    """A security group as clients see it, with its rules."""
    default = row["name"] == DEFAULT
    return {
        **standard_view(row, tags),
        "stateful": row["stateful"],
        "shared": shared,
        "security_group_rules": [rules.view(each, default=default) for each in group_rules],
    }
