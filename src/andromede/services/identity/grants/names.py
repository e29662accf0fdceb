"""Names of what assignments speak of, read once for a whole page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection
from andromede.services.identity.grants.expand import Assignment
from andromede.services.identity.groups.store import group
from andromede.services.identity.projects.store import project
from andromede.services.identity.roles.store import role
from andromede.services.identity.rows import Row
from andromede.services.identity.users.store import user

BATCH = 500


class Names:
    """Ids with their names and domains, as `include_names` asks for them."""

    def __init__(self, connection: Connection, found: Sequence[Assignment]) -> None:
        self._connection = connection
        self._actors = {
            "user": self._read(user, (x.actor_id for x in found if x.actor_kind == "user")),
            "group": self._read(group, (x.actor_id for x in found if x.actor_kind == "group")),
        }
        self._roles = self._read(role, (x.role_id for x in found))
        places = self._read(project, (x.target_id for x in found))
        rows = [*places.values(), *self._roles.values()]
        rows += [each for kind in self._actors.values() for each in kind.values()]
        self._places = {**self._read(project, (row.domain_id for row in rows)), **places}

    def _read(self, table: sa.Table, wanted: Iterable[str]) -> dict[str, Row]:
        names = sorted(set(wanted))
        found: dict[str, Row] = {}
        for at in range(0, len(names), BATCH):
            part = names[at : at + BATCH]
            rows = self._connection.execute(sa.select(table).where(table.c.id.in_(part)))
            found |= {row.id: row for row in rows}
        return found

    def _described(self, row: Row) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": row.id, "name": row.name}
        if row.domain_id:
            domain = self._places[row.domain_id]
            shown["domain"] = {"id": domain.id, "name": domain.name}
        return shown

    def actor(self, kind: str, identifier: str) -> dict[str, Any]:
        return self._described(self._actors[kind][identifier])

    def place(self, identifier: str) -> dict[str, Any]:
        return self._described(self._places[identifier])

    def role(self, identifier: str) -> dict[str, Any]:
        return self._described(self._roles[identifier])
