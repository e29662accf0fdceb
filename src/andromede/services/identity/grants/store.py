"""The rows of grants: which role an actor (user, group) holds on a target (project, domain, the
system), and what a user effectively holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.identity.groups.store import group_member, members
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Ids, Row

SYSTEM = "system"

role_grant = table(
    "role_grant",
    metadata,
    sa.Column("actor_kind", sa.String(8), primary_key=True),  # user or group
    identifier("actor_id", primary_key=True),
    sa.Column("target_kind", sa.String(8), primary_key=True),  # project, domain or system
    identifier("target_id", primary_key=True),
    identifier("role_id", sa.ForeignKey("role.id"), primary_key=True),
    sa.Column("inherited", sa.Boolean, primary_key=True),  # held on the projects below, not here
    # each with the rest of the key, whose order lists have
    sa.Index("ix_role_grant_target", "target_kind", "target_id", "actor_kind", "actor_id",
             "role_id", "inherited"),
    sa.Index("ix_role_grant_role", "role_id", "actor_kind", "actor_id", "target_kind", "target_id",
             "inherited"),
    sa.Index("ix_role_grant_actor_id", "actor_id"),
)  # fmt: skip


class Grant(Struct, frozen=True, kw_only=True):
    """One grant. `target_id` is `system` for the system."""

    actor_kind: str
    actor_id: str
    target_kind: str
    target_id: str
    role_id: str
    inherited: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """What roles are held on."""

    kind: str
    id: str = SYSTEM


def _is(grant: Grant) -> list[sa.ColumnElement[bool]]:
    return [
        role_grant.c.actor_kind == grant.actor_kind,
        role_grant.c.actor_id == grant.actor_id,
        role_grant.c.target_kind == grant.target_kind,
        role_grant.c.target_id == grant.target_id,
        role_grant.c.role_id == grant.role_id,
        role_grant.c.inherited == grant.inherited,
    ]


def exists(connection: Connection, grant: Grant) -> bool:
    return connection.execute(sa.select(role_grant).where(*_is(grant))).first() is not None


def add(connection: Connection, grant: Grant) -> None:
    """Grant a role; nothing changes when it is held."""
    if not exists(connection, grant):
        connection.execute(
            sa.insert(role_grant), {name: getattr(grant, name) for name in grant.__struct_fields__}
        )


def remove(connection: Connection, grant: Grant) -> bool:
    """Take a role away; whether it was held."""
    return connection.execute(sa.delete(role_grant).where(*_is(grant))).rowcount > 0


def held(
    connection: Connection, actor_kind: str, actor_id: str, target: Target, inherited: bool
) -> list[str]:
    """The ids of the roles granted to one actor on one target."""
    found = connection.execute(
        sa.select(role_grant.c.role_id)
        .where(
            role_grant.c.actor_kind == actor_kind,
            role_grant.c.actor_id == actor_id,
            role_grant.c.target_kind == target.kind,
            role_grant.c.target_id == target.id,
            role_grant.c.inherited == inherited,
        )
        .order_by(role_grant.c.role_id)
    )
    return list(found.scalars())


def of_actor(user_id: str) -> sa.ColumnElement[bool]:
    """The condition that a grant is the user's own or of one of its groups."""
    mine = sa.select(group_member.c.group_id).where(group_member.c.user_id == user_id)
    return sa.or_(
        sa.and_(role_grant.c.actor_kind == "user", role_grant.c.actor_id == user_id),
        sa.and_(role_grant.c.actor_kind == "group", role_grant.c.actor_id.in_(mine)),
    )


def reaching(connection: Connection, target: Target) -> sa.ColumnElement[bool]:
    """The condition that a grant counts on a target: made there, or inherited from above."""
    here = sa.and_(
        role_grant.c.target_kind == target.kind,
        role_grant.c.target_id == target.id,
        role_grant.c.inherited.is_(False),
    )
    if target.kind != "project":
        return here
    row = projects.get(connection, target.id)
    if row is None:
        return here
    above = [each.id for each in projects.ancestors(connection, row)]
    inherited = sa.and_(
        role_grant.c.inherited.is_(True),
        sa.or_(
            sa.and_(role_grant.c.target_kind == "domain", role_grant.c.target_id == row.domain_id),
            sa.and_(role_grant.c.target_kind == "project", role_grant.c.target_id.in_(above)),
        ),
    )
    return sa.or_(here, inherited)


def effective(connection: Connection, user_id: str, target: Target) -> dict[str, str]:
    """The names by id of every role a user holds on a target, by itself, by its groups, by
    inheritance and by implication."""
    direct = connection.execute(
        sa.select(role_grant.c.role_id)
        .where(of_actor(user_id), reaching(connection, target))
        .distinct()
    ).scalars()
    granted = list(direct)
    if not granted:
        return {}
    reached = roles.closure(roles.implications(connection), granted)
    return roles.named(connection, reached)


def reached(connection: Connection, user_id: str, target: Target) -> set[str]:
    """As `effective`, only the ids, and those of roles that belong to a domain too."""
    granted = connection.execute(
        sa.select(role_grant.c.role_id).where(of_actor(user_id), reaching(connection, target))
    ).scalars()
    return roles.closure(roles.implications(connection), granted)


def of_user(connection: Connection, user_id: str) -> Sequence[Row]:
    """Every grant of a user or of its groups."""
    return connection.execute(sa.select(role_grant).where(of_actor(user_id))).all()


def opened(rows: Iterable[Any]) -> list[str | None]:
    """The projects that grants open; None stands for several at once."""
    found = {
        row.target_id if row.target_kind == "project" and not row.inherited else None
        for row in rows
    }
    return sorted(found, key=lambda each: each or "")


def of_group(connection: Connection, group_id: str) -> Sequence[Row]:
    """Every grant of a group."""
    return connection.execute(
        sa.select(role_grant).where(
            role_grant.c.actor_kind == "group", role_grant.c.actor_id == group_id
        )
    ).all()


def on_target(connection: Connection, kind: str, target_ids: Sequence[str]) -> Sequence[Row]:
    """Every grant made on any of the targets."""
    return connection.execute(
        sa.select(role_grant).where(
            role_grant.c.target_kind == kind, role_grant.c.target_id.in_(target_ids)
        )
    ).all()


def forget_actors(connection: Connection, kind: str, actor_ids: Ids) -> None:
    """Remove every grant of actors that are being deleted."""
    connection.execute(
        sa.delete(role_grant).where(
            role_grant.c.actor_kind == kind, role_grant.c.actor_id.in_(actor_ids)
        )
    )


def forget_targets(connection: Connection, kind: str, target_ids: Ids) -> None:
    """Remove every grant on targets that are being deleted."""
    connection.execute(
        sa.delete(role_grant).where(
            role_grant.c.target_kind == kind, role_grant.c.target_id.in_(target_ids)
        )
    )


def forget_roles(connection: Connection, role_ids: Ids) -> None:
    """Remove every grant of roles that are being deleted."""
    connection.execute(sa.delete(role_grant).where(role_grant.c.role_id.in_(role_ids)))


def holders(connection: Connection, role_id: str) -> list[str]:
    """The ids of the users granted a role, themselves or by a group, on whatever target."""
    rows = connection.execute(
        sa.select(role_grant.c.actor_kind, role_grant.c.actor_id)
        .where(role_grant.c.role_id == role_id)
        .distinct()
    ).all()
    found = {row.actor_id for row in rows if row.actor_kind == "user"}
    within = [row.actor_id for row in rows if row.actor_kind == "group"]
    return sorted(found | set(members(connection, within)))


def granted_roles(connection: Connection) -> list[str]:
    """The ids of the roles that anybody was granted."""
    granted = sa.exists().where(role_grant.c.role_id == roles.role.c.id)
    return list(connection.execute(sa.select(roles.role.c.id).where(granted)).scalars())


def of_roles(connection: Connection, role_ids: Sequence[str]) -> Sequence[Row]:
    """Every grant of any of the roles."""
    return connection.execute(sa.select(role_grant).where(role_grant.c.role_id.in_(role_ids))).all()


def actors(connection: Connection, target: Target, role_ids: Sequence[str]) -> list[str]:
    """The ids of the users with a grant that counts on a target, one of the roles anywhere, or
    any role on the system; themselves or by a group."""
    wanted = sa.or_(
        reaching(connection, target),
        role_grant.c.role_id.in_(role_ids),
        role_grant.c.target_kind == SYSTEM,
    )
    rows = connection.execute(
        sa.select(role_grant.c.actor_kind, role_grant.c.actor_id).where(wanted).distinct()
    ).all()
    found = {row.actor_id for row in rows if row.actor_kind == "user"}
    within = [row.actor_id for row in rows if row.actor_kind == "group"]
    return sorted(found | set(members(connection, within)))


def dangling(connection: Connection) -> list[Grant]:
    """Grants to an actor, or on a project or domain, that is not there."""
    known = {
        "user": set(connection.execute(sa.text('SELECT id FROM "user"')).scalars()),
        "group": set(connection.execute(sa.text('SELECT id FROM "group"')).scalars()),
        "project": set(connection.execute(sa.text("SELECT id FROM project")).scalars()),
        SYSTEM: {SYSTEM},
    }
    known["domain"] = known["project"]
    found = (Grant(**row) for row in connection.execute(sa.select(role_grant)).mappings())
    return [
        each
        for each in found
        if each.actor_id not in known[each.actor_kind]
        or each.target_id not in known[each.target_kind]
    ]
