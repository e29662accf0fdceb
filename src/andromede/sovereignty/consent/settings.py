"""What the policies in force say about operators: consent, second factor, places."""

from __future__ import annotations

from msgspec import Struct

from andromede.db import Connection


class Settings(Struct, frozen=True, kw_only=True):
    """The operators' part of a policy. No `administration_from`: from everywhere."""

    operator_access: str = "consent"  # or open
    second_factor: str = "on"  # or off
    administration_from: tuple[str, ...] = ()


DEFAULT = Settings()


def settings(_: Connection, __: str | None = None) -> Settings:
    """What is in force on a project; without one, on the cloud."""
    return DEFAULT
