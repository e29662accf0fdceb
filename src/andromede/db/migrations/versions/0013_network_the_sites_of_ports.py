"""network: the sites of ports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("port", sa.Column("site", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE port SET site = (SELECT server.site FROM server WHERE server.id = port.device_id)"
        " WHERE port.device_owner LIKE 'compute:%' AND port.device_id <> ''"
    )
