"""Handlers of metadata definition namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from andromede import clock, ids
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.http.operation import Reply
from andromede.services.image.metadefs import access, bodies, schema, store
from andromede.services.image.metadefs.store import Item, Namespace

SORT_KEYS = ("created_at", "updated_at", "namespace")
DEFAULT_LIMIT, MOST = 25, 1000


def index(context: Context) -> object:
    """A page of the namespaces the caller sees, the newest first unless asked otherwise.

    Errors: BadRequest for a faulty parameter or marker.
    """
    query = dict(context.query)
    limit = _limit(query.get("limit"))
    marker = _marker(context, query.get("marker"))
    where = [*access.visible(context.caller), *_filters(query)]
    found = store.page(context.conn, where, _sort(query), limit + 1, marker)
    shown = found[:limit]
    held = store.items(context.conn, [each.id for each in shown], "type")
    pairs = [pair for pair in context.query if pair[0] != "marker"]
    body: dict[str, Any] = {
        "namespaces": [_with_types(each, held) for each in shown],
        "first": _link(pairs),
        "schema": "/v2/schemas/metadefs/namespaces",
    }
    if len(found) > limit and shown:
        body["next"] = _link([*pairs, ("marker", shown[-1].namespace)])
    return body


def _with_types(each: Namespace, held: list[Item]) -> dict[str, Any]:
    types = [access.show_plain(item) for item in held if item.namespace_id == each.id]
    more = {"resource_type_associations": types} if types else {}
    return {**access.show_namespace(each), **more}


def _limit(value: str | None) -> int:
    return DEFAULT_LIMIT if value is None else min(number(value, 0), MOST)


def number(value: str, least: int) -> int:
    """A page's size. Errors: BadRequest."""
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) >= least):
        raise BadRequest(f"limit {value!r} is not valid: a whole number from {least} is accepted.")
    return int(value)


def _marker(context: Context, name: str | None) -> Namespace | None:
    if not name:
        return None
    found = store.get(context.conn, name)
    if found is None:
        raise BadRequest(f"marker {name!r} is not valid: the name of a namespace is accepted.")
    return found


def _filters(query: dict[str, str]) -> list[Any]:
    known = ("limit", "marker", "sort_key", "sort_dir", "visibility", "resource_types")
    for name in query:
        if name not in known:
            raise BadRequest(f"Namespaces are not filtered by {name}: {', '.join(known)} are "
                             f"accepted.")  # fmt: skip
    found: list[Any] = []
    if "visibility" in query:
        require_visibility(query["visibility"], "public", "private")
        found.append(store.namespace.c.visibility == query["visibility"])
    if "resource_types" in query:
        found.append(store.for_types(query["resource_types"].split(",")))
    return found


def _sort(query: dict[str, str]) -> tuple[str, bool]:
    key, direction = query.get("sort_key", "created_at"), query.get("sort_dir", "desc")
    require_order(key, direction, SORT_KEYS)
    return key, direction == "desc"


def require_order(key: str, direction: str, keys: Sequence[str]) -> None:
    """Errors: BadRequest for another key than one of `keys`, or another direction."""
    if key not in keys or direction not in ("asc", "desc"):
        raise BadRequest(
            f"Sorting by {key} {direction} is not possible: one of {', '.join(keys)} with asc "
            f"or desc is accepted."
        )


def require_visibility(asked: str | None, *known: str) -> None:
    """Errors: BadRequest for another one than those known."""
    if asked and asked not in known:
        raise BadRequest(f"Invalid visibility value: {asked}; {', '.join(known)} are accepted.")


def _link(pairs: list[tuple[str, str]]) -> str:
    return f"{access.PATH}?{urlencode(pairs)}" if pairs else access.PATH


def create(context: Context) -> Reply:
    """Make a namespace with all that it is to hold.

    Errors: BadRequest; Forbidden for what is read-only; Conflict for a name that is used.
    """
    wanted = bodies.read(context.body, schema.Namespace)
    name = schema.require_segment(wanted.namespace)
    if store.get(context.conn, name) is not None:
        raise Conflict(f"Namespace={name} already exists.")
    now = clock.now()
    new = Namespace(
        id=ids.new(), namespace=name, display_name=wanted.display_name,
        description=wanted.description, visibility=wanted.visibility, protected=wanted.protected,
        owner=wanted.owner or _owner(context), created_at=now, updated_at=now,
    )  # fmt: skip
    context.concerns(name, new.owner)
    store.insert(context.conn, new)
    for kind, contents in bodies.contents(wanted).items():
        access.add(context, new, kind, contents)
    return Reply(201, _whole(context, new), {"Location": context.url(f"{access.PATH}/{name}")})


def _owner(context: Context) -> str:
    if not context.project_id:
        raise BadRequest("A namespace needs an owner: a token scoped to a project, or the "
                         "attribute owner.")  # fmt: skip
    return context.project_id


def show(context: Context) -> object:
    """A namespace with all that it holds; `resource_type` has its properties named with the prefix
    they bear on such resources.

    Errors: NotFound; BadRequest for an unknown `visibility`.
    """
    found = access.find(context)
    require_visibility(context.first("visibility"), "public", "private")
    kind = context.first("resource_type")
    prefix = ""
    if kind:
        item = store.get_item(context.conn, found.id, "type", kind)
        prefix = "" if item is None else item.content.get("prefix", "")
    return _whole(context, found, prefix)


def _whole(context: Context, found: Namespace, prefix: str = "") -> dict[str, Any]:
    held: dict[str, list[Item]] = {}
    for item in store.items(context.conn, [found.id]):
        held.setdefault(item.kind, []).append(item)
    body = access.show_namespace(found)
    if "object" in held:
        body["objects"] = [access.show_object(found, each) for each in held["object"]]
    if "type" in held:
        body["resource_type_associations"] = [access.show_plain(each) for each in held["type"]]
    if "property" in held:
        body["properties"] = {f"{prefix}{each.name}": each.content for each in held["property"]}
    if "tag" in held:
        body["tags"] = [{"name": each.name} for each in held["tag"]]
    return body


def update(context: Context) -> object:
    """Replace what the namespace is; what it holds has its own paths.

    Errors: NotFound; BadRequest; Forbidden for what is read-only; Conflict for a name that is used.
    """
    found = access.change(context)
    wanted = bodies.read(context.body, schema.Changed)
    name = schema.require_segment(wanted.namespace)
    if name != found.namespace and store.get(context.conn, name) is not None:
        raise Conflict(f"Namespace={name} already exists.")
    found.namespace, found.display_name = name, wanted.display_name
    found.description, found.visibility = wanted.description, wanted.visibility
    found.protected, found.owner = wanted.protected, wanted.owner or found.owner
    store.update(context.conn, found)
    return access.show_namespace(found)


def delete(context: Context) -> Reply:
    """Remove a namespace with all that it holds.

    Errors: NotFound; Forbidden when it is protected.
    """
    store.delete(context.conn, access.removable(access.change(context)))
    return Reply(204)
