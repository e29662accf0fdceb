"""Looks for rows of identity that contradict each other. Changes nothing."""

from __future__ import annotations

from andromede.db import Connection
from andromede.findings import REPORT, Finding
from andromede.services.identity.grants import store as grants


def audit(connection: Connection) -> list[Finding]:
    """Grants whose actor or target is gone; other references are the database's own to keep."""
    return [
        Finding(
            kind="role assignment",
            subject=f"{each.actor_kind} {each.actor_id}",
            problem=f"holds role {each.role_id} on {each.target_kind} {each.target_id}, "
            f"and one of them is not there",
            remedy=REPORT,
        )
        for each in grants.dangling(connection)
    ]
