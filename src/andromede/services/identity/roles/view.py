"""Roles as the API shows them."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.services.identity.links import own
from andromede.services.identity.rows import Row


def role_view(context: Context, row: Row) -> dict[str, Any]:
    return {
        **row.extra,
        "id": row.id,
        "name": row.name,
        "domain_id": row.domain_id or None,
        "description": row.description,
        "options": row.options,
        "links": own(context, f"roles/{row.id}"),
    }


def role_short(context: Context, row: Row) -> dict[str, Any]:
    """A role inside an implication."""
    return {"id": row.id, "name": row.name, "links": own(context, f"roles/{row.id}")}
