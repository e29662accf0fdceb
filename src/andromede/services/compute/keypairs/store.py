"""The rows of key pairs. The only SQL of this noun."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.paging import Page
from andromede.services.compute.values import MOST_LISTED

keypair = table(
    "keypair",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    identifier("user_id", nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("type", sa.String(8), nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("user_id", "name"),
)


class Keypair(Struct, frozen=True, kw_only=True):
    """A public key of a user under a name. `type`: ssh or x509."""

    id: int
    user_id: str
    name: str
    type: str
    public_key: str
    fingerprint: str
    created_at: int


def insert(
    connection: Connection, *, user_id: str, name: str, kind: str, public_key: str, fingerprint: str
) -> None:
    """Keep a public key.

    Errors: Conflict when the user has one of that name.
    """
    if _find(connection, user_id, name) is not None:
        raise Conflict(f"Key pair '{name}' already exists.")
    connection.execute(
        sa.insert(keypair),
        {
            "user_id": user_id,
            "name": name,
            "type": kind,
            "public_key": public_key,
            "fingerprint": fingerprint,
            "created_at": clock.now(),
        },
    )


def _find(connection: Connection, user_id: str, name: str) -> Keypair | None:
    row = connection.execute(
        sa.select(keypair).where(keypair.c.user_id == user_id, keypair.c.name == name)
    ).first()
    return None if row is None else Keypair(**row._mapping)


def get(connection: Connection, user_id: str, name: str) -> Keypair:
    """A user's key pair.

    Errors: NotFound.
    """
    found = _find(connection, user_id, name)
    if found is None:
        raise NotFound(f"Keypair {name} not found for user {user_id}")
    return found


def count(connection: Connection, user_id: str) -> int:
    return (
        connection.execute(
            sa.select(sa.func.count()).select_from(keypair).where(keypair.c.user_id == user_id)
        ).scalar()
        or 0
    )


def page(connection: Connection, user_id: str, page: Page) -> list[Keypair]:
    """One page of a user's key pairs by name.

    Errors: BadRequest when the marker is none of them.
    """
    statement = sa.select(keypair).where(keypair.c.user_id == user_id)
    if page.marker is not None:
        if _find(connection, user_id, page.marker) is None:
            raise BadRequest(f"Marker {page.marker} could not be found.")
        statement = statement.where(keypair.c.name > page.marker)
    rows = connection.execute(statement.order_by(keypair.c.name).limit(page.size(MOST_LISTED)))
    return [Keypair(**row._mapping) for row in rows]


def delete(connection: Connection, user_id: str, name: str) -> None:
    """Forget a key pair; servers keep the key they were made with.

    Errors: NotFound.
    """
    gone = connection.execute(
        sa.delete(keypair).where(keypair.c.user_id == user_id, keypair.c.name == name)
    )
    if gone.rowcount == 0:
        raise NotFound(f"Keypair {name} not found for user {user_id}")
