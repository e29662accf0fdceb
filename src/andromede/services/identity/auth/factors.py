"""The second factor: which logins count as two, and the passcodes that make them so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from andromede import clock, totp
from andromede.cloud import Keys
from andromede.db import Connection, Database
from andromede.http.errors import Unauthorized
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens.verify import REFUSED
from andromede.services.identity.user_credentials import store
from andromede.services.identity.user_credentials.routes import PURPOSE
from andromede.sovereignty.consent.settings import settings

BOTH = frozenset({"password", "totp"})


class Passcode(Struct, frozen=True):
    """A passcode a client gave, and the credentials that it may be of."""

    text: str
    rows: Sequence[Row]


def two(methods: Iterable[str]) -> bool:
    """Whether these methods are a password and a passcode."""
    return set(methods) >= BOTH


def refusal(
    connection: Connection, methods: Iterable[str], credential: Row | None
) -> Unauthorized | None:
    """What an operator is told who comes with one factor while the cloud asks for two.

    The application credential counts as two when it was made with two, or by the cloud's start.
    """
    if settings(connection).second_factor != "on":
        return None
    if two(methods) or (credential is not None and credential.two_factor):
        return None
    return Unauthorized(
        f"{REFUSED} The admin role and system scope need a second factor: log in with the methods "
        "password and totp, or with an application credential made so."
    )


def prove(database: Database, keys: Keys, passcode: Passcode) -> str:
    """Check a passcode and take it as used; why it is no proof, or nothing.

    A try is counted before the passcode is looked at, so that no number of clients at once gets
    more tries than one after another.
    """
    if not totp.PASSCODE.fullmatch(passcode.text):
        return "the passcode is not six digits"
    why = "the user has no totp credential"
    for row in passcode.rows:
        if not database.transact(partial(store.begin_try, credential_id=row.id)):
            why = "too many wrong passcodes"
            continue
        secret = totp.secret_of(keys.unwrap(PURPOSE, row.id, row.wrapped).decode())
        step = totp.matching(secret, passcode.text, clock.now() // clock.SECOND)
        if step is None:
            why = "a wrong passcode"
        elif database.transact(partial(store.use_step, credential_id=row.id, step=step)):
            return ""
        else:
            why = "the passcode was used before"
    return why
