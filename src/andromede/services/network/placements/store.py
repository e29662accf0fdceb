"""The SQL of where networks and what belongs to them are, for whoever weighs what is placed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede.services.network.floatingips.store import floating
from andromede.services.network.networks.store import network
from andromede.services.network.ports.store import port
from andromede.services.network.routers.store import router
from andromede.services.network.subnets.store import subnet

# What has no host of its own: it is where the cloud's edge and its rows are.
AT_HOME = {"network": network, "subnet": subnet, "router": router, "floatingip": floating}


def placements(home: str) -> dict[str, sa.Select[Any]]:
    """By kind, every resource of a project with where it is: `kind`, `id`, `project_id`, `site`.

    `home` is the cloud's own site. A port that a server holds is where that server is. Security
    groups are rules and are placed nowhere; they act where the ports are.
    """
    found = {kind: _of(kind, rows, sa.literal(home)) for kind, rows in AT_HOME.items()}
    return found | {"port": _of("port", port, sa.func.coalesce(port.c.site, home))}


def _of(kind: str, rows: sa.Table, site: sa.ColumnElement[str]) -> sa.Select[Any]:
    columns = (rows.c.id, rows.c.project_id)
    return sa.select(sa.literal(kind).label("kind"), *columns, site.label("site")).where(
        rows.c.project_id != ""
    )
