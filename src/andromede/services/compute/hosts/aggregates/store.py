"""The tables of aggregates and of the hosts in them. The only SQL of this noun."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Json, Moment, identifier, table

aggregate = table(
    "compute_aggregate",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    identifier("id", nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("zone", sa.String(255), nullable=True),
    sa.Column("properties", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=True),
)
member = table(
    "compute_aggregate_host",
    metadata,
    sa.Column(
        "number", sa.Integer, sa.ForeignKey("compute_aggregate.number", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("host", sa.String(255), primary_key=True),
)  # fmt: skip
_ZONES = Statement(
    "SELECT m.host, a.zone FROM compute_aggregate_host AS m "
    "JOIN compute_aggregate AS a ON a.number = m.number WHERE a.zone IS NOT NULL"
)


class Aggregate(Struct, frozen=True, kw_only=True):
    """A set of hosts. `zone`: the availability zone that it is, if it is one."""

    number: int
    id: str
    name: str
    zone: str | None
    properties: dict[str, str]
    created_at: int
    updated_at: int | None
    hosts: list[str] = field(default_factory=list)


def every(connection: Connection) -> list[Aggregate]:
    """All aggregates by number; operators make a handful."""
    hosts: dict[int, list[str]] = {}
    for number, host in connection.execute(sa.select(member).order_by(member.c.host)):
        hosts.setdefault(number, []).append(host)
    rows = connection.execute(sa.select(aggregate).order_by(aggregate.c.number))
    return [Aggregate(**row._mapping, hosts=hosts.get(row.number, [])) for row in rows]


def zones(connection: Connection) -> dict[str, str]:
    """The zone of each host that is in an aggregate that is one."""
    return dict(map(tuple, _ZONES.rows(connection, {})))


def add(connection: Connection, name: str, zone: str | None) -> None:
    connection.execute(
        sa.insert(aggregate),
        {"id": ids.new(), "name": name, "zone": zone, "properties": {}, "created_at": clock.now()},
    )


def change(connection: Connection, number: int, **columns: Any) -> None:
    wanted = sa.update(aggregate).where(aggregate.c.number == number)
    connection.execute(wanted.values(**columns, updated_at=clock.now()))


def remove(connection: Connection, number: int) -> None:
    connection.execute(sa.delete(aggregate).where(aggregate.c.number == number))


def join(connection: Connection, number: int, host: str) -> None:
    connection.execute(sa.insert(member), {"number": number, "host": host})


def leave(connection: Connection, number: int, host: str) -> None:
    gone = sa.delete(member).where(member.c.number == number, member.c.host == host)
    connection.execute(gone)
