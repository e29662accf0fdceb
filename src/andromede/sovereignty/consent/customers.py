"""Which projects are customers': from the first time that somebody who is no operator was given a way
into one, for as long as the project is there, whoever leaves it meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Moment, identifier, table

BATCH = 500

customer = table(
    "customer",
    metadata,
    identifier("project_id", primary_key=True),
    sa.Column("since", Moment, nullable=False),
)
_known = Statement("SELECT 1 FROM customer WHERE project_id = :project_id")


def known(connection: Connection, project_id: str) -> bool:
    """Whether a project is a customer's: one plain statement."""
    return _known.first(connection, {"project_id": project_id}) is not None


def among(connection: Connection, project_ids: Iterable[str]) -> set[str]:
    """Those of the projects that are customers'."""
    found: set[str] = set()
    for part in _parts(sorted(set(project_ids))):
        wanted = sa.select(customer.c.project_id).where(customer.c.project_id.in_(part))
        found |= set(connection.execute(wanted).scalars())
    return found


def mark(connection: Connection, project_ids: Iterable[str]) -> None:
    """Note that customers were given a way into projects; the first time stays."""
    wanted = set(project_ids)
    new = sorted(wanted - among(connection, wanted))
    if new:
        now = clock.now()
        connection.execute(
            sa.insert(customer), [{"project_id": each, "since": now} for each in new]
        )


def forget(connection: Connection, project_ids: Iterable[str]) -> None:
    """Remove what is known of projects that are being deleted."""
    for part in _parts(sorted(set(project_ids))):
        connection.execute(sa.delete(customer).where(customer.c.project_id.in_(part)))


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), BATCH):
        yield names[at : at + BATCH]
