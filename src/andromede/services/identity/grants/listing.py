"""The SQL of `GET /v3/role_assignments`: pages of grants by the filters of its query."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection
from andromede.http.errors import BadRequest
from andromede.http.paging import Page
from andromede.services.identity.grants.store import (
    SYSTEM,
    Target,
    of_actor,
    reaching,
    role_grant,
)
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import MOST, Row

KEY = list(role_grant.primary_key)


class Wanted(Struct, frozen=True, kw_only=True):
    """The filters. `within`: a domain that all targets lie in (a domain reader's own)."""

    user_id: str | None = None
    group_id: str | None = None
    role_id: str | None = None
    project_id: str | None = None
    domain_id: str | None = None
    system: bool = False
    inherited: bool | None = None
    effective: bool = False
    subtree: bool = False
    within: str | None = None


def marker(row: Row) -> str:
    """A row's place in the list, for the next page."""
    return "|".join(str(int(part) if isinstance(part, bool) else part) for part in row)


def page(connection: Connection, wanted: Wanted, wish: Page) -> tuple[Sequence[Row], bool]:
    """Grants in the order of their key, and whether more follow.

    Errors: BadRequest for a marker that no page gave.
    """
    statement = sa.select(*KEY).where(*_conditions(connection, wanted)).order_by(*KEY)
    if wish.marker is not None:
        parts: list[str | bool] = list(wish.marker.split("|"))
        if len(parts) != len(KEY) or parts[-1] not in ("0", "1"):
            raise BadRequest(f"Marker {wish.marker} could not be found.")
        parts[-1] = parts[-1] == "1"
        after = sa.tuple_(*(sa.literal(part) for part in parts))
        statement = statement.where(sa.tuple_(*KEY) > after)
    size = wish.size(MOST)
    rows = connection.execute(statement.limit(size + 1)).all()
    return rows[:size], len(rows) > size > 0


def _conditions(connection: Connection, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    where = [*_on(connection, wanted)]
    columns = role_grant.c
    if wanted.user_id is not None:
        own = sa.and_(columns.actor_kind == "user", columns.actor_id == wanted.user_id)
        where.append(of_actor(wanted.user_id) if wanted.effective else own)
    if wanted.group_id is not None:
        where += [columns.actor_kind == "group", columns.actor_id == wanted.group_id]
    if wanted.role_id is not None and not wanted.effective:
        where.append(columns.role_id == wanted.role_id)
    if wanted.inherited is not None:
        where.append(columns.inherited.is_(wanted.inherited))
    if wanted.within is not None:
        inside = projects.in_domain(wanted.within)
        where.append(
            sa.or_(
                sa.and_(columns.target_kind == "domain", columns.target_id == wanted.within),
                sa.and_(columns.target_kind == "project", columns.target_id.in_(inside)),
            )
        )
    return where


def _on(connection: Connection, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    columns = role_grant.c
    if wanted.system:
        return [columns.target_kind == SYSTEM]
    if wanted.domain_id is not None:
        here = [columns.target_kind == "domain", columns.target_id == wanted.domain_id]
        return [*here, columns.inherited.is_(False)] if wanted.effective else here
    if wanted.project_id is None:
        return []
    targets = [wanted.project_id]
    if wanted.subtree:
        targets += [row.id for row in projects.subtree(connection, wanted.project_id)]
    here_or_below = sa.and_(columns.target_kind == "project", columns.target_id.in_(targets))
    if not wanted.effective:
        return [here_or_below]
    reached = reaching(connection, Target(kind="project", id=wanted.project_id))
    return [sa.or_(here_or_below, reached) if wanted.subtree else reached]
