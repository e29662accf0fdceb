"""The rows and thin handlers of servers themselves; their acts are in `actions`.

Source: the compute API's reference, "Servers".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.http.paging import next_link
from andromede.services.compute.servers import (
    checks,
    create,
    delete,
    guards,
    store,
    views,
)  # fmt: skip
from andromede.services.compute.servers.listing import query
from andromede.services.compute.servers.listing import store as listing
from andromede.services.compute.servers.listing.query import Search
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.schema import CreateServer, UpdateServer
from andromede.services.network.api import attachments_of, servers_at


def show(context: Context) -> dict[str, Any]:
    server = guards.readable(context, user_data=context.caller.admin)
    _withhold(context, [server])
    return _body(context, server)


def _withhold(context: Context, servers: Iterable[Server]) -> None:
    """Take away the user data that an operator may not see without the project's consent."""
    for server in servers:
        if server.user_data is not None and not context.may_reveal(
            "user_data", server.project_id, server.id
        ):
            server.user_data = None


def _body(context: Context, server: Server) -> dict[str, Any]:
    nets = attachments_of(context.conn, [server.id])
    return {"server": views.full(context, server, nets[server.id])}


def _page(context: Context, path: str) -> tuple[list[Server], dict[str, Any]]:
    search = query.read(context)
    servers = listing.find(context.conn, search, _at_addresses(context, search))
    for server in servers:
        context.touches(server.id, server.project_id)
    body: dict[str, Any] = {"servers": []}
    if search.limit and len(servers) == search.limit:
        link = next_link(context.url(path), context.query, servers[-1].id)
        body["servers_links"] = [{"rel": "next", "href": link}]
    return servers, body


def _at_addresses(context: Context, search: Search) -> list[str] | None:
    """The servers that hold what the filters `ip` and `ip6` ask for; None when neither does."""
    found: set[str] | None = None
    for name, version in (("ip", 4), ("ip6", 6)):
        text = search.filters.get(name)
        if text is not None:
            holders = servers_at(context.conn, search.project_id, text, version)
            found = holders if found is None else found & holders
    return None if found is None else sorted(found)


def list_servers(context: Context) -> dict[str, Any]:
    servers, body = _page(context, "/v2.1/servers")
    body["servers"] = [views.brief(context, server) for server in servers]
    return body


def list_details(context: Context) -> dict[str, Any]:
    servers, body = _page(context, "/v2.1/servers/detail")
    nets = attachments_of(context.conn, [server.id for server in servers])
    if context.caller.admin:
        data = store.user_data(context.conn, [server.id for server in servers])
        for server in servers:
            server.user_data = data.get(server.id)
        _withhold(context, servers)
    for server in servers:
        shown = views.full(context, server, nets[server.id])
        del shown["server_groups"]  # of single servers only
        body["servers"].append(shown)
    return body


def update(context: Context) -> dict[str, Any]:
    server = guards.changeable(context)
    body: UpdateServer = context.body
    store.change(context.conn, server.id, **checks.columns(body.server))
    changed = store.get(context.conn, server.id)
    assert changed is not None
    _withhold(context, [changed])
    return _body(context, changed)


def remove(context: Context) -> Reply:
    delete.accept(context, guards.changeable(context))
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    allow = PROJECT_READER if method == "GET" else PROJECT_MEMBER
    return Operation(
        method=method, path=f"/v2.1/servers{path}", handler=handler,
        action=f"compute:server:{verb}", allow=allow, **more,
    )  # fmt: skip


OPERATIONS = [
    _row("POST", "", create.create, "create", body=CreateServer, status=202, places="create"),
    _row("GET", "", list_servers, "list"),
    _row("GET", "/detail", list_details, "detail"),
    _row("GET", "/{id}", show, "show"),
    _row("PUT", "/{id}", update, "update", body=UpdateServer),
    _row("DELETE", "/{id}", remove, "delete", status=204),
]
