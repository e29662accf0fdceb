"""What the handlers of every noun do alike: create one or many, find or refuse, list, show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest
from andromede.http.operation import Reply
from andromede.services.network.common import attributes, errors, listing, store
from andromede.services.network.common.attributes import Schema
from andromede.services.network.common.store import Collection, Row
from andromede.sovereignty.consent.rules import Kind

Views = Callable[[Context, Sequence[Row]], list[Row]]
Make = Callable[[Context, dict[str, Any]], Row]


def create(context: Context, schema: Schema, make: Make) -> dict[str, Any]:
    """Make every resource of the body; `make(context, values)` gives the view of one.

    All are made or none: they share the transaction.
    """
    sent, bulk = attributes.documents(schema, context.body)
    made = []
    for each in sent:
        values = attributes.read_create(schema, each, context)
        view = make(context, values)
        context.concerns(view["id"], view["project_id"] or None)
        made.append(attributes.visible(schema, view, context.caller))
    if bulk:
        context.notes["ids"] = [view["id"] for view in made]
        return {schema.plural: made}
    return {schema.name: made[0]}


def read_change(context: Context, schema: Schema) -> dict[str, Any]:
    """The values a PUT wants to change, by attribute name."""
    sent = attributes.envelope(schema, context.body)
    return attributes.read_update(schema, sent, context)


def find(context: Context, collection: Collection, key: str | None = None) -> Row:
    """The resource of the path, or of `key`, if the caller may see it.

    Errors: NotFound in the noun's own type.
    """
    wanted = context.params["id"] if key is None else key
    row = store.find(context.conn, collection, context.caller, wanted)
    if row is None:
        raise errors.missing(collection.schema.name, wanted)
    touch(context, [row])
    return row


def touch(context: Context, rows: Iterable[Row]) -> None:
    """Note which resources were seen, besides those that are for everybody."""
    for row in rows:
        if not (row.get("shared") or row.get("external")):
            context.touches(row["id"], row["project_id"])


def require_way(context: Context, row: Row) -> None:
    """Have an operator bring its customer's consent before something else comes to a customer's
    network, router or port, or it is opened to others: what is behind it would be within reach.

    Errors: Refused.
    """
    if context.caller.admin and not (row.get("shared") or row.get("external")):
        context.require_consent(Kind.ACCESS, row["project_id"], row["id"])


def find_own(context: Context, collection: Collection, act: str, key: str | None = None) -> Row:
    """The resource of the path, if the caller may change it.

    Errors: NotFound when it may not be seen; Forbidden when it is seen and another project's; a 412
    when the client means another revision of it.
    """
    row = find(context, collection, key)
    if not context.caller.admin and row["project_id"] != context.project_id:
        raise errors.forbidden(
            f"rule:{act}_{collection.schema.name} is disallowed by policy: "
            f"{row['id']} belongs to another project"
        )
    if not key:
        _require_revision(context, row)
    context.concerns(row["id"], row["project_id"] or None)
    return row


def _require_revision(context: Context, row: Row) -> None:
    """Errors: a 412 when the client asks by `If-Match` for another revision than there is;
    BadRequest for a condition that is none."""
    wanted = context.headers.get("if-match")
    if wanted is None or "revision_number" not in row:
        return
    name, _, number = wanted.partition("=")
    if name.strip() != "revision_number" or not (number.isascii() and number.isdigit()):
        raise BadRequest(f"Invalid If-Match '{wanted}': revision_number=<number> is accepted")
    if int(number) != row["revision_number"]:
        raise ApiError(
            f"Constrained to {number}, but current revision is {row['revision_number']}",
            status=412,
            type="RevisionNumberConstraintFailed",
        )


def show(context: Context, collection: Collection, views: Views) -> dict[str, Any]:
    row = find(context, collection)
    return listing.shown(collection.schema, views(context, [row])[0], context)


def index(context: Context, collection: Collection, views: Views) -> dict[str, Any]:
    schema = collection.schema
    query = listing.read_query(context, schema, collection.related_names)
    rows, more = store.page(context.conn, collection, context.caller, query)
    touch(context, rows)
    return listing.answer(context, schema, query, views(context, rows), more)


def one(context: Context, collection: Collection, views: Views, key: str) -> dict[str, Any]:
    """The body of a resource as it is now, after a change."""
    row = store.find(context.conn, collection, context.caller, key)
    assert row is not None
    view = attributes.visible(collection.schema, views(context, [row])[0], context.caller)
    return {collection.schema.name: view}


def gone() -> Reply:
    return Reply(204)
