"""The rows of findings: what is not as the rules want it, since when, and until when it must be
healed. The only SQL of findings, for re-evaluation and for whoever else finds something."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.pages import beyond
from andromede.db.types import Moment, identifier, table
from andromede.sovereignty.words import Text

finding = table(
    "finding",
    metadata,
    identifier(primary_key=True),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("set_at", sa.Text, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),  # of the resource
    sa.Column("resource", sa.String(255), nullable=False),
    identifier("project_id", nullable=True),  # None: the cloud's own
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("deadline", Moment, nullable=True),
    sa.Column("closed_at", Moment, nullable=True),
    sa.Column("reason", sa.Text, nullable=False),  # in English
    sa.Column("reason_fr", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_finding_order", "opened_at", "id"),
    sa.Index("ix_finding_project", "project_id", "opened_at", "id"),
    sa.Index("ix_finding_resource", "kind", "resource"),
)
sa.Index(
    "ix_finding_open",
    finding.c.kind,
    finding.c.site,
    finding.c.project_id,
    finding.c.rule,
    finding.c.resource,
    sqlite_where=finding.c.closed_at.is_(None),
    postgresql_where=finding.c.closed_at.is_(None),
)
_COLUMNS = [column.name for column in finding.c]
_ID, _RESOURCE = _COLUMNS.index("id"), _COLUMNS.index("resource")
_insert = sa.insert(finding).values({name: sa.bindparam(name) for name in _COLUMNS})
OPEN = finding.c.closed_at.is_(None)


def add(connection: Connection, new: Iterable[tuple[Mapping[str, Any], Sequence[str]]]) -> None:
    """Open findings in bulk: what is alike of some (all but `id`, `resource`, `opened_at`,
    `closed_at`), and their resources. The driver runs the statement itself: of a hundred thousand
    rows SQLAlchemy's part is the larger. Ids of one call follow one another, so that the indexes
    grow at their ends, and few of their pages are written."""
    rows: Iterable[Any] = _rows(new)
    if not connection.dialect.positional:
        rows = (dict(zip(_COLUMNS, row, strict=True)) for row in rows)
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.cursor().executemany(str(_insert.compile(dialect=connection.dialect)), rows)


def _rows(new: Iterable[tuple[Mapping[str, Any], Sequence[str]]]) -> Iterator[tuple[Any, ...]]:
    """The rows one by one, so that no more than one of them is held."""
    opened = {"opened_at": clock.now(), "closed_at": None}
    number = itertools.count()
    random = os.urandom(12).hex()
    for alike, resources in new:
        row = {**alike, **opened, "id": None, "resource": None}
        common = [row[each] for each in _COLUMNS]
        for each in resources:
            common[_ID], common[_RESOURCE] = f"{random}{next(number):08x}", each
            yield tuple(common)


def note(
    connection: Connection,
    rule: str,
    kind: str,
    resource: str,
    reason: Text,
    *,
    set_at: str = "",
    project_id: str | None = None,
    site: str = "",
    deadline: int | None = None,
) -> bool:
    """Open one finding, unless the same is open already; whether it was opened."""
    same = sa.select(finding.c.id).where(
        OPEN, finding.c.kind == kind, finding.c.resource == resource, finding.c.rule == rule
    )
    if connection.execute(same).first() is not None:
        return False
    row = {
        "rule": rule, "set_at": set_at, "kind": kind,
        "project_id": project_id, "site": site, "deadline": deadline, "reason": reason.en,
        "reason_fr": reason.fr,
    }  # fmt: skip
    add(connection, [(row, [resource])])
    return True


def close_of(connection: Connection, project_ids: Sequence[str]) -> int:
    """Close every finding of projects that are being deleted; how many."""
    closing = sa.update(finding).where(OPEN, finding.c.project_id.in_(project_ids))
    return connection.execute(closing.values(closed_at=clock.now())).rowcount


def get(connection: Connection, finding_id: str, project_id: str | None) -> sa.RowMapping | None:
    """A finding of a project; None of any."""
    own = [] if project_id is None else [finding.c.project_id == project_id]
    wanted = sa.select(finding).where(finding.c.id == finding_id, *own)
    return connection.execute(wanted).mappings().first()


def count(connection: Connection, project_id: str) -> int:
    """How many findings of a project there are, open or closed."""
    wanted = sa.select(sa.func.count()).select_from(finding)
    return connection.execute(wanted.where(finding.c.project_id == project_id)).scalar_one()


def offending(
    connection: Connection,
    project_id: str,
    kinds: Sequence[str],
    after: tuple[str, str],
    limit: int,
) -> list[sa.RowMapping]:
    """The resources (`kind`, `resource`, `site`) of a project that have open findings, in the order
    of kind and id, after one of them."""
    key = sa.tuple_(finding.c.kind, finding.c.resource)
    wanted = (
        sa.select(finding.c.kind, finding.c.resource, finding.c.site)
        .where(OPEN, finding.c.project_id == project_id, finding.c.kind.in_(kinds))
        .where(key > sa.tuple_(*(sa.literal(each) for each in after)))
        .distinct()
        .order_by(finding.c.kind, finding.c.resource)
        .limit(limit)
    )
    return list(connection.execute(wanted).mappings())


def page(
    connection: Connection,
    project_id: str | None,
    state: str,
    after: sa.RowMapping | None,
    limit: int,
) -> list[sa.RowMapping]:
    """Findings of a project (None: all), newest first; `state` is open, closed or all."""
    conditions = [] if project_id is None else [finding.c.project_id == project_id]
    if state != "all":
        conditions.append(OPEN if state == "open" else finding.c.closed_at.is_not(None))
    if after is not None:
        order = (finding.c.opened_at, finding.c.id)
        conditions.append(beyond([(each, after[each.name], True) for each in order]))
    wanted = (
        sa.select(finding)
        .where(*conditions)
        .order_by(finding.c.opened_at.desc(), finding.c.id.desc())
        .limit(limit)
    )
    return list(connection.execute(wanted).mappings())
