"""The rows of trusts and of the roles each lends, and what a trust is worth now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table
from andromede.services.identity.grants import store as grants
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row, by_id
from andromede.services.identity.users import store as users

MOST_REDELEGATIONS = 3  # as upstream's default

trust = table(
    "trust",
    metadata,
    identifier("id", primary_key=True),
    identifier("trustor_user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    identifier("trustee_user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    identifier("project_id", sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=True),
    sa.Column("impersonation", sa.Boolean, nullable=False),
    sa.Column("expires_at", Moment, nullable=True),
    sa.Column("remaining_uses", sa.Integer, nullable=True),
    sa.Column("redelegation_count", sa.Integer, nullable=False),
    identifier(
        "redelegated_trust_id", sa.ForeignKey("trust.id", ondelete="CASCADE"), nullable=True,
        index=True,
    ),
    sa.Column("extra", Json, nullable=False),
    # made while another than its trustor may have known the trustor's password
    sa.Column("password_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "trustor_user_id", "id"),
    sa.Index(None, "trustee_user_id", "id"),
)  # fmt: skip
trust_role = table(
    "trust_role",
    metadata,
    identifier("trust_id", sa.ForeignKey("trust.id", ondelete="CASCADE"), primary_key=True),
    identifier(
        "role_id", sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


def get(connection: Connection, trust_id: str) -> Row | None:
    return by_id(connection, trust, trust_id)


def insert(connection: Connection, row: dict[str, Any], role_ids: Iterable[str]) -> None:
    connection.execute(sa.insert(trust), row)
    links = [{"trust_id": row["id"], "role_id": each} for each in sorted(set(role_ids))]
    if links:
        connection.execute(sa.insert(trust_role), links)


def delete(connection: Connection, trust_id: str) -> None:
    """Delete a trust with those made from it."""
    connection.execute(sa.delete(trust).where(trust.c.id == trust_id))


def delete_of_known_password(connection: Connection, user_id: str) -> None:
    """Delete a user's trusts that somebody who knew its password may have made."""
    columns = trust.c
    connection.execute(
        sa.delete(trust).where(columns.trustor_user_id == user_id, columns.password_known.is_(True))
    )


def role_ids(connection: Connection, trust_id: str) -> list[str]:
    """The roles that a trust lends."""
    found = sa.select(trust_role.c.role_id).where(trust_role.c.trust_id == trust_id)
    return list(connection.execute(found.order_by(trust_role.c.role_id)).scalars())


def spent(row: Row) -> bool:
    """Whether a trust is expired or used up: then it is as if it were not there."""
    if row.expires_at is not None and row.expires_at <= clock.now():
        return True
    return row.remaining_uses is not None and row.remaining_uses <= 0


def pedigree(connection: Connection, row: Row) -> list[Row]:
    """A trust, the one it was made from, and so on up to the first."""
    chain = [row]
    while row.redelegated_trust_id is not None:
        above = get(connection, row.redelegated_trust_id)
        assert above is not None, "a trust goes with the one it was made from"
        chain.append(above)
        row = above
    return chain


def people(chain: Sequence[Row]) -> list[str]:
    """Everyone on whom a trust rests."""
    return sorted({each for row in chain for each in (row.trustor_user_id, row.trustee_user_id)})


def role_names(connection: Connection, row: Row) -> dict[str, str] | None:
    """The names by id of the roles that a trust gives now, with what they imply; None when the
    first trustor no longer has one of them, or somebody in the chain is disabled."""
    if row.project_id is None:
        return {}
    chain = pedigree(connection, row)
    if not all(user is not None and user.enabled
               for user in (users.get(connection, each) for each in people(chain))):  # fmt: skip
        return None
    target = grants.Target(kind="project", id=row.project_id)
    held = grants.reached(connection, chain[-1].trustor_user_id, target)
    lent = roles.closure(roles.implications(connection), role_ids(connection, row.id))
    if not lent or not lent <= held:
        return None
    return roles.named(connection, lent)


def use(connection: Connection, trust_id: str) -> bool:
    """Take one of the uses of a trust; False when none is left."""
    changed = connection.execute(
        sa.update(trust)
        .where(trust.c.id == trust_id, trust.c.remaining_uses > 0)
        .values(remaining_uses=trust.c.remaining_uses - 1)
    )
    return changed.rowcount > 0


def lent_to(connection: Connection, user_id: str) -> list[Row]:
    """The trusts by which a user may act on projects."""
    rows = connection.execute(
        sa.select(trust)
        .where(trust.c.trustee_user_id == user_id, trust.c.project_id.is_not(None))
        .order_by(trust.c.id)
    )
    return [row for row in rows if not spent(row)]


def trustees(connection: Connection, project_id: str) -> list[str]:
    """The ids of the users whom trusts let act on a project."""
    rows = connection.execute(
        sa.select(trust).where(trust.c.project_id == project_id).order_by(trust.c.id)
    )
    return sorted({row.trustee_user_id for row in rows if not spent(row)})
