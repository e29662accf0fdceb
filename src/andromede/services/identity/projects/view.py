"""Projects and domains as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.services.identity.links import own
from andromede.services.identity.rows import Row


def project_view(context: Context, row: Row, tags: Sequence[str]) -> dict[str, Any]:
    return {
        **row.extra,
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id or None,
        "description": row.description,
        "enabled": row.enabled,
        "parent_id": row.parent_id,
        "is_domain": row.is_domain,
        "tags": list(tags),
        "options": row.options,
        "links": own(context, f"projects/{row.id}"),
    }


def domain_view(context: Context, row: Row, tags: Sequence[str] = ()) -> dict[str, Any]:
    return {
        **row.extra,
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "enabled": row.enabled,
        "tags": list(tags),
        "options": row.options,
        "links": own(context, f"domains/{row.id}"),
    }
