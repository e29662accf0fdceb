"""The rows of hosts, which their workers write and the API reads. The only SQL of this noun."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Moment, identifier, table
from andromede.engine.protocol import HostFacts

ZONE = "nova"  # the zone of hosts that were put into no other, in a cloud of one site
SEEN_WITHIN = 60 * clock.SECOND  # a host whose worker was silent for longer is down

compute_host = table(
    "compute_host",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    identifier("id", nullable=False, unique=True),
    identifier("service_id", nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("vcpus", sa.Integer, nullable=False),
    sa.Column("memory", sa.BigInteger, nullable=False),
    sa.Column("disk", sa.BigInteger, nullable=False),
    sa.Column("accelerator", sa.String(32), nullable=False),
    sa.Column("hypervisor", sa.String(32), nullable=False),
    sa.Column("hypervisor_version", sa.Integer, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("region", sa.String(64), nullable=False, server_default="RegionOne"),
    sa.Column("site", sa.String(64), nullable=False, server_default="local"),
    sa.Column("booted_at", Moment, nullable=False, server_default="0"),
    sa.Column("disabled_at", Moment, nullable=True),
    sa.Column("disabled_reason", sa.String(255), nullable=True),
    sa.Column("forced_down_at", Moment, nullable=True),
)
_SITES = Statement("SELECT name, region, site FROM compute_host ORDER BY number")
_CLOSED = Statement(
    "SELECT name, disabled_at, forced_down_at FROM compute_host "
    "WHERE disabled_at IS NOT NULL OR forced_down_at IS NOT NULL"
)


class Host(Struct, frozen=True, kw_only=True):
    """A host and when its worker last spoke; `memory` and `disk` in bytes. An operator may have
    disabled it, so that it takes no more servers, or told that it is down."""

    number: int
    id: str
    service_id: str
    name: str
    vcpus: int
    memory: int
    disk: int
    accelerator: str
    hypervisor: str
    hypervisor_version: int
    seen_at: int
    region: str
    site: str
    booted_at: int
    disabled_at: int | None
    disabled_reason: str | None
    forced_down_at: int | None

    @property
    def up(self) -> bool:
        return self.forced_down_at is None and clock.now() - self.seen_at <= SEEN_WITHIN

    @property
    def state(self) -> str:
        return "up" if self.up else "down"

    @property
    def status(self) -> str:
        return "enabled" if self.disabled_at is None else "disabled"


def record(connection: Connection, facts: HostFacts, region: str, site: str) -> None:
    """Note that a host is there, where that is, and what it offers."""
    values = {
        "region": region,
        "site": site,
        "vcpus": facts.vcpus,
        "memory": facts.memory,
        "disk": facts.disk,
        "accelerator": facts.accelerator,
        "hypervisor": facts.hypervisor,
        "hypervisor_version": facts.hypervisor_version,
        "booted_at": facts.booted_at,
        "seen_at": clock.now(),
    }
    known = connection.execute(
        sa.update(compute_host).where(compute_host.c.name == facts.name).values(**values)
    )
    if known.rowcount == 0:
        connection.execute(
            sa.insert(compute_host),
            {"id": ids.new(), "service_id": ids.new(), "name": facts.name, **values},
        )


def forget(connection: Connection, name: str) -> None:
    """Remove a host that is gone."""
    connection.execute(sa.delete(compute_host).where(compute_host.c.name == name))


def places(connection: Connection) -> dict[str, tuple[str, str]]:
    """The region and site of each host that was ever seen, by its name."""
    return {name: (region, site) for name, region, site in _SITES.rows(connection, {})}


def change(connection: Connection, name: str, **columns: Any) -> None:
    """Note what an operator says of a host."""
    connection.execute(sa.update(compute_host).where(compute_host.c.name == name).values(**columns))


def closed(connection: Connection) -> dict[str, str]:
    """The hosts that take no servers, and why."""
    rows = _CLOSED.rows(connection, {})
    return {name: "is disabled" if down is None else "is down" for name, _, down in rows}


def every(connection: Connection) -> list[Host]:
    """All hosts by number; a cloud has a handful."""
    rows = connection.execute(sa.select(compute_host).order_by(compute_host.c.number))
    return [Host(**row._mapping) for row in rows]
