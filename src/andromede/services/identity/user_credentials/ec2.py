"""Rows of /v3/users/{user_id}/credentials/OS-EC2 and their handlers: the same credentials, as pairs of
an access key and a secret. Source: the identity API's extension OS-EC2."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from andromede.db import Connection
from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import Id
from andromede.services.identity.links import own, several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import Row
from andromede.services.identity.telling import Act
from andromede.services.identity.user_credentials import store
from andromede.services.identity.user_credentials.routes import (
    MANAGE,
    PURPOSE,
    keys_of,
)
from andromede.services.identity.users import store as users
from andromede.sovereignty.consent.settings import settings


class NewPair(Struct):
    tenant_id: Id


class Pair(Struct, frozen=True):
    """A new access key with its secret, and the blob of both as the keys role wrapped it."""

    access: str
    secret: str
    wrapped: bytes


def pair_of(context: Context, row: Row) -> dict[str, Any]:
    """The access key and the secret of a credential."""
    found: dict[str, Any] = msgspec.json.decode(
        keys_of(context).unwrap(PURPOSE, row.id, row.wrapped)
    )
    return found


def _views(context: Context, connection: Connection, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows, with the secrets that the caller may see."""
    everything = settings(connection).operator_access == "open"
    found = []
    for row in rows:
        pair, mine = pair_of(context, row), row.user_id == context.caller.user_id
        shown = _view(context, row.user_id, row.project_id, pair["access"], pair.get("secret"))
        found.append(shown if mine or everything else {**shown, "secret": None})
    return found


def _view(
    context: Context, user_id: str, project_id: str, access: str, secret: str | None
) -> dict[str, Any]:
    return {
        "access": access,
        "secret": secret,
        "user_id": user_id,
        "tenant_id": project_id,
        "trust_id": None,
        "links": own(context, f"users/{user_id}/credentials/OS-EC2/{access}"),
    }


def _owner(context: Context, connection: Connection, *, change: bool) -> str:
    """The user of the path, when its credentials are the caller's to see.

    Errors: Forbidden, NotFound.
    """
    user_id, caller = context.params["user_id"], context.caller
    allowed = caller.admin if change else policy.system_reader(caller)
    policy.require(context, allowed or user_id == caller.user_id)
    policy.require_whole(context, MANAGE)
    if users.get(connection, user_id) is None:
        raise NotFound(f"Could not find user: {user_id}.")
    return user_id


def _find(context: Context, connection: Connection, *, change: bool) -> Row:
    user_id = _owner(context, connection, change=change)
    row = store.by_access(connection, context.params["access"])
    if row is None or row.user_id != user_id:
        raise NotFound(f"Could not find credential: {context.params['access']}.")
    return row


def list_all(context: Context) -> dict[str, Any]:
    with context.cloud.database.read() as connection:
        user_id = _owner(context, connection, change=False)
        rows = store.of_user(connection, user_id, store.EC2)
        shown = _views(context, connection, rows)
    return several(context, "credentials", shown)


def show(context: Context) -> dict[str, Any]:
    with context.cloud.database.read() as connection:
        row = _find(context, connection, change=False)
        return {"credential": _views(context, connection, [row])[0]}


def make_pair(context: Context) -> Pair:
    """A new pair, wrapped before the transaction."""
    access, secret = secrets.token_hex(16), secrets.token_hex(16)
    blob = msgspec.json.encode({"access": access, "secret": secret, "trust_id": None})
    return Pair(access, secret, keys_of(context).wrap(PURPOSE, store.hash_of(access), blob))


def create(context: Context) -> dict[str, Any]:
    user_id = _owner(context, context.conn, change=True)
    pair, project_id = context.prepared, context.body.tenant_id
    takeover.take(context, user_id, Act.CREDENTIAL)
    place = projects.get(context.conn, project_id)
    if place is None or place.is_domain:
        raise NotFound(f"Could not find project: {project_id}.")
    key = store.hash_of(pair.access)
    row = {
        "id": key, "user_id": user_id, "project_id": project_id, "type": store.EC2,
        "wrapped": pair.wrapped, "access_hash": key,
        "password_known": users.password_known(context.conn, user_id),
    }  # fmt: skip
    store.insert(context.conn, row)
    context.concerns(key, project_id)
    context.notes |= {"type": store.EC2, "user": user_id}
    return {"credential": _view(context, user_id, project_id, pair.access, pair.secret)}


def delete(context: Context) -> Reply:
    row = _find(context, context.conn, change=True)
    store.delete(context.conn, row.id)
    context.concerns(row.id, row.project_id)
    context.notes = {"type": store.EC2, "user": row.user_id}
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/users/{{user_id}}/credentials/OS-EC2{path}", handler=handler,
        action=f"identity:ec2_credential:{verb}", allow=AUTHENTICATED, **more,
    )  # fmt: skip


ONE = "/{access}"
OPERATIONS = [
    _row("GET", "", list_all, "list", transaction=Transaction.OWN),
    _row(
        "POST", "", create, "create", body=NewPair, prepare=make_pair, status=201, places="expose"
    ),
    _row("GET", ONE, show, "show", transaction=Transaction.OWN),
    _row("DELETE", ONE, delete, "delete", status=204),
]
