"""The rows of consumers. The secret is wrapped by the keys role."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import metadata
from andromede.db.types import Json, identifier, table

consumer = table(
    "oauth1_consumer",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
