"""Projects that identity knows, for tests whose callers are made without it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede.services.identity.projects.store import project
from tests.harness import TestCloud


def have_projects(cloud: TestCloud, *project_ids: str) -> None:
    common: dict[str, Any] = {
        "domain_id": "default", "parent_id": "default", "is_domain": False, "enabled": True,
        "description": "", "options": {}, "extra": {},
    }  # fmt: skip
    rows = [{"id": each, "name": each, **common} for each in project_ids]
    cloud.database.transact(lambda connection: connection.execute(sa.insert(project), rows))
