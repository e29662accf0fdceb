"""How many network resources a project has, and may have."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from andromede import quotas
from andromede.db import Connection
from andromede.db.plain import Statement
from andromede.services.network.common.errors import OverQuota
from andromede.services.network.floatingips.store import floating
from andromede.services.network.groups.store import group
from andromede.services.network.networks.store import network
from andromede.services.network.pools.store import pool
from andromede.services.network.ports.store import port
from andromede.services.network.routers.store import router
from andromede.services.network.rules.store import rule
from andromede.services.network.shares.store import policy
from andromede.services.network.subnets.store import subnet

SERVICE = "network"
DEFAULTS: Mapping[str, int] = {
    "network": 100,
    "subnet": 100,
    "subnetpool": -1,
    "port": 500,
    "rbac_policy": 10,
    "router": 10,
    "floatingip": 50,
    "security_group": 10,
    "security_group_rule": 100,
}
TABLES = {
    "network": network,
    "subnet": subnet,
    "subnetpool": pool,
    "rbac_policy": policy,
    "port": port,
    "router": router,
    "floatingip": floating,
    "security_group": group,
    "security_group_rule": rule,
}
_COUNTS = {
    name: Statement(
        sa.select(sa.func.count()).select_from(
            sa.select(rows.c.id)
            .where(rows.c.project_id == sa.bindparam("project"))
            .limit(sa.bindparam("most"))
            .subquery()
        )
    )
    for name, rows in TABLES.items()
}
MOST = 2**31 - 1


def limits(connection: Connection, project_id: str) -> dict[str, int]:
    """Every limit of a project."""
    return quotas.limits(connection, SERVICE, project_id, DEFAULTS)


def used(connection: Connection, project_id: str, resource: str, most: int = MOST) -> int:
    """How many a project has; counting stops at `most`."""
    found = _COUNTS[resource].scalar(connection, {"project": project_id, "most": most})
    return int(found or 0)


def require(connection: Connection, project_id: str, resource: str, wanted: int = 1) -> None:
    """Refuse what would pass the project's limit.

    Errors: OverQuota.
    """
    limit = limits(connection, project_id)[resource]
    if limit == quotas.UNLIMITED:
        return
    quotas.require(
        limit,
        used(connection, project_id, resource, limit + 1),
        wanted,
        f"Quota exceeded for resources: ['{resource}'].",
        OverQuota,
    )


def overridden(connection: Connection) -> list[str]:
    """The projects with limits of their own."""
    held = quotas.quota
    statement = (sa.select(held.c.project_id).where(held.c.service == SERVICE).distinct()).order_by(
        held.c.project_id
    )
    return list(connection.execute(statement).scalars())
