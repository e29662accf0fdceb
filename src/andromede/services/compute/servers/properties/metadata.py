"""Metadata of a server: pairs of texts that its owner and its guest read.

Source: the compute API's reference, "Server metadata".
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.compute import values
from andromede.services.compute.servers import guards, quota, store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Vm


class MetadataBody(Struct, forbid_unknown_fields=True):
    metadata: dict[str, Any]


class ItemBody(Struct, forbid_unknown_fields=True):
    meta: dict[str, Any]


def _writable(context: Context, act: str) -> Server:
    server = guards.unlocked(context, "server_id")
    guards.in_state(
        server, act, vm={Vm.ACTIVE, Vm.STOPPED, Vm.ERROR, Vm.BUILDING}, task=None, launched=False
    )
    return server


def _write(context: Context, server: Server, items: dict[str, str]) -> dict[str, str]:
    quota.require_metadata(quota.of(context.conn, server.project_id), items)
    store.change(context.conn, server.id, metadata=items)
    return items


def _item(server: Server, key: str) -> str:
    if key not in server.metadata:
        raise NotFound("Metadata item was not found")
    return server.metadata[key]


def list_all(context: Context) -> dict[str, Any]:
    return {"metadata": guards.readable(context, param="server_id").metadata}


def show(context: Context) -> dict[str, Any]:
    key = context.params["key"]
    return {"meta": {key: _item(guards.readable(context, param="server_id"), key)}}


def replace(context: Context) -> dict[str, Any]:
    body: MetadataBody = context.body
    server = _writable(context, "update metadata")
    return {"metadata": _write(context, server, values.pairs(body.metadata, "metadata"))}


def merge(context: Context) -> dict[str, Any]:
    body: MetadataBody = context.body
    server = _writable(context, "update metadata")
    added = values.pairs(body.metadata, "metadata")
    return {"metadata": _write(context, server, server.metadata | added)}


def put(context: Context) -> dict[str, Any]:
    body: ItemBody = context.body
    key = context.params["key"]
    if list(body.meta) != [key]:
        raise BadRequest(f"Request body and URI mismatch: the body must hold {key} alone.")
    item = values.pairs(body.meta, "meta")
    server = _writable(context, "update metadata")
    _write(context, server, server.metadata | item)
    return {"meta": item}


def remove(context: Context) -> Reply:
    key = context.params["key"]
    server = _writable(context, "delete metadata")
    _item(server, key)
    rest = {name: value for name, value in server.metadata.items() if name != key}
    store.change(context.conn, server.id, metadata=rest)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, body: Any = None) -> Operation:
    return Operation(
        method=method, path=f"/v2.1/servers/{{server_id}}/metadata{path}", handler=handler,
        action=f"compute:server-metadata:{verb}", body=body,
        allow=PROJECT_READER if method == "GET" else PROJECT_MEMBER,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", merge, "create", MetadataBody),
    _row("PUT", "", replace, "replace", MetadataBody),
    _row("GET", "/{key}", show, "show"),
    _row("PUT", "/{key}", put, "update", ItemBody),
    _row("DELETE", "/{key}", remove, "delete"),
]
