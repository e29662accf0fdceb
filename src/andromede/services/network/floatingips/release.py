"""The end of a floating IP: its row, its port on the external network, its place on a router."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.network.common import store
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.ports import plug
from andromede.services.network.ports import store as ports
from andromede.services.network.routers import touch


def remove(context: Context, row: Row) -> None:
    """Delete a floating IP that forwards nothing; the router that translated it follows."""
    store.drop_tags(context.conn, row["id"])
    floatings.delete(context.conn, row["id"])
    port = ports.by_id(context.conn, row["floating_port_id"])
    assert port is not None
    plug.unplug(context.conn, port, context.request_id)
    if row["router_id"]:
        touch.follow(context.conn, row["router_id"], row["project_id"], context.request_id)
