"""The rows of policies."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import metadata
from andromede.db.types import Json, identifier, table

policy = table(
    "policy_text",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("type", sa.String(255), nullable=False, index=True),
    sa.Column("blob", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
