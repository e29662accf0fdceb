"""Tags of a server: at most fifty words to find it by.

Source: the compute API's reference, "Server tags" (from microversion 2.26).
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.compute.servers import guards, store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.schema import Tag, Tags
from andromede.services.compute.servers.states import Vm

MOST = 50
STATES = {Vm.ACTIVE, Vm.STOPPED, Vm.ERROR, Vm.BUILDING}


class TagsBody(Struct, forbid_unknown_fields=True):
    tags: Tags


def _writable(context: Context, act: str) -> Server:
    server = guards.changeable(context, "server_id")
    guards.in_state(server, act, vm=STATES, task=None, launched=False)
    return server


def list_all(context: Context) -> dict[str, Any]:
    return {"tags": guards.readable(context, param="server_id").tags}


def check(context: Context) -> Reply:
    server = guards.readable(context, param="server_id")
    _require(server, context.params["tag"])
    return Reply(204)


def _require(server: Server, tag: str) -> None:
    if tag not in server.tags:
        raise NotFound(f"Server {server.id} has no tag '{tag}'")


def replace(context: Context) -> dict[str, Any]:
    body: TagsBody = context.body
    server = _writable(context, "update tags")
    tags = list(dict.fromkeys(body.tags))
    store.set_tags(context.conn, server.id, tags)
    return {"tags": tags}


def add(context: Context) -> Reply:
    if context.raw_body not in (b"", b"null"):
        raise BadRequest("The tag is named by the path: no body is accepted.")
    server = _writable(context, "add tag")
    try:
        tag = msgspec.convert(context.params["tag"], Tag)
    except msgspec.ValidationError as error:
        raise BadRequest(
            f"Tag '{context.params['tag']}' is invalid. It must be a non empty string without "
            f"characters '/' and ','. Maximum length of tag is 60."
        ) from error
    location = context.url(f"/v2.1/servers/{server.id}/tags/{tag}")
    if tag in server.tags:
        return Reply(204, None, {"Location": location})
    if len(server.tags) >= MOST:
        raise BadRequest(f"The number of tags exceeded the per-server limit {MOST}")
    store.set_tags(context.conn, server.id, [*server.tags, tag])
    return Reply(201, None, {"Location": location})


def remove(context: Context) -> Reply:
    server = _writable(context, "delete tag")
    tag = context.params["tag"]
    _require(server, tag)
    store.set_tags(context.conn, server.id, [each for each in server.tags if each != tag])
    return Reply(204)


def clear(context: Context) -> Reply:
    server = _writable(context, "delete tags")
    store.set_tags(context.conn, server.id, [])
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, body: Any = None) -> Operation:
    return Operation(
        method=method, path=f"/v2.1/servers/{{server_id}}/tags{path}", handler=handler,
        action=f"compute:server-tag:{verb}", body=body, since=(2, 26),
        allow=PROJECT_READER if method == "GET" else PROJECT_MEMBER,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("PUT", "", replace, "replace", TagsBody),
    _row("DELETE", "", clear, "clear"),
    _row("GET", "/{tag}", check, "check"),
    _row("PUT", "/{tag}", add, "add"),
    _row("DELETE", "/{tag}", remove, "delete"),
]
