"""A user's change of its own password, which the old password alone allows."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import Conflict, Unauthorized
from andromede.http.operation import Operation, Reply
from andromede.services.identity import passwords
from andromede.services.identity.auth.prove import find_user
from andromede.services.identity.auth.schema import UserRef
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.user_credentials import store as pairs
from andromede.services.identity.users import compliance, store
from andromede.services.identity.users.schema import PasswordChange, PasswordChangeBody
from andromede.sovereignty.consent import rules as consents

log = structlog.get_logger("identity")


class Hashes(Struct, frozen=True):
    """The hash the old password was proven against, and that of the new one."""

    old: str
    new: str


def prove_and_hash(context: Context) -> Hashes:
    """Check the old password and hash the new one, outside of any transaction. An expired password
    is good enough for that.

    Errors: Unauthorized; BadRequest when this user's password is locked, or the new one is not what
    the cloud asks for.
    """
    body: PasswordChange = context.body.user
    user_id, database = context.params["user_id"], context.cloud.database
    rules = context.cloud.config.security_compliance
    with database.read() as connection:
        row = find_user(connection, UserRef(id=user_id))
        former = store.former_hashes(connection, user_id, rules.unique_last_password_count - 1)
    stored = row.password_hash if row is not None and compliance.enabled(row, rules) else None
    unlocked = row is not None and compliance.begin_attempt(database, row, rules)
    proven = passwords.matches(stored or passwords.NOBODY, body.original_password)
    if row is None or stored is None or not (proven and unlocked):
        log.warning("password change refused", user_id=user_id, remote=context.remote)
        raise Unauthorized(REFUSED)
    compliance.succeeded(database, row, rules, by_password=True)
    compliance.check_own_change(rules, row, body.original_password, body.password, former)
    return Hashes(stored, passwords.digest(body.password))


def change(context: Context) -> Reply:
    """Store the new hash if the old one still stands, and kill the user's tokens; where operators
    ask for consent, also the credentials and trusts that whoever had set the old one may have
    made with it."""
    hashes: Hashes = context.prepared
    user_id = context.params["user_id"]
    rules, row = context.cloud.config.security_compliance, store.get(context.conn, user_id)
    options = row.options if row is not None else {}
    changed = context.conn.execute(
        sa.update(store.user)
        .where(store.user.c.id == user_id, store.user.c.password_hash == hashes.old)
        .values(
            password_hash=hashes.new,
            password_known=False,
            **compliance.fresh(rules, options, by_user=True),
        )
    )
    if changed.rowcount == 0:
        raise Conflict(f"The password of user {user_id} was changed by another request.")
    store.keep_former(context.conn, user_id, hashes.old, rules.unique_last_password_count - 1)
    revocations.revoke(context.conn, [revocations.user_subject(user_id)])
    if consents.needed(context.conn, ""):
        credentials.delete(context.conn, credentials.of_known_password(context.conn, user_id))
        pairs.delete_of_known_password(context.conn, user_id)
        trusts.delete_of_known_password(context.conn, user_id)
    context.concerns(user_id)
    return Reply(204)


OPERATION = Operation(
    method="POST", path="/v3/users/{user_id}/password", handler=change,
    action="identity:user:change_password", allow=None, body=PasswordChangeBody,
    prepare=prove_and_hash, status=204,
)  # fmt: skip
