"""What the policies in force say about operators: consent, second factor, places."""

from __future__ import annotations

from msgspec import Struct

from andromede.db import Connection
from andromede.sovereignty.policy import store


class Settings(Struct, frozen=True, kw_only=True):
    """The operators' part of a policy."""

    operator_access: str = "consent"  # or open
    second_factor: str = "on"  # or off


def settings(connection: Connection, project_id: str | None = None) -> Settings:
    """What is in force on a project; without one, on the cloud."""
    found = store.effective(connection, project_id or "")
    return Settings(
        operator_access=found.operator_access.value,
        second_factor=found.second_factor.value,
    )
