"""Which users act for which entity, and whether an entity may be given a way to customers' data.

Source: SecNumCloud 3.2, 19.6.c: a supplier outside the Union has no technical path to data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.sovereignty import admit
from andromede.sovereignty.policy import decide, store
from andromede.sovereignty.policy.decide import Refusal
from andromede.sovereignty.policy.merge import Effective
from andromede.sovereignty.policy.model import SupplierAccess
from andromede.sovereignty.world import facts

affiliation = table(
    "affiliation",
    metadata,
    identifier("user_id", primary_key=True),
    identifier("entity", nullable=False, index=True),
)


def of(connection: Connection, user_ids: Iterable[str]) -> dict[str, str]:
    """The entity that each of the users acts for; those without one act for themselves."""
    rows = connection.execute(
        sa.select(affiliation).where(affiliation.c.user_id.in_(list(user_ids)))
    )
    return {row.user_id: row.entity for row in rows}


def put(connection: Connection, user_id: str, entity: str | None) -> None:
    """Note whom a user acts for; None: for itself."""
    connection.execute(sa.delete(affiliation).where(affiliation.c.user_id == user_id))
    if entity is not None:
        connection.execute(sa.insert(affiliation), {"user_id": user_id, "entity": entity})


def forget(connection: Connection, user_ids: Iterable[str]) -> int:
    """Remove what is known of users that are being deleted; of how many there was something."""
    found = sorted(of(connection, user_ids))
    for user_id in found:
        put(connection, user_id, None)
    return len(found)


def page(connection: Connection, after: str | None, limit: int) -> list[tuple[str, str]]:
    """(user, entity) of every affiliation, by user."""
    wanted = sa.select(affiliation).order_by(affiliation.c.user_id).limit(limit)
    if after is not None:
        wanted = wanted.where(affiliation.c.user_id > after)
    return [(row.user_id, row.entity) for row in connection.execute(wanted)]


def refusal(connection: Connection, project_id: str | None, entity: str) -> Refusal | None:
    """Why an entity may be given no way to a project's data; None as the project: to data of more
    than one, for which the strictest policy of the cloud holds."""
    to = decide.Destination(site="", holder=entity)
    policy = _widest(connection) if project_id is None else store.effective(connection, project_id)
    return decide.refuse(policy, facts.current(connection), to)


def barred(connection: Connection, user_id: str, project_id: str) -> bool:
    """Whether a user acts for a supplier that may have no way to a project's data."""
    entity = of(connection, [user_id]).get(user_id)
    return entity is not None and refusal(connection, project_id, entity) is not None


def _widest(connection: Connection) -> Effective:
    where = store.demanding_eu_suppliers(connection)
    if where is None:
        return Effective()
    return Effective(supplier_access=SupplierAccess.EU, set_at={"supplier_access": (where,)})


def require(
    connection: Connection, action: str, grants: Mapping[str, Iterable[str | None]]
) -> None:
    """Refuse to open projects (None: several at once) to users of suppliers that may not reach
    them. `grants` maps users to projects.

    Errors: admit.Refused.
    """
    for user_id, entity in sorted(of(connection, grants).items()):
        for project_id in grants[user_id]:
            told = refusal(connection, project_id, entity)
            if told is not None:
                raise admit.Refused(_decision(action, user_id, project_id, told))


def _decision(action: str, user_id: str, project_id: str | None, told: Refusal) -> admit.Decision:
    whose = f"project {project_id}" if project_id else "more than one project"
    return admit.Decision(
        allowed=False,
        rule=told.rule,
        set_at=told.set_at.en,
        accepted=(told.accepted,),
        reason=(
            f"{action} for user {user_id} is refused: data of {whose} {told.why.en} "
            f"{told.where.en}. Accepted: {told.accepted}."
        ),
    )
