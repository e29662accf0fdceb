"""Users as the API shows them."""

from __future__ import annotations

from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.services.identity.links import own
from andromede.services.identity.rows import Row
from andromede.services.identity.users import compliance


def user_view(context: Context, row: Row) -> dict[str, Any]:
    expires = row.password_expires_at
    shown = {
        **row.extra,
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id,
        "enabled": compliance.enabled(row, context.cloud.config.security_compliance),
        "password_expires_at": None if expires is None else clock.iso_micro(expires),
        "options": row.options,
        "links": own(context, f"users/{row.id}"),
    }
    if row.default_project_id is not None:
        shown["default_project_id"] = row.default_project_id
    return shown
