"""The table of servers: the only SQL on single servers. Lists are in `listing.store`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Moment, identifier, table
from andromede.services.compute.servers.model import Course, Fault, Flavor, Image, Nic, Server
from andromede.services.compute.servers.states import Vm

server = table(
    "server",
    metadata,
    identifier(primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    identifier("project_id", nullable=False),
    identifier("user_id", nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("hostname", sa.String(255), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("launched_at", Moment, nullable=True),
    sa.Column("terminated_at", Moment, nullable=True),
    sa.Column("deleted", sa.Integer, nullable=False),  # 0 or 1; the row outlives the server a while
    sa.Column("vm_state", sa.String(32), nullable=False),
    sa.Column("task_state", sa.String(32), nullable=True),
    sa.Column("power_state", sa.Integer, nullable=False),
    sa.Column("progress", sa.Integer, nullable=False),
    identifier("image_id", nullable=False),
    sa.Column("flavor_id", sa.String(255), nullable=False),
    sa.Column("vcpus", sa.Integer, nullable=False),
    sa.Column("memory", sa.Integer, nullable=False),
    sa.Column("disk", sa.Integer, nullable=False),
    # JSON as text: read and written whole, by msgspec, on the busiest path of the service.
    sa.Column("flavor", sa.Text, nullable=False),
    sa.Column("image", sa.Text, nullable=False),
    sa.Column("nics", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("fault", sa.Text, nullable=True),
    sa.Column("hints", sa.Text, nullable=False),
    sa.Column("key_name", sa.String(255), nullable=True),
    sa.Column("public_key", sa.Text, nullable=True),
    sa.Column("key_type", sa.String(8), nullable=True),
    sa.Column("config_drive", sa.Integer, nullable=False),
    sa.Column("zone", sa.String(255), nullable=False),
    sa.Column("pinned_zone", sa.String(255), nullable=True),
    sa.Column("region", sa.String(255), nullable=False),
    sa.Column("site", sa.String(255), nullable=False),
    sa.Column("host", sa.String(255), nullable=True),
    sa.Column("wanted_host", sa.String(255), nullable=True),
    sa.Column("locked_by", sa.String(16), nullable=True),  # "owner" or "admin"
    sa.Column("locked_reason", sa.Text, nullable=True),
    sa.Column("reservation_id", sa.String(32), nullable=False),
    sa.Column("launch_index", sa.Integer, nullable=False),
    sa.Column("access_ip_v4", sa.String(64), nullable=True),
    sa.Column("access_ip_v6", sa.String(64), nullable=True),
    sa.Column("disk_config", sa.String(16), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("course", sa.Text, nullable=True),
    sa.Column("user_data", sa.Text, nullable=True),
    sa.Index("ix_server_newest", "deleted", "project_id", "created_at", "id"),
    sa.Index("ix_server_all", "deleted", "created_at", "id"),
    sa.Index("ix_server_changed", "project_id", "updated_at"),
    sa.Index("ix_server_usage", "deleted", "project_id", "vcpus", "memory"),
    sa.Index("ix_server_claims", "deleted", "host", "vcpus", "memory", "disk"),
)
server_tag = table(
    "server_tag",
    metadata,
    identifier("server_id", sa.ForeignKey("server.id"), primary_key=True),
    sa.Column("tag", sa.String(60), primary_key=True),
)

COLUMNS = [server.c[name] for name in Server.__struct_fields__ if name != "user_data"]
_ENCODED = {"flavor": Flavor, "image": Image, "nics": list[Nic], "metadata": dict[str, str],
            "tags": list[str], "fault": Fault, "hints": dict[str, Any], "course": Course}  # fmt: skip
_DECODERS: dict[int, msgspec.json.Decoder[Any]] = {
    COLUMNS.index(server.c[name]): msgspec.json.Decoder(kind) for name, kind in _ENCODED.items()
}
_FLAGS = [COLUMNS.index(server.c[name]) for name in ("deleted", "config_drive")]
_NAMES = [column.name for column in COLUMNS]

_WHOLE = ", ".join(_NAMES)
_GET = Statement(f"SELECT {_WHOLE} FROM server WHERE id = :key")  # noqa: S608 (our own names)
_GET_WITH_USER_DATA = Statement(
    f"SELECT {_WHOLE}, user_data FROM server WHERE id = :key"  # noqa: S608
)
_USAGE = Statement(
    "SELECT COUNT(*), COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory), 0) FROM server"
    " WHERE deleted = 0 AND project_id = :project_id"
)
_USAGE_OF_USER = Statement(
    "SELECT COUNT(*), COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory), 0) FROM server"
    " WHERE deleted = 0 AND project_id = :project_id AND user_id = :user_id"
)
_CLAIMS = Statement(
    "SELECT COUNT(*), COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory), 0), COALESCE(SUM(disk), 0)"
    " FROM server WHERE deleted = 0 AND host = :host"
)
_LAST_NUMBER = Statement("SELECT max(number) FROM server")
_INSERT = Statement(sa.insert(server))


def read_row(row: Sequence[Any]) -> Server:
    """A row of `COLUMNS` as a Server."""
    values = list(row)
    for at, decoder in _DECODERS.items():
        if values[at] is not None:
            values[at] = decoder.decode(values[at])
    for at in _FLAGS:
        values[at] = bool(values[at])
    return Server(*values)


def get(
    conn: Connection, server_id: str, *, deleted: bool = False, with_user_data: bool = True
) -> Server | None:
    """A server by id; one that is deleted only when asked for."""
    row = (_GET_WITH_USER_DATA if with_user_data else _GET).first(conn, {"key": server_id})
    if row is None:
        return None
    found = read_row(row[: len(COLUMNS)])
    if found.deleted and not deleted:
        return None
    found.user_data = row[-1] if with_user_data else None
    return found


def user_data(conn: Connection, server_ids: Sequence[str]) -> dict[str, str | None]:
    """What several servers' guests were given."""
    rows = conn.execute(
        sa.select(server.c.id, server.c.user_data).where(server.c.id.in_(server_ids))
    )
    return {row.id: row.user_data for row in rows}


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.json.encode(value).decode()
        if name in _ENCODED and value is not None
        else int(value)
        if isinstance(value, bool)
        else value
        for name, value in values.items()
    }


def number(conn: Connection, servers: Sequence[Server]) -> None:
    """Allot the numbers of new servers; they are theirs once `add` ran in the same transaction."""
    first = (_LAST_NUMBER.scalar(conn) or 0) + 1
    for at, each in enumerate(servers):
        each.number = first + at


def add(conn: Connection, servers: Sequence[Server]) -> None:
    """Insert new rows."""
    for each in servers:
        _INSERT.run(
            conn, _encoded({name: getattr(each, name) for name in Server.__struct_fields__})
        )
        _write_tags(conn, each.id, each.tags)


def change(conn: Connection, server_id: str, **values: Any) -> None:
    """Write some columns of a row, and that it changed now."""
    values.setdefault("updated_at", clock.now())
    new = {f"new_{name}": value for name, value in _encoded(values).items()}
    _changing(tuple(values)).run(conn, {**new, "key": server_id})


@functools.cache
def _changing(names: tuple[str, ...]) -> Statement:
    """The change of one row in some columns."""
    new = {name: sa.bindparam(f"new_{name}", type_=server.c[name].type) for name in names}
    return Statement(sa.update(server).where(server.c.id == sa.bindparam("key")).values(new))


def reset(conn: Connection, server_id: str, state: str) -> None:
    """Set what an operator says a server is, with nothing being done to it."""
    change(conn, server_id, vm_state=state, task_state=None)
    if state == Vm.ACTIVE:
        conn.execute(
            sa.update(server)
            .where(server.c.id == server_id, server.c.launched_at.is_(None))
            .values(launched_at=clock.now())
        )


def set_tags(conn: Connection, server_id: str, tags: Iterable[str]) -> None:
    """Replace a server's tags."""
    wanted = list(tags)
    conn.execute(sa.delete(server_tag).where(server_tag.c.server_id == server_id))
    _write_tags(conn, server_id, wanted)
    change(conn, server_id, tags=wanted)


def _write_tags(conn: Connection, server_id: str, tags: Sequence[str]) -> None:
    if tags:
        conn.execute(
            sa.insert(server_tag), [{"server_id": server_id, "tag": each} for each in tags]
        )


def usage(conn: Connection, project_id: str) -> tuple[int, int, int]:
    """What a project's servers take: how many, vcpus, MiB of memory."""
    [row] = _USAGE.rows(conn, {"project_id": project_id})
    return int(row[0]), int(row[1]), int(row[2])


def usage_of_user(conn: Connection, project_id: str, user_id: str) -> tuple[int, int, int]:
    """What the servers take that one of the project's users made."""
    [row] = _USAGE_OF_USER.rows(conn, {"project_id": project_id, "user_id": user_id})
    return int(row[0]), int(row[1]), int(row[2])


def claims(conn: Connection, host: str) -> tuple[int, int, int, int]:
    """What the servers placed on a host take: how many, vcpus, MiB of memory, GiB of disk."""
    [row] = _CLAIMS.rows(conn, {"host": host})
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def hosts_of(conn: Connection, server_ids: Sequence[str]) -> dict[str, str | None]:
    """Where servers are, of those that exist."""
    if not server_ids:
        return {}
    rows = conn.execute(
        sa.select(server.c.id, server.c.host).where(
            server.c.id.in_(server_ids), server.c.deleted == 0
        )
    )
    return {row.id: row.host for row in rows}


def projects_of(conn: Connection, server_ids: Sequence[str]) -> dict[str, str]:
    """Whose the servers are, of those that exist."""
    rows = conn.execute(
        sa.select(server.c.id, server.c.project_id).where(
            server.c.id.in_(server_ids), server.c.deleted == 0
        )
    )
    return {row.id: row.project_id for row in rows}


def placed(conn: Connection, host: str) -> list[tuple[str, str, str | None, int]]:
    """(id, vm state, task state, power state) of every server that is placed on a host."""
    rows = conn.execute(
        sa.select(server.c.id, server.c.vm_state, server.c.task_state, server.c.power_state).where(
            server.c.deleted == 0, server.c.host == host
        )
    )
    return [(row.id, row.vm_state, row.task_state, row.power_state) for row in rows]


def living(conn: Connection, server_ids: Sequence[str]) -> set[str]:
    """Those of the ids that have a row of a server that is not deleted."""
    found: set[str] = set()
    for at in range(0, len(server_ids), 500):
        part = server_ids[at : at + 500]
        rows = conn.execute(
            sa.select(server.c.id).where(server.c.id.in_(part), server.c.deleted == 0)
        )
        found.update(row.id for row in rows)
    return found


def bury(conn: Connection, server_id: str) -> None:
    """Mark a server's row deleted: it counts and shows no more, but is remembered for a while."""
    now = clock.now()
    conn.execute(sa.delete(server_tag).where(server_tag.c.server_id == server_id))
    change(
        conn, server_id, deleted=True, vm_state=Vm.DELETED, task_state=None, power_state=0,
        terminated_at=now, updated_at=now, user_data=None, course=None,
    )  # fmt: skip


def purge(conn: Connection, before: int) -> int:
    """Forget servers deleted before a moment; how many."""
    old = sa.select(server.c.id).where(server.c.deleted == 1, server.c.terminated_at < before)
    gone = [row.id for row in conn.execute(old.limit(1000))]
    if gone:
        conn.execute(sa.delete(server).where(server.c.id.in_(gone)))
    return len(gone)


def every(conn: Connection) -> list[Server]:
    """Every server that is not deleted, without its user data."""
    rows = conn.execute(sa.select(*COLUMNS).where(server.c.deleted == 0))
    return [read_row(row) for row in rows]


def placements() -> sa.Select[Any]:
    """Every server with where it is: `kind`, `id`, `project_id`, `site`."""
    return sa.select(
        sa.literal("server").label("kind"), server.c.id, server.c.project_id, server.c.site
    ).where(server.c.deleted == 0)
