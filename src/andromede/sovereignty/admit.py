"""Admission: the one decision on whether an act may place or move a project's data somewhere.

Rule in force: a project's allowed sites. No row means that every site of this cloud is allowed.
"""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.http.errors import Forbidden

project_policy = table(
    "project_policy",
    metadata,
    identifier("project_id", primary_key=True),
    sa.Column("allowed_sites", Json, nullable=False),
)


class Decision(Struct, frozen=True, kw_only=True):
    """The answer, with the rule that gave it and where that rule was set."""

    allowed: bool
    rule: str
    reason: str


class Refused(Forbidden):
    """An act that admission refused; carries the decision for the log."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.decision = decision


def admit(connection: Connection, action: str, project_id: str, site: str) -> Decision:
    """Decide whether `action` may place data of the project at the site."""
    row = connection.execute(
        sa.select(project_policy.c.allowed_sites).where(project_policy.c.project_id == project_id)
    ).first()
    if row is None:
        return Decision(allowed=True, rule="allowed_sites", reason="no policy is set")
    sites: list[str] = row.allowed_sites
    if site in sites:
        return Decision(allowed=True, rule="allowed_sites", reason=f"site {site} is allowed")
    accepted = ", ".join(sorted(sites)) or "no site at all"
    return Decision(
        allowed=False,
        rule="allowed_sites",
        reason=(
            f"{action} would place data at site {site}, which the policy of project "
            f"{project_id} (rule allowed_sites, set on the project) refuses. Accepted: {accepted}."
        ),
    )


def require(connection: Connection, action: str, project_id: str, site: str) -> None:
    """As `admit`, refusing with a 403 that names the rule.

    Errors: Refused.
    """
    decision = admit(connection, action, project_id, site)
    if not decision.allowed:
        raise Refused(decision)


def allowed_sites(connection: Connection, project_id: str) -> list[str] | None:
    """The sites a project's policy allows; None when it has none."""
    row = connection.execute(
        sa.select(project_policy.c.allowed_sites).where(project_policy.c.project_id == project_id)
    ).first()
    return None if row is None else list(row.allowed_sites)


def set_allowed_sites(connection: Connection, project_id: str, sites: list[str] | None) -> None:
    """Replace a project's allowed sites; None removes the policy."""
    connection.execute(sa.delete(project_policy).where(project_policy.c.project_id == project_id))
    if sites is not None:
        connection.execute(
            sa.insert(project_policy),
            {"project_id": project_id, "allowed_sites": sorted(set(sites))},
        )
