"""The second factor: the passcodes that make a login one of two factors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from andromede import clock, totp
from andromede.cloud import Keys
from andromede.db import Database
from andromede.services.identity.rows import Row
from andromede.services.identity.user_credentials import store
from andromede.services.identity.user_credentials.routes import PURPOSE


class Passcode(Struct, frozen=True):
    """A passcode a client gave, and the credentials that it may be of."""

    text: str
    rows: Sequence[Row]


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
