"""Key pairs over HTTP: a user's own, and for operators those of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from andromede import clock
from andromede.db.types import LONGEST_ID
from andromede.http.access import PROJECT
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.operation import Operation
from andromede.http.paging import Page, read_page
from andromede.quotas import require
from andromede.services.compute import links, values
from andromede.services.compute.keypairs import crypto, store
from andromede.services.compute.keypairs.schema import NewKeypairBody, OldKeypairBody
from andromede.services.compute.keypairs.store import Keypair
from andromede.services.compute.limits import store as limits
from andromede.services.identity import api as identity

OTHERS = (2, 10)  # from here on an operator may name another user


def _owner(context: Context, wanted: str | None) -> str:
    """The user whose key pairs are meant.

    Errors: Forbidden for another's, except to operators.
    """
    caller = context.caller
    if wanted and wanted != caller.user_id and not caller.admin:
        raise Forbidden(
            f"Policy doesn't allow {context.operation.action} to be performed on key pairs of "
            f"another user; an admin may."
        )
    return wanted or caller.user_id


def _asked_owner(context: Context, *more: str) -> str:
    values.known_query(context, ("user_id", *more))
    return _owner(context, context.first("user_id") if context.version >= OTHERS else None)


def _brief(keypair: Keypair) -> dict[str, Any]:
    return {
        "name": keypair.name,
        "public_key": keypair.public_key,
        "fingerprint": keypair.fingerprint,
        "type": keypair.type,
    }


def prepare(context: Context) -> tuple[str, str | None, str]:
    """The public key, the private one if it was generated, and the fingerprint.

    Errors: BadRequest when there is no usable key; Forbidden for another user's.
    """
    new = context.body.keypair
    refuse_null(context, "keypair", "public_key", "user_id")
    values.printable(new.name, "name")
    private = None
    public = new.public_key
    if public is None:
        private, public = crypto.generate(new.type, _owner(context, new.user_id))
    return public, private, crypto.fingerprint(public, new.type)


def create(context: Context) -> dict[str, Any]:
    """Errors: OverLimit; Conflict; Refused for an operator who makes another user's without consent."""
    new = context.body.keypair
    public, private, fingerprint = context.prepared
    user_id = _owner(context, new.user_id)
    if len(user_id) > LONGEST_ID:
        raise BadRequest(f"user_id has {len(user_id)} characters; up to {LONGEST_ID} are accepted.")
    identity.require_opening(context, user_id)  # whose servers would let the key's holder in
    most = limits.limits(context.conn, context.project_id)["key_pairs"]
    used = store.count(context.conn, user_id)
    require(most, used, 1, "Quota exceeded, too many key pairs.")
    store.insert(
        context.conn,
        user_id=user_id,
        name=new.name,
        kind=new.type,
        public_key=public,
        fingerprint=fingerprint,
    )
    context.concerns(new.name)
    context.notes["user"] = user_id
    kept = store.get(context.conn, user_id, new.name)
    shown = {**_brief(kept), "user_id": user_id}
    return {"keypair": shown if private is None else {**shown, "private_key": private}}


def show(context: Context) -> dict[str, Any]:
    keypair = store.get(context.conn, _asked_owner(context), context.params["name"])
    created = datetime.fromtimestamp(keypair.created_at / clock.SECOND, UTC)
    return {
        "keypair": {
            **_brief(keypair),
            "user_id": keypair.user_id,
            "id": keypair.id,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "deleted": False,
            "deleted_at": None,
            "updated_at": None,
        }
    }


def list_all(context: Context) -> dict[str, Any]:
    """Before 2.35 there is no paging."""
    keypairs = store.page(context.conn, _asked_owner(context), Page())
    return {"keypairs": [{"keypair": _brief(each)} for each in keypairs]}


def list_page(context: Context) -> dict[str, Any]:
    user_id, page = _asked_owner(context, "limit", "marker"), read_page(context.query)
    keypairs = store.page(context.conn, user_id, page)
    body: dict[str, Any] = {"keypairs": [{"keypair": _brief(each)} for each in keypairs]}
    following = links.next_page(
        context, "os-keypairs", page, values.MOST_LISTED, [each.name for each in keypairs]
    )
    if following:
        body["keypairs_links"] = following
    return body


def delete(context: Context) -> None:
    user_id = _asked_owner(context)
    store.delete(context.conn, user_id, context.params["name"])
    context.concerns(context.params["name"])
    context.notes["user"] = user_id


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method,
        path=f"/v2.1/os-keypairs{path}",
        handler=handler,
        action=f"compute:keypair:{verb}",
        allow=PROJECT,
        **more,
    )


def _create(status: int, body: Any, since: Any, until: Any) -> Operation:
    return _row(
        "POST", "", create, "create",
        prepare=prepare, status=status, body=body, since=since, until=until, places="expose",
    )  # fmt: skip


OPERATIONS = [
    _create(200, OldKeypairBody, None, (2, 1)),
    _create(201, OldKeypairBody, (2, 2), (2, 91)),
    _create(201, NewKeypairBody, (2, 92), None),
    _row("GET", "", list_all, "list", until=(2, 34)),
    _row("GET", "", list_page, "list", since=(2, 35)),
    _row("GET", "/{name}", show, "show"),
    _row("DELETE", "/{name}", delete, "delete", status=202, until=(2, 1)),
    _row("DELETE", "/{name}", delete, "delete", status=204, since=(2, 2)),
]
