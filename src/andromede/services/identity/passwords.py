"""Hashing of passwords and secrets: argon2id, a bounded number at a time, never in a transaction.

Parameters: RFC 9106, second recommended option (64 MiB, 3 passes, 4 lanes, 32-byte tag).
"""

from __future__ import annotations

import os
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from andromede.http.errors import Forbidden

LONGEST = 4096  # characters of a password, as upstream's default

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_turn = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

# Verified in place of an unknown user's, so that the time taken tells nothing.
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdCBvZiBub2JvZHkuLg$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def digest(password: str) -> str:
    """The hash to store, with its parameters and salt.

    Errors: Forbidden when the password is longer than 4096 characters.
    """
    if len(password) > LONGEST:
        raise Forbidden(
            f"The password has {len(password)} characters; at most {LONGEST} are accepted."
        )
    with _turn:
        return _hasher.hash(_bytes(password))


def matches(stored: str, password: str) -> bool:
    """Whether the password is the one that was hashed; takes the same time either way."""
    with _turn:
        try:
            return _hasher.verify(stored, _bytes(password[: LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
