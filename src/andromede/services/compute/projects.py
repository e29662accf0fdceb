"""Projects as operators name them in compute's requests: only those that identity knows."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.errors import BadRequest
from andromede.services.identity import api as identity


def require_project(connection: Connection, project_id: str) -> None:
    """Errors: BadRequest when there is no such project."""
    if not identity.project_exists(connection, project_id):
        raise BadRequest(f"Project ID {project_id} is not a valid project.")
