"""A user's change of its own password, which the old password alone allows."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Unauthorized
from andromede.http.operation import Operation, Reply
from andromede.services.identity import passwords
from andromede.services.identity.auth.prove import find_user
from andromede.services.identity.auth.schema import UserRef
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.users import store
from andromede.services.identity.users.schema import PasswordChange, PasswordChangeBody
from andromede.sovereignty.consent import rules

log = structlog.get_logger("identity")


class Hashes(Struct, frozen=True):
    """The hash the old password was proven against, and that of the new one."""

    old: str
    new: str


def prove_and_hash(context: Context) -> Hashes:
    """Check the old password and hash the new one, outside of any transaction.

    Errors: Unauthorized; BadRequest when this user's password is locked.
    """
    body: PasswordChange = context.body.user
    user_id = context.params["user_id"]
    with context.cloud.database.read() as connection:
        row = find_user(connection, UserRef(id=user_id))
    stored = row.password_hash if row is not None and row.enabled else None
    proven = passwords.matches(stored or passwords.NOBODY, body.original_password)
    if row is None or stored is None or not proven:
        log.warning("password change refused", user_id=user_id, remote=context.remote)
        raise Unauthorized(REFUSED)
    if row.options.get("lock_password"):
        raise BadRequest(
            "Password validation error: You cannot change your password at this time due to "
            "password policy disallowing password changes. An administrator can reset it."
        )
    return Hashes(stored, passwords.digest(body.password))


def change(context: Context) -> Reply:
    """Store the new hash if the old one still stands, and kill the user's tokens; where operators
    ask for consent, also the credentials that whoever had set the old one may have made with it."""
    hashes: Hashes = context.prepared
    user_id = context.params["user_id"]
    changed = context.conn.execute(
        sa.update(store.user)
        .where(store.user.c.id == user_id, store.user.c.password_hash == hashes.old)
        .values(password_hash=hashes.new, password_known=False)
    )
    if changed.rowcount == 0:
        raise Conflict(f"The password of user {user_id} was changed by another request.")
    revocations.revoke(context.conn, [revocations.user_subject(user_id)])
    if rules.needed(context.conn, ""):
        credentials.delete(context.conn, credentials.of_known_password(context.conn, user_id))
    context.concerns(user_id)
    return Reply(204)


OPERATION = Operation(
    method="POST", path="/v3/users/{user_id}/password", handler=change,
    action="identity:user:change_password", allow=None, body=PasswordChangeBody,
    prepare=prove_and_hash, status=204,
)  # fmt: skip
