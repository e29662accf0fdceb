"""Rows of /v3/credentials and their handlers.

Blobs go to the keys role and come from it outside of any transaction. While operators need
customers' consent, they see no blob of another user.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, Struct, UnsetType

from andromede import ids, totp
from andromede.cloud import Keys
from andromede.db import Connection
from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound
from andromede.http.operation import Operation, Reply, Transaction
from andromede.http.paging import read_page
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import given
from andromede.services.identity.grants import operators
from andromede.services.identity.links import own, several
from andromede.services.identity.rows import Row, page_of
from andromede.services.identity.telling import Act
from andromede.services.identity.user_credentials import store
from andromede.services.identity.user_credentials.schema import (
    CredentialChangeBody,
    NewCredentialBody,
)
from andromede.services.identity.users import store as users
from andromede.sovereignty.consent.settings import settings

PURPOSE = "credential"
MANAGE = "manage credentials"


class Sealed(Struct, frozen=True):
    """A credential's id, its blob as the keys role wrapped it for that id when it is a new one,
    and as the caller may see it, and its access key if it has one."""

    id: str
    wrapped: bytes
    blob: str | None
    access: str | None = None


def keys_of(context: Context) -> Keys:
    keys = context.cloud.keys
    if keys is None:
        raise RuntimeError("this process has no way to the keys role")
    return keys


def _check_blob(kind: str, blob: str) -> str | None:
    """The access key of an EC2 credential; None of other types.

    Errors: BadRequest for a blob that is not what its type needs.
    """
    if kind == store.TOTP:
        try:
            totp.secret_of(blob)
        except ValueError as error:
            raise BadRequest(f"Invalid blob of a totp credential: {error}.") from error
    if kind != store.EC2:
        return None
    try:
        document = msgspec.json.decode(blob, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadRequest("Invalid blob in credential: it must be valid JSON.") from error
    access = document.get("access")
    if not isinstance(access, str) or not access:
        raise BadRequest("Invalid blob in credential: it needs the member access.")
    return access


def seal_new(context: Context) -> Sealed:
    """Check and wrap the blob of a new credential, before the transaction."""
    body: NewCredentialBody = context.body
    asked = body.credential
    access = _check_blob(asked.type, asked.blob)
    if access is not None and asked.project_id is None:
        raise BadRequest("Missing project_id: an ec2 credential belongs to a project.")
    key = ids.new_hex() if access is None else store.hash_of(access)
    wrapped = keys_of(context).wrap(PURPOSE, key, asked.blob.encode())
    return Sealed(key, wrapped, asked.blob, access)


def create(context: Context) -> dict[str, Any]:
    body: NewCredentialBody = context.body
    asked, sealed = body.credential, context.prepared
    user_id = asked.user_id or context.caller.user_id
    policy.require(context, context.caller.admin or user_id == context.caller.user_id)
    policy.require_whole(context, MANAGE)
    if users.get(context.conn, user_id) is None:
        raise BadRequest(f"Could not find user: {user_id}.")
    _require_factor(context, user_id, asked.type)
    takeover.take(context, user_id, Act.CREDENTIAL)
    if store.get(context.conn, sealed.id) is not None:
        raise taken()
    row = {
        "id": sealed.id, "user_id": user_id, "project_id": asked.project_id, "type": asked.type,
        "wrapped": sealed.wrapped, "access_hash": access_hash(context, sealed.access),
        "password_known": users.password_known(context.conn, user_id),
    }  # fmt: skip
    store.insert(context.conn, row)
    context.concerns(sealed.id, asked.project_id)
    context.notes |= {"type": asked.type, "user": user_id}
    made = store.get(context.conn, sealed.id)
    return {"credential": _view(context, made, sealed.blob)}


def taken() -> Conflict:
    return Conflict("Conflict occurred attempting to store credential - the access key is used.")


def access_hash(context: Context, access: str | None, held_by: str | None = None) -> str | None:
    """How the access key is found. Errors: Conflict when another credential has it."""
    if access is None:
        return None
    row = store.by_access(context.conn, access)
    if row is not None and row.id != held_by:
        raise taken()
    return store.hash_of(access)


def _require_factor(context: Context, user_id: str, *kinds: str) -> None:
    """Let nobody who has one factor make the second: who has a passcode, or an operator's role,
    changes passcodes with a token of two factors, or has an operator do it.

    Errors: Forbidden.
    """
    caller = context.caller
    if store.TOTP not in kinds or caller.admin or store.TOTP in caller.methods:
        return
    held = store.of_user(context.conn, user_id, store.TOTP)
    if held or operators.holds(context.conn, user_id) or caller.application_credential_id:
        raise Forbidden(
            "You are not authorized to perform the requested action: a second factor is changed "
            "with a token that was got with it (methods password and totp), and that of a user "
            "with an operator's role, or a lost one, by an operator."
        )


def _view(context: Context, row: Any, blob: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "type": row.type,
        "blob": blob,
        "links": own(context, f"credentials/{row.id}"),
    }


def _views(context: Context, connection: Connection, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows with the blobs that the caller may see."""
    everything = settings(connection).operator_access == "open"
    return [_view(context, row, _blob(context, row, everything)) for row in rows]


def _blob(context: Context, row: Row, everything: bool) -> str | None:
    if not everything and row.user_id != context.caller.user_id:
        return None
    return keys_of(context).unwrap(PURPOSE, row.id, row.wrapped).decode()


def list_all(context: Context) -> dict[str, Any]:
    """The caller's credentials; every user's for those who may read everything."""
    policy.require_whole(context, MANAGE)
    table = store.credential
    where: list[sa.ColumnElement[bool]] = []
    if not policy.system_reader(context.caller):
        where.append(table.c.user_id == context.caller.user_id)
    for name in ("user_id", "type"):
        value = context.first(name)
        if value is not None:
            where.append(table.c[name] == value)
    with context.cloud.database.read() as connection:
        rows, more = page_of(connection, table, where, read_page(context.query))
        shown = _views(context, connection, rows)
    return several(context, "credentials", shown, more=more)


def _find(context: Context, connection: Connection, allowed: bool) -> Row:
    """The credential of the path, when it is the caller's or the caller is allowed.

    Errors: Forbidden, whether or not there is one; NotFound.
    """
    policy.require_whole(context, MANAGE)
    key = context.params["credential_id"]
    row = store.get(connection, key)
    mine = row is not None and row.user_id == context.caller.user_id
    policy.require(context, allowed or mine)
    if row is None:
        raise NotFound(f"Could not find credential: {key}.")
    return row


def show(context: Context) -> dict[str, Any]:
    with context.cloud.database.read() as connection:
        row = _find(context, connection, policy.system_reader(context.caller))
        return {"credential": _views(context, connection, [row])[0]}


def seal_change(context: Context) -> Sealed:
    """Wrap the new blob, or open the one that stays, before the transaction."""
    body: CredentialChangeBody = context.body
    blob, key = body.credential.blob, context.params["credential_id"]
    if not isinstance(blob, UnsetType):
        wrapped = keys_of(context).wrap(PURPOSE, key, blob.encode())
        return Sealed(key, wrapped, blob)
    with context.cloud.database.read() as connection:
        row = _find(context, connection, context.caller.admin)
        return Sealed(key, row.wrapped, _views(context, connection, [row])[0]["blob"])


def update(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for a blob or type that do not fit; Conflict for a used access key."""
    row = _find(context, context.conn, context.caller.admin)
    body: CredentialChangeBody = context.body
    asked, sealed = body.credential, context.prepared
    if asked.id not in (UNSET, row.id) or asked.user_id not in (UNSET, row.user_id):
        raise BadRequest(
            f"Credential {row.id} keeps its id and its owner {row.user_id}: type, blob and project_id "
            "are accepted."
        )
    kind = row.type if isinstance(asked.type, UnsetType) else asked.type
    _require_factor(context, row.user_id, kind, row.type)
    takeover.take(context, row.user_id, Act.CREDENTIAL)
    if kind != row.type and (isinstance(asked.blob, UnsetType) or store.EC2 in (kind, row.type)):
        raise BadRequest(
            f"The type of credential {row.id} is {row.type}: another one comes with a new blob, "
            "and ec2 neither from another type nor to one."
        )
    values = given(asked, "type", "project_id")
    if not isinstance(asked.blob, UnsetType):
        access = _check_blob(kind, asked.blob)
        values["access_hash"] = access_hash(context, access, row.id)
        values["wrapped"] = sealed.wrapped
    store.change(context.conn, row.id, values)
    context.concerns(row.id, row.project_id)
    context.notes |= {"type": kind, "user": row.user_id}
    changed = store.get(context.conn, row.id)
    return {"credential": _view(context, changed, sealed.blob)}


def delete(context: Context) -> Reply:
    row = _find(context, context.conn, context.caller.admin)
    _require_factor(context, row.user_id, row.type)
    store.delete(context.conn, row.id)
    context.concerns(row.id, row.project_id)
    context.notes = {"type": row.type, "user": row.user_id}
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/credentials{path}", handler=handler,
        action=f"identity:credential:{verb}", allow=AUTHENTICATED, **more,
    )  # fmt: skip


ONE = "/{credential_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list", transaction=Transaction.OWN),
    _row(
        "POST",
        "",
        create,
        "create",
        body=NewCredentialBody,
        prepare=seal_new,
        status=201,
        places="expose",
    ),
    _row("GET", ONE, show, "show", transaction=Transaction.OWN),
    _row(
        "PATCH",
        ONE,
        update,
        "update",
        body=CredentialChangeBody,
        prepare=seal_change,
        places="expose",
    ),
    _row("DELETE", ONE, delete, "delete", status=204),
]
