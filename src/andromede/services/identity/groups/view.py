"""Groups as the API shows them."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.services.identity.links import own
from andromede.services.identity.rows import Row


def group_view(context: Context, row: Row) -> dict[str, Any]:
    return {
        **row.extra,
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id,
        "description": row.description,
        "links": own(context, f"groups/{row.id}"),
    }
