"""Policies written straight into the store, for tests of what they do."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from andromede.db import Connection
from andromede.sovereignty.policy import store
from andromede.sovereignty.policy.model import Policy, project_scope


def set_allowed_sites(connection: Connection, project_id: str, sites: Sequence[str] | None) -> None:
    """Replace a project's policy by one that allows these sites only; None removes it."""
    wanted = None if sites is None else Policy(allowed_sites=tuple(sites))
    store.put(connection, project_scope(project_id), wanted)


def add_project(
    connection: Connection, project_id: str, domain_id: str = "default", parent: str | None = None
) -> None:
    """A project of identity, as it stands after its creation, and its domain."""
    from andromede.services.identity.projects import store as projects

    common = {"enabled": True, "description": "", "options": {}, "extra": {}}
    if projects.get(connection, domain_id) is None:
        connection.execute(
            sa.insert(projects.project),
            {**common, "id": domain_id, "name": domain_id, "domain_id": "", "parent_id": None,
             "is_domain": True},
        )  # fmt: skip
    connection.execute(
        sa.insert(projects.project),
        {**common, "id": project_id, "name": project_id, "domain_id": domain_id,
         "parent_id": parent or domain_id, "is_domain": False},
    )  # fmt: skip
