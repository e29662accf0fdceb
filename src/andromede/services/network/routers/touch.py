"""Other nouns' changes that routers must follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.network import intents
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.forwardings import store as forwardings
from andromede.services.network.routers import store as routers


def gateways_of(context: Context, network_id: str) -> None:
    """A subnet's gateway moved: routers whose gateway is on its network have another next hop."""
    for row in routers.with_gateway_on(context.conn, network_id):
        follow(context.conn, row["id"], row["project_id"], context.request_id)


def follow(connection: Connection, router_id: str, project_id: str, request_id: str) -> None:
    """Have the host's router made equal to its rows."""
    intents.converge(connection, intents.ROUTER, router_id, project_id, request_id)


def part(connection: Connection, floating: Iterable[Row], request_id: str) -> None:
    """End what some floating IPs stand for; they stay their projects'."""
    for row in floating:
        floatings.update(
            connection,
            row["id"],
            {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"},
        )
        if row["router_id"]:
            follow(connection, row["router_id"], row["project_id"], request_id)


def end_forwardings(connection: Connection, ended: Sequence[Row], request_id: str) -> None:
    """End some port forwardings; a floating IP that has no other goes through no router."""
    forwardings.delete(connection, (row["id"] for row in ended))
    for key in sorted({row["floatingip_id"] for row in ended}):
        floating = floatings.by_id(connection, key)
        assert floating is not None
        if not forwardings.of_floatings(connection, [key])[key]:
            part(connection, [floating], request_id)
        else:
            follow(connection, floating["router_id"], floating["project_id"], request_id)


def part_port(
    connection: Connection, port_id: str, request_id: str, gone: Iterable[str] | None = None
) -> None:
    """A port, or some of its addresses, goes: floating IPs that stand for it are freed."""
    lost = None if gone is None else set(gone)
    ended = [
        row
        for row in forwardings.of_port(connection, port_id)
        if lost is None or row["internal_ip_address"] in lost
    ]
    end_forwardings(connection, ended, request_id)
    rows = floatings.of_ports(connection, [port_id])
    part(
        connection,
        [row for row in rows if lost is None or row["fixed_ip_address"] in lost],
        request_id,
    )
