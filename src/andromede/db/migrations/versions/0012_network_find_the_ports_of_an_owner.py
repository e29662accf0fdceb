"""Network find the ports of an owner."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index("ix_port_owner", "port", ["network_id", "device_owner"], unique=False)
