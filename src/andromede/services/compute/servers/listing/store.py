"""The SQL of server lists: filters, order and paging by marker, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.db.pages import beyond, merged
from andromede.http.errors import BadRequest
from andromede.services.compute.servers.listing.pattern import matches
from andromede.services.compute.servers.listing.query import Search, flag
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Vm
from andromede.services.compute.servers.store import COLUMNS, read_row, server, server_tag

Column = sa.ColumnElement[Any]
ROOT_DEVICE = "/dev/vda"

EQUAL: dict[str, Column] = {
    "image": server.c.image_id, "user_id": server.c.user_id, "uuid": server.c.id,
    "host": server.c.host, "vm_state": server.c.vm_state, "task_state": server.c.task_state,
    "launch_index": sa.cast(server.c.launch_index, sa.Text),
    "power_state": sa.cast(server.c.power_state, sa.Text),
    "progress": sa.cast(server.c.progress, sa.Text),
    "auto_disk_config": server.c.disk_config,
}  # fmt: skip
TEXT: dict[str, Column] = {
    "name": server.c.name, "description": server.c.description, "hostname": server.c.hostname,
    "key_name": server.c.key_name, "node": server.c.host, "flavor": server.c.flavor_id,
    "reservation_id": server.c.reservation_id, "availability_zone": server.c.zone,
    "locked_by": server.c.locked_by, "access_ip_v4": server.c.access_ip_v4,
    "access_ip_v6": server.c.access_ip_v6, "kernel_id": sa.literal(""),
    "ramdisk_id": sa.literal(""), "root_device_name": sa.literal(ROOT_DEVICE),
}  # fmt: skip
MOMENTS: dict[str, Column] = {
    "created_at": server.c.created_at, "launched_at": server.c.launched_at,
    "terminated_at": server.c.terminated_at,
}  # fmt: skip
SORT: dict[str, tuple[Column, Any]] = {  # the column, and what stands for no value
    "uuid": (server.c.id, ""),
    "created_at": (server.c.created_at, 0), "updated_at": (server.c.updated_at, 0),
    "launched_at": (server.c.launched_at, 0), "terminated_at": (server.c.terminated_at, 0),
    "display_name": (server.c.name, ""), "display_description": (server.c.description, ""),
    "hostname": (server.c.hostname, ""), "image_ref": (server.c.image_id, ""),
    "instance_type_id": (server.c.flavor_id, ""), "key_name": (server.c.key_name, ""),
    "launch_index": (server.c.launch_index, 0), "power_state": (server.c.power_state, 0),
    "progress": (server.c.progress, 0), "project_id": (server.c.project_id, ""),
    "task_state": (server.c.task_state, ""), "user_id": (server.c.user_id, ""),
    "vm_state": (server.c.vm_state, ""), "availability_zone": (server.c.zone, ""),
    "config_drive": (server.c.config_drive, 0), "host": (server.c.host, ""),
    "node": (server.c.host, ""), "access_ip_v4": (server.c.access_ip_v4, ""),
    "access_ip_v6": (server.c.access_ip_v6, ""), "auto_disk_config": (server.c.disk_config, ""),
    "locked_by": (server.c.locked_by, ""), "locked": (server.c.locked_by, ""),
}  # fmt: skip
CONSTANT = {"kernel_id", "ramdisk_id", "root_device_name"}  # the same for every server
NULLABLE = {"launched_at", "terminated_at", "display_description", "key_name", "task_state",
            "host", "node", "access_ip_v4", "access_ip_v6", "locked_by", "locked"}  # fmt: skip


def find(conn: Connection, search: Search, among: list[str] | None = None) -> list[Server]:
    """The page of servers that a search asks for; `among` narrows it to some ids.

    Errors: BadRequest when the marker is not in the list's reach.
    """
    if search.nothing or search.limit == 0:
        return []
    where = _where(search)
    if among is not None:
        where.append(server.c.id.in_(among))
    order = _order(search)
    if search.marker:
        where.append(_after(conn, search, order))
    either = [False, True] if search.deleted is None else [search.deleted]
    statement = merged(
        server,
        [[server.c.deleted == int(each), *where] for each in either],
        [column.desc() if descending else column.asc() for column, descending in order],
        search.limit,
    )
    return [read_row(row) for row in conn.execute(statement.with_only_columns(*COLUMNS))]


def _where(search: Search) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if search.project_id is not None:
        where.append(server.c.project_id == search.project_id)
    if search.vm_states is not None:
        where.append(server.c.vm_state.in_(sorted(search.vm_states)))
    elif search.deleted is False:  # what was put aside is listed when it is asked for
        where.append(server.c.vm_state != Vm.SOFT_DELETED)
    if search.task_states is not None:
        where.append(server.c.task_state.in_(sorted(search.task_states)))
    if search.changes_since is not None:
        where.append(server.c.updated_at >= search.changes_since)
    if search.changes_before is not None:
        where.append(server.c.updated_at <= search.changes_before)
    for name, value in search.filters.items():
        where += _filter(name, value)
    return where


def _filter(name: str, value: str) -> list[sa.ColumnElement[bool]]:
    condition: sa.ColumnElement[bool] | None = None
    if name in EQUAL:
        condition = EQUAL[name] == (_last(value) if name == "image" else value)
    elif name in TEXT:
        condition = matches(TEXT[name], _last(value) if name == "flavor" else value)
    elif name in MOMENTS:
        condition = _moment(MOMENTS[name], name, value)
    elif name in TAGS:
        condition = TAGS[name]([each for each in value.split(",") if each])
    elif name == "locked":
        held = server.c.locked_by.is_not(None)
        condition = held if flag(name, value) else sa.not_(held)
    elif name == "config_drive":
        condition = server.c.config_drive == int(flag(name, value))
    return [] if condition is None else [condition]  # `ip` and `ip6` came as `among`


def _last(reference: str) -> str:
    """The id in what may be a URL."""
    return reference.rstrip("/").rpartition("/")[2]


def _moment(column: Column, name: str, value: str) -> sa.ColumnElement[bool]:
    try:
        moment = clock.parse(value)
    except ValueError as error:
        raise BadRequest(f"Invalid filter field: {name}. {value!r} is no moment.") from error
    whole = clock.SECOND if moment % clock.SECOND == 0 else 1
    return sa.and_(column >= moment, column < moment + whole)


def _tagged(tag: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(server_tag.c.server_id == server.c.id, server_tag.c.tag == tag)


TAGS: dict[str, Callable[[list[str]], sa.ColumnElement[bool]]] = {
    "tags": lambda tags: sa.and_(True, *map(_tagged, tags)),
    "tags-any": lambda tags: sa.or_(False, *map(_tagged, tags)),
    "not-tags": lambda tags: sa.not_(sa.and_(True, *map(_tagged, tags))),
    "not-tags-any": lambda tags: sa.not_(sa.or_(False, *map(_tagged, tags))),
}


def _order(search: Search) -> list[tuple[Column, bool]]:
    order: list[tuple[Column, bool]] = []
    for key, descending in search.sort:
        if key not in CONSTANT:
            column, blank = SORT[key]
            order.append(
                (sa.func.coalesce(column, blank) if key in NULLABLE else column, descending)
            )
    way = search.sort[-1][1]
    given = {id(column) for column, _ in order}
    last = [each for each in (server.c.created_at, server.c.id) if id(each) not in given]
    return [*order, *((each, way) for each in last)]


def _after(
    conn: Connection, search: Search, order: list[tuple[Column, bool]]
) -> sa.ColumnElement[bool]:
    """The condition that a row comes after the marker's."""
    statement = sa.select(*(column for column, _ in order)).where(server.c.id == search.marker)
    if search.project_id is not None:
        statement = statement.where(server.c.project_id == search.project_id)
    row = conn.execute(statement).first()
    if row is None:
        raise BadRequest(f"marker [{search.marker}] not found")
    return beyond(
        [
            (column, value, descending)
            for (column, descending), value in zip(order, row, strict=True)
        ]
    )
