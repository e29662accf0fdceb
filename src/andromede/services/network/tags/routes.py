"""Tags of every noun over HTTP: list, replace, add, check, remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import handling, store
from andromede.services.network.common.store import Collection
from andromede.services.network.floatingips.store import FLOATINGS
from andromede.services.network.groups.store import GROUPS
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.pools.store import POOLS
from andromede.services.network.ports.store import PORTS
from andromede.services.network.qos.store import POLICIES
from andromede.services.network.routers.store import ROUTERS
from andromede.services.network.subnets.store import SUBNETS

LONGEST = 255
MOST = 50
Handler = Callable[[Context, Collection], Any]


def _read(word: Any) -> str:
    if not isinstance(word, str) or not 0 < len(word) <= LONGEST or "," in word:
        raise BadRequest(
            f"Invalid tag {word!r}: text of 1 to {LONGEST} characters without a comma is accepted"
        )
    return word


def _of(context: Context, collection: Collection) -> list[str]:
    row = handling.find(context, collection)
    return store.tags_of(context.conn, [row["id"]])[row["id"]]


def index(context: Context, collection: Collection) -> object:
    return {"tags": _of(context, collection)}


def show(context: Context, collection: Collection) -> Reply:
    _require(_of(context, collection), context)
    return Reply(204)


def _require(held: list[str], context: Context) -> None:
    word = context.params["tag"]
    if word not in held:
        raise NotFound(
            f"Tag {word} for resource {context.params['id']} could not be found.",
            type="TagNotFound",
        )


def replace(context: Context, collection: Collection) -> object:
    sent = context.body.get("tags") if isinstance(context.body, dict) else None
    if not isinstance(sent, list):
        raise BadRequest("Invalid input for tags: an object with the list 'tags' is accepted")
    _write(context, collection, [_read(word) for word in sent])
    return {"tags": _of(context, collection)}


def add(context: Context, collection: Collection) -> Reply:
    _write(context, collection, [*_of(context, collection), _read(context.params["tag"])])
    return Reply(201)


def remove(context: Context, collection: Collection) -> Reply:
    held = _of(context, collection)
    _require(held, context)
    _write(context, collection, [word for word in held if word != context.params["tag"]])
    return Reply(204)


def clear(context: Context, collection: Collection) -> Reply:
    _write(context, collection, [])
    return Reply(204)


def _write(context: Context, collection: Collection, words: list[str]) -> None:
    row = handling.find_own(context, collection, "update_tags")
    if len(set(words)) > MOST:
        raise BadRequest(f"{len(set(words))} tags are too many; at most {MOST} are accepted")
    store.set_tags(context.conn, row["id"], words)
    store.change(context.conn, collection.table, row["id"], {})


def _bind(handler: Handler, collection: Collection) -> Callable[[Context], Any]:
    return lambda context: handler(context, collection)


KINDS: tuple[tuple[str, str, str, Handler, int], ...] = (
    ("GET", "", "list", index, 200),
    ("PUT", "", "replace", replace, 200),
    ("DELETE", "", "clear", clear, 204),
    ("GET", "/{tag}", "show", show, 204),
    ("PUT", "/{tag}", "add", add, 201),
    ("DELETE", "/{tag}", "remove", remove, 204),
)
COLLECTIONS = (
    ("networks", NETWORKS),
    ("subnets", SUBNETS),
    ("subnetpools", POOLS),
    ("policies", POLICIES),
    ("qos/policies", POLICIES),
    ("ports", PORTS),
    ("routers", ROUTERS),
    ("floatingips", FLOATINGS),
    ("security-groups", GROUPS),
    ("security_groups", GROUPS),  # the spelling openstacksdk uses
)
OPERATIONS: list[Operation] = [
    Operation(
        method=method,
        path=f"/v2.0/{path}/{{id}}/tags{tail}",
        handler=_bind(handler, collection),
        action=f"network:tag:{verb}",
        allow=PROJECT_READER if method == "GET" else PROJECT_MEMBER,
        status=status,
    )
    for path, collection in COLLECTIONS
    for method, tail, verb, handler, status in KINDS
]
