"""Handlers of what namespaces hold: objects, properties, tags, and the types they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Reply
from andromede.services.image.metadefs import access, bodies, namespaces, schema, store
from andromede.services.image.metadefs.store import Item, Namespace

# The types of resources of this cloud that may carry properties, and since when it names them.
TYPES = ("OS::Glance::Image", "OS::Nova::Aggregate", "OS::Nova::Flavor", "OS::Nova::Server")
SINCE = clock.parse("2026-11-22T00:00:00Z")
SORT_KEYS = ("created_at", "updated_at", "name")
Show = Callable[[Namespace, Item], dict[str, Any]]


def _show_property(_: Namespace, item: Item) -> dict[str, Any]:
    return item.content


def _show_tag(_: Namespace, item: Item) -> dict[str, Any]:
    return access.show_plain(item)


SHOW: dict[str, Show] = {
    "object": access.show_object, "property": _show_property, "tag": _show_tag,
}  # fmt: skip
BODIES: dict[str, Any] = {
    "object": schema.Object, "property": schema.Property, "tag": schema.Tag,
}  # fmt: skip


class Handlers:
    """The handlers of one kind of definition."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def _item(self, context: Context, found: Namespace) -> Item:
        return access.find_item(context, found, self.kind, context.params["name"])

    def create(self, context: Context) -> Reply:
        """Errors: NotFound; BadRequest; Forbidden; Conflict; TooLarge."""
        found = access.change(context)
        content = self._read(context.body)
        access.add(context, found, self.kind, [content])
        item = access.find_item(context, found, self.kind, content["name"])
        return Reply(201, SHOW[self.kind](found, item))

    def _read(self, body: Any) -> dict[str, Any]:
        """Errors: BadRequest; Forbidden."""
        wanted = bodies.read(body, BODIES[self.kind])
        if wanted.name is UNSET:
            raise BadRequest("Provided object does not match its schema: name is missing.")
        return bodies.content(wanted)

    def show(self, context: Context) -> object:
        """Errors: NotFound."""
        found = access.find(context)
        return SHOW[self.kind](found, self._item(context, found))

    def update(self, context: Context) -> object:
        """Replace a definition; another name renames it.

        Errors: NotFound; BadRequest; Forbidden; Conflict.
        """
        found = access.change(context)
        item = self._item(context, found)
        before = item.name
        item.content = self._read(context.body)
        item.name = item.content["name"]
        taken = store.get_item(context.conn, found.id, self.kind, item.name)
        if item.name != before and taken is not None:
            raise Conflict(
                f"A metadata definition {self.kind} with name={item.name} already exists in "
                f"namespace={found.namespace}."
            )
        store.update_item(context.conn, before, item)
        return SHOW[self.kind](found, item)

    def delete(self, context: Context) -> Reply:
        """Errors: NotFound; Forbidden when the namespace is protected."""
        found = access.removable(access.change(context))
        item = self._item(context, found)
        store.delete_items(context.conn, found.id, self.kind, item.name)
        return Reply(204)

    def clear(self, context: Context) -> Reply:
        """Remove all of the kind.

        Errors: NotFound; Forbidden when the namespace is protected.
        """
        found = access.removable(access.change(context))
        store.delete_items(context.conn, found.id, self.kind)
        return Reply(204)


OBJECTS, PROPERTIES, TAGS = Handlers("object"), Handlers("property"), Handlers("tag")


def list_objects(context: Context) -> object:
    """In the order of their making, unless asked otherwise.

    Errors: NotFound; BadRequest for a faulty parameter or marker.
    """
    found, items = _page(context, "object", "asc", least=1)
    shown = [access.show_object(found, each) for each in items]
    return {"objects": shown, "schema": "/v2/schemas/metadefs/objects"}


def list_tags(context: Context) -> object:
    """The newest first, unless asked otherwise.

    Errors: NotFound; BadRequest for a faulty parameter or marker.
    """
    _, items = _page(context, "tag", "desc", least=0)
    shown = [access.show_plain(each) for each in items]
    return {"tags": shown, "schema": "/v2/schemas/metadefs/tags"}


def _page(
    context: Context, kind: str, direction: str, *, least: int
) -> tuple[Namespace, list[Item]]:
    """A part of a namespace's definitions, at most the thousand that it may hold."""
    found = access.find(context)
    namespaces.require_visibility(context.first("visibility"), "public", "private", "shared")
    items = _sorted(context, store.items(context.conn, [found.id], kind), direction)
    marker, limit = context.first("marker"), context.first("limit")
    if marker:
        at = next((at for at, each in enumerate(items) if each.name == marker), None)
        if at is None:
            raise BadRequest(f"marker {marker!r} is not valid: the name of one of the namespace's "
                             f"definitions is accepted.")  # fmt: skip
        items = items[at + 1 :]
    if limit is None:
        return found, items
    return found, items[: namespaces.number(limit, least)]


def _sorted(context: Context, items: list[Item], direction: str) -> list[Item]:
    """Errors: BadRequest for an order that definitions do not have."""
    key = context.first("sort_key") or "created_at"
    direction = context.first("sort_dir") or direction
    namespaces.require_order(key, direction, SORT_KEYS)
    return sorted(
        items, key=lambda each: (getattr(each, key), each.name), reverse=direction == "desc"
    )


def list_properties(context: Context) -> object:
    """Errors: NotFound."""
    found = access.find(context)
    items = store.items(context.conn, [found.id], "property")
    return {
        "properties": {each.name: each.content for each in items},
        "schema": "/v2/schemas/metadefs/properties",
    }


def show_property(context: Context) -> object:
    """One property; with `resource_type` it is asked for by the name it bears on such resources.

    Errors: NotFound.
    """
    kind, name = context.first("resource_type"), context.params["name"]
    if not kind:
        return PROPERTIES.show(context)
    found = access.find(context)
    prefix = access.find_item(context, found, "type", kind).content.get("prefix", "")
    if not name.startswith(prefix):
        raise NotFound(f"Property {name} does not start with the expected resource type "
                       f"association prefix of '{prefix}'.")  # fmt: skip
    item = access.find_item(context, found, "property", name.removeprefix(prefix))
    return {**item.content, "name": name}


def create_tag(context: Context) -> Reply:
    """A tag whose name the path gives.

    Errors: NotFound; BadRequest; Conflict; TooLarge.
    """
    context.body = {"name": context.params["name"]}
    return TAGS.create(context)


def create_tags(context: Context) -> Reply:
    """Set all tags of a namespace, or add to them with `X-Openstack-Append: true`.

    Errors: NotFound; BadRequest; Conflict for one given twice; TooLarge.
    """
    found = access.change(context)
    wanted = bodies.read(context.body, schema.Tags)
    if context.headers.get("x-openstack-append", "").lower() != "true":
        store.delete_items(context.conn, found.id, "tag")
    access.add(context, found, "tag", [bodies.content(each) for each in wanted.tags])
    shown = [{"name": each.name} for each in wanted.tags]
    return Reply(201, {"tags": shown, "schema": "/v2/schemas/metadefs/tags"})


def list_types(context: Context) -> object:
    """The types of resources that namespaces may be, or are, for."""
    known = {**dict.fromkeys(TYPES, SINCE), **store.types(context.conn)}
    shown = [
        {"name": name, "created_at": clock.iso(since), "updated_at": clock.iso(since)}
        for name, since in sorted(known.items())
    ]
    return {"resource_types": shown}


def list_associations(context: Context) -> object:
    """Errors: NotFound."""
    found = access.find(context)
    items = store.items(context.conn, [found.id], "type")
    return {"resource_type_associations": [access.show_plain(each) for each in items]}


def associate(context: Context) -> Reply:
    """Say that a namespace is for a type of resources.

    Errors: NotFound; BadRequest; Forbidden; Conflict when it is already.
    """
    found = access.change(context)
    content = bodies.content(bodies.read(context.body, schema.Association))
    access.add(context, found, "type", [content])
    return Reply(201, access.show_plain(access.find_item(context, found, "type", content["name"])))


def dissociate(context: Context) -> Reply:
    """Errors: NotFound; Forbidden when the namespace is protected."""
    found = access.removable(access.change(context))
    item = access.find_item(context, found, "type", context.params["name"])
    store.delete_items(context.conn, found.id, "type", item.name)
    return Reply(204)
