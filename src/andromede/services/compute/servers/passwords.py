"""Passwords of guests' administrators: answered once, and said to the guest by its config drive; or
set later by the agent in it, and sealed until then.

Source: the compute API answers `adminPass` where a guest begins anew; upstream hands it on in
`meta_data.json` of the config drive, as `admin_pass`.
"""

from __future__ import annotations

import secrets

PURPOSE = "guest-password"  # of what the keys role wraps
LENGTH = 12
SYMBOLS = ("23456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz")  # none looks alike


def chosen(given: str | None) -> str:
    """The password a request gives, or a fresh one with something of each kind of symbol."""
    if given is not None:
        return given
    letters = [secrets.choice(kind) for kind in SYMBOLS]
    letters += [secrets.choice("".join(SYMBOLS)) for _ in range(LENGTH - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def kept(password: str, config_drive: bool) -> str | None:
    """What is remembered of a password until the guest begins: nothing where no drive says it."""
    return password if config_drive else None
