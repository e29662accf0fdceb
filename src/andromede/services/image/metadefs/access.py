"""Which namespaces a caller sees, what they look like, and how much one may hold."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import Conflict, Forbidden, NotFound, TooLarge
from andromede.services.image.metadefs import store
from andromede.services.image.metadefs.store import Item, Namespace

PATH = "/v2/metadefs/namespaces"
MOST = 1000  # items of one kind in one namespace


def visible(caller: Caller) -> list[sa.ColumnElement[bool]]:
    """The condition on what a list shows: an operator sees all, others the public and their own."""
    if caller.admin:
        return []
    mine = store.namespace.c.owner == (caller.project_id or "")
    return [sa.or_(store.namespace.c.visibility == "public", mine)]


def find(context: Context) -> Namespace:
    """The namespace of the path, if the caller sees it.

    Errors: NotFound.
    """
    name = context.params["namespace"]
    found = store.get(context.conn, name)
    caller = context.caller
    if found is not None and (caller.admin or found.visibility == "public"):
        return found
    if found is None or found.owner != caller.project_id:
        raise NotFound(f"Metadata definition namespace={name} not found.")
    return found


def change(context: Context) -> Namespace:
    """The namespace of the path, whose content is to change; the log learns of it.

    Errors: NotFound.
    """
    found = find(context)
    context.concerns(found.namespace, found.owner)
    return found


def removable(found: Namespace) -> Namespace:
    """Errors: Forbidden when it is protected."""
    if found.protected:
        raise Forbidden(f"Metadata definition namespace {found.namespace} is protected and cannot "
                        f"be deleted.")  # fmt: skip
    return found


def add(context: Context, found: Namespace, kind: str, contents: list[dict[str, Any]]) -> None:
    """Add items to a namespace; each content has a `name`.

    Errors: Conflict for a name that is there; TooLarge past 1,000 of one kind.
    """
    names = [each["name"] for each in contents]
    there = {each.name for each in store.items(context.conn, [found.id], kind)}
    twice = next((name for at, name in enumerate(names) if name in there or name in names[:at]), "")
    if twice:
        raise Conflict(
            f"A metadata definition {kind} with name={twice} already exists in "
            f"namespace={found.namespace}."
        )
    if len(there) + len(names) > MOST:
        raise TooLarge(
            f"Namespace {found.namespace} holds {len(there)} definitions of kind {kind}; at most "
            f"{MOST} are accepted."
        )
    now = clock.now()
    for at, content in enumerate(contents):
        store.insert_item(context.conn, Item(
            namespace_id=found.id, kind=kind, name=content["name"], content=content,
            created_at=now + at, updated_at=now + at,
        ))  # fmt: skip


def find_item(context: Context, found: Namespace, kind: str, name: str) -> Item:
    """Errors: NotFound."""
    item = store.get_item(context.conn, found.id, kind, name)
    if item is None:
        raise NotFound(
            f"The metadata definition {kind} with name={name} was not found in "
            f"namespace={found.namespace}."
        )
    return item


def moments(each: Namespace | Item) -> dict[str, str]:
    return {
        "created_at": clock.iso(each.created_at),
        "updated_at": clock.iso(each.updated_at),
    }


def show_namespace(found: Namespace) -> dict[str, Any]:
    """A namespace without what it holds."""
    texts = {"display_name": found.display_name, "description": found.description}
    return {
        "namespace": found.namespace,
        **{name: text for name, text in texts.items() if text is not None},
        "visibility": found.visibility,
        "protected": found.protected,
        "owner": found.owner,
        **moments(found),
        "self": f"{PATH}/{found.namespace}",
        "schema": "/v2/schemas/metadefs/namespace",
    }


def show_object(found: Namespace, item: Item) -> dict[str, Any]:
    return {
        **item.content,
        **moments(item),
        "self": f"{PATH}/{found.namespace}/objects/{item.name}",
        "schema": "/v2/schemas/metadefs/object",
    }


def show_plain(item: Item) -> dict[str, Any]:
    """A tag, or the association of a type."""
    return {**item.content, **moments(item)}
