"""What policies are on: ports, networks and floating IPs, and what of the host follows a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.network import intents
from andromede.services.network.common import handling
from andromede.services.network.floatingips.store import floating
from andromede.services.network.networks.store import network
from andromede.services.network.ports.store import port
from andromede.services.network.qos import store
from andromede.services.network.qos.store import POLICIES

ON = {"Network": network, "Port": port, "Floating IP": floating}


def check(context: Context, values: Mapping[str, Any]) -> None:
    """Errors: NotFound (QosPolicyNotFound) for a policy that the caller does not see."""
    if values.get("qos_policy_id"):
        handling.find(context, POLICIES, values["qos_policy_id"])


def first_user(connection: Connection, policy_id: str) -> tuple[str, str] | None:
    """(kind, id) of something that the policy is on."""
    for kind, rows in ON.items():
        statement = sa.select(rows.c.id).where(rows.c.qos_policy_id == policy_id).limit(1)
        found = connection.execute(statement).scalar()
        if found is not None:
            return kind, found
    return None


def follow(context: Context, policy_id: str) -> None:
    """Have all that the policy is on follow a change of its rules."""
    connection = context.conn
    of_ports = sa.select(port.c.network_id).where(port.c.qos_policy_id == policy_id)
    statement = sa.select(network.c.id, network.c.project_id).where(
        sa.or_(network.c.qos_policy_id == policy_id, network.c.id.in_(of_ports))
    )
    for key, project_id in connection.execute(statement).all():
        intents.converge(connection, intents.FIREWALL, key, project_id, context.request_id)
    routers = (
        sa.select(floating.c.router_id, floating.c.project_id)
        .where(floating.c.qos_policy_id == policy_id, floating.c.router_id.is_not(None))
        .distinct()
    )
    for key, project_id in connection.execute(routers).all():
        intents.converge(connection, intents.ROUTER, key, project_id, context.request_id)


def specs_of(
    connection: Connection, network_row: Mapping[str, Any], of_ports: Iterable[str | None]
) -> dict[str | None, Any]:
    """What each policy of a network's ports does, by id; None stands for the network's own."""
    wanted = {key for key in (network_row["qos_policy_id"], *of_ports) if key}
    if not wanted:
        return {}
    found: dict[str | None, Any] = {}
    found.update(store.specs(connection, wanted).items())
    found[None] = found.get(network_row["qos_policy_id"])
    return found
