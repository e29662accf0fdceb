"""The SQL of claims: which servers claim what, by host, by id and by project."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection
from andromede.services.compute.servers.store import server


class Claim(Struct, frozen=True, kw_only=True):
    """A server that is placed on a host."""

    id: str
    host: str
    project_id: str
    user_id: str
    vcpus: int
    memory: int
    disk: int

    @property
    def resources(self) -> dict[str, int]:
        """What it claims, by class; a resource it claims nothing of is not told."""
        told = {"VCPU": self.vcpus, "MEMORY_MB": self.memory, "DISK_GB": self.disk}
        return {name: amount for name, amount in told.items() if amount}


_COLUMNS = [server.c[name] for name in Claim.__struct_fields__]
_PLACED = (server.c.deleted == 0, server.c.host.is_not(None), server.c.host != "")


def on(connection: Connection, host: str) -> list[Claim]:
    """The servers on a host."""
    wanted = sa.select(*_COLUMNS).where(*_PLACED, server.c.host == host).order_by(server.c.id)
    return [Claim(**row._mapping) for row in connection.execute(wanted)]


def of(connection: Connection, server_id: str) -> Claim | None:
    """What one server claims, or None when it is on no host."""
    wanted = sa.select(*_COLUMNS).where(*_PLACED, server.c.id == server_id)
    row = connection.execute(wanted).first()
    return None if row is None else Claim(**row._mapping)


def by_project(
    connection: Connection, project_id: str, user_id: str | None
) -> tuple[int, dict[str, int]]:
    """How many placed servers a project has, or one of its users, and what they claim by class."""
    sums = (
        sa.func.coalesce(sa.func.sum(server.c[name]), 0) for name in ("vcpus", "memory", "disk")
    )
    wanted = sa.select(sa.func.count(), *sums).where(*_PLACED, server.c.project_id == project_id)
    if user_id is not None:
        wanted = wanted.where(server.c.user_id == user_id)
    row: Any = connection.execute(wanted).one()
    return int(row[0]), {"VCPU": int(row[1]), "MEMORY_MB": int(row[2]), "DISK_GB": int(row[3])}
