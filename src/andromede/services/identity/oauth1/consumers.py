"""Rows of /v3/OS-OAUTH1/consumers and their handlers."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, Struct, UnsetType

from andromede import ids
from andromede.http.access import ADMIN, ADMIN_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity.bodies import Text, check_change, extras, given
from andromede.services.identity.links import own, several
from andromede.services.identity.oauth1.store import consumer
from andromede.services.identity.rows import Row, by_id, page_of
from andromede.services.identity.user_credentials.routes import PURPOSE, keys_of


class Consumer(Struct):
    """Both of a new consumer and of a change."""

    description: Text | UnsetType | None = UNSET


class ConsumerBody(Struct):
    consumer: Consumer


class Secret(Struct, frozen=True):
    """The id and the secret of a new consumer, and the secret as the keys role wrapped it."""

    id: str
    text: str
    wrapped: bytes


def _view(context: Context, row: Row) -> dict[str, Any]:
    links = own(context, f"OS-OAUTH1/consumers/{row.id}")
    return {**row.extra, "id": row.id, "description": row.description, "links": links}


def _find(context: Context, identifier: str | None = None) -> Row:
    """A consumer, by default that of the path. Errors: NotFound."""
    identifier = identifier or context.params["consumer_id"]
    row = by_id(context.conn, consumer, identifier)
    if row is None:
        raise NotFound(f"Could not find Consumer: {identifier}.")
    context.concerns(row.id)
    return row


def make_secret(context: Context) -> Secret:
    identifier, text = ids.new_hex(), secrets.token_hex(16)
    place = f"oauth1/{identifier}"
    return Secret(identifier, text, keys_of(context).wrap(PURPOSE, place, text.encode()))


def create(context: Context) -> dict[str, Any]:
    """The answer alone tells the secret."""
    body: Consumer = context.body.consumer
    made: Secret = context.prepared
    row = {
        "id": made.id, "description": given(body, "description").get("description"),
        "wrapped": made.wrapped, "extra": extras(context, "consumer", Consumer),
    }  # fmt: skip
    context.conn.execute(sa.insert(consumer), row)
    return {"consumer": {**_view(context, _find(context, made.id)), "secret": made.text}}


def list_all(context: Context) -> dict[str, Any]:
    rows, more = page_of(context.conn, consumer, [], read_page(context.query))
    return several(context, "consumers", [_view(context, row) for row in rows], more=more)


def show(context: Context) -> dict[str, Any]:
    return {"consumer": _view(context, _find(context))}


def update(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for another secret, which is not chosen."""
    row = _find(context)
    body: Consumer = context.body.consumer
    check_change(context, "consumer", row.id, "consumer")
    if "secret" in msgspec.json.decode(context.raw_body)["consumer"]:
        raise BadRequest("Cannot change consumer secret")
    values = given(body, "description")
    values["extra"] = {**row.extra, **extras(context, "consumer", Consumer)}
    context.conn.execute(sa.update(consumer).where(consumer.c.id == row.id).values(**values))
    return {"consumer": _view(context, _find(context))}


def delete(context: Context) -> Reply:
    row = _find(context)
    context.conn.execute(sa.delete(consumer).where(consumer.c.id == row.id))
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/OS-OAUTH1/consumers{path}", handler=handler,
        action=f"identity:consumer:{verb}", allow=ADMIN_READER if method == "GET" else ADMIN,
        **more,
    )  # fmt: skip


ONE = "/{consumer_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=ConsumerBody, prepare=make_secret, status=201),
    _row("GET", ONE, show, "show"),
    _row("PATCH", ONE, update, "update", body=ConsumerBody),
    _row("DELETE", ONE, delete, "delete", status=204),
]
