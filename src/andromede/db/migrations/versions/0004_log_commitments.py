"""log: commitments.

The tree now holds salted commitments: each leaf is given a salt, and the log is numbered anew by
the sequencer, under another origin and its first checkpoint.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BATCH = 1_000


def upgrade() -> None:
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tile")),
        sqlite_strict=True,
    )
    op.add_column("leaf", sa.Column("salt", sa.LargeBinary(), nullable=True))
    op.drop_column("leaf", "hash")
    op.drop_column("checkpoint", "peaks")
    op.execute("DELETE FROM checkpoint")
    op.execute("UPDATE leaf SET position = NULL")
    _salt()


def _salt() -> None:
    connection, after = op.get_bind(), 0
    wanted = sa.text("SELECT arrival FROM leaf WHERE arrival > :after ORDER BY arrival LIMIT :most")
    while found := connection.execute(wanted, {"after": after, "most": BATCH}).scalars().all():
        rows = [{"key": key, "salt": secrets.token_bytes(32)} for key in found]
        connection.execute(sa.text("UPDATE leaf SET salt = :salt WHERE arrival = :key"), rows)
        after = found[-1]
