"""Security groups put on all cards of a server, or taken from them."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards, history
from andromede.services.compute.servers.schema import AddGroupBody, RemoveGroupBody
from andromede.services.network.api import add_security_group, remove_security_group


def add(context: Context) -> None:
    body: AddGroupBody = context.body
    server = guards.unlocked(context)
    guards.in_state(server, "addSecurityGroup", task=None, launched=False)
    add_security_group(context.conn, context, server.id, body.group.name)
    history.begin(context, server, "addSecurityGroup")


def remove(context: Context) -> None:
    body: RemoveGroupBody = context.body
    server = guards.unlocked(context)
    remove_security_group(context.conn, context, server.id, body.group.name)
    history.begin(context, server, "removeSecurityGroup")
