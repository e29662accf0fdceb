"""What is known of data that wait for their import: the hashes that were made as they arrived."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table

staged = table(
    "image_staged",
    metadata,
    identifier("image_id", sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("checksum", sa.String(32), nullable=False),
    sa.Column("sha512", sa.String(128), nullable=False),
)


def put(connection: Connection, image_id: str, checksum: str, sha512: str) -> None:
    """Note the hexadecimal MD5 and SHA-512 of an image's staged data, in place of earlier ones."""
    delete(connection, image_id)
    values = {"image_id": image_id, "checksum": checksum, "sha512": sha512}
    connection.execute(sa.insert(staged), values)


def hashes(connection: Connection, image_id: str) -> dict[str, str]:
    """The attributes that an image has of the hashes of its staged data."""
    row = connection.execute(sa.select(staged).where(staged.c.image_id == image_id)).one()
    return {"checksum": row.checksum, "os_hash_algo": "sha512", "os_hash_value": row.sha512}


def delete(connection: Connection, image_id: str) -> None:
    connection.execute(sa.delete(staged).where(staged.c.image_id == image_id))
