"""How strong a login is: one factor, or two; and what an operator is told who came with one."""

from __future__ import annotations

from collections.abc import Iterable

from andromede.db import Connection
from andromede.http.errors import Unauthorized
from andromede.services.identity.credentials import store as credentials
from andromede.sovereignty.consent.settings import settings

BOTH = frozenset({"password", "totp"})
REFUSED = "The request you have made requires authentication."


def two(methods: Iterable[str]) -> bool:
    """Whether these methods are a password and a passcode."""
    return set(methods) >= BOTH


def refusal(
    connection: Connection, methods: Iterable[str], credential_id: str | None
) -> Unauthorized | None:
    """What an operator is told who comes with one factor while the cloud asks for two.

    The application credential counts as two when it was made with two, or by the cloud's start.
    """
    if settings(connection).second_factor != "on" or two(methods):
        return None
    if credential_id is not None:
        row = credentials.get(connection, credential_id)
        if row is not None and row.two_factor:
            return None
    return Unauthorized(
        f"{REFUSED} The admin role and system scope need a second factor: log in with the methods "
        "password and totp, or with an application credential made so."
    )
