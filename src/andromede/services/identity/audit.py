"""Looks for rows of identity that contradict each other. Changes nothing."""

from __future__ import annotations

from andromede.db import Connection
from andromede.findings import REPORT, Finding
from andromede.services.identity.catalog import store as catalog
from andromede.services.identity.grants import store as grants


def audit(connection: Connection) -> list[Finding]:
    """Grants whose actor or target is gone; other references are the database's own to keep."""
    return [*_grants(connection), *_catalog(connection)]


def _catalog(connection: Connection) -> list[Finding]:
    """What is disabled in the catalog: clients do not find it, and one may wonder why."""
    return [
        Finding(
            kind=word,
            subject=identifier,
            problem=f"is disabled in the catalog: clients do not find {what}",
            remedy=f"if it should be found: openstack {word} set --enable {identifier}",
        )
        for word, identifier, what in catalog.disabled(connection)
    ]


def _grants(connection: Connection) -> list[Finding]:
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
