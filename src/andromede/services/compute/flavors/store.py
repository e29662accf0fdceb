"""The rows of flavors and of who may use the private ones. The only SQL of this noun."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Json, Moment, identifier, table
from andromede.http.access import Caller
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.paging import Page
from andromede.services.compute.flavors.schema import FlavorQuery
from andromede.services.compute.values import MOST_LISTED

flavor = table(
    "flavor",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("vcpus", sa.Integer, nullable=False),
    sa.Column("ram", sa.Integer, nullable=False),
    sa.Column("disk", sa.Integer, nullable=False),
    sa.Column("ephemeral", sa.Integer, nullable=False),
    sa.Column("swap", sa.Integer, nullable=False),
    sa.Column("rxtx_factor", sa.Double, nullable=False),
    sa.Column("is_public", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("extra_specs", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=True),
)
flavor_access = table(
    "flavor_access",
    metadata,
    sa.Column(
        "flavor_id",
        sa.String(255),
        sa.ForeignKey("flavor.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    identifier("project_id", primary_key=True),
)
flavor_seed = table(
    "flavor_seed",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
)

SORT_KEYS: dict[str, sa.ColumnElement[Any]] = {
    "created_at": flavor.c.created_at,
    "description": sa.func.coalesce(flavor.c.description, ""),
    "disabled": sa.literal(0),
    "ephemeral_gb": flavor.c.ephemeral,
    "flavorid": flavor.c.id,
    "id": flavor.c.created_at,
    "is_public": sa.cast(flavor.c.is_public, sa.Integer),
    "memory_mb": flavor.c.ram,
    "name": flavor.c.name,
    "root_gb": flavor.c.disk,
    "rxtx_factor": flavor.c.rxtx_factor,
    "swap": flavor.c.swap,
    "updated_at": sa.func.coalesce(flavor.c.updated_at, 0),
    "vcpu_weight": sa.literal(0),
    "vcpus": flavor.c.vcpus,
}


class Flavor(Struct, frozen=True, kw_only=True):
    """A flavor: `ram` and `swap` in MiB, `disk` (0: as large as the image) and `ephemeral` in GiB."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int
    swap: int
    rxtx_factor: float
    is_public: bool
    description: str | None
    extra_specs: dict[str, str]
    created_at: int
    updated_at: int | None


def insert(connection: Connection, row: dict[str, Any]) -> Flavor:
    """Add a flavor.

    Errors: Conflict when its name or its id is taken.
    """
    taken = connection.execute(
        sa.select(flavor.c.id).where(sa.or_(flavor.c.id == row["id"], flavor.c.name == row["name"]))
    ).scalars()
    for other in taken:
        if other == row["id"]:
            raise Conflict(f"Flavor with ID {row['id']} already exists.")
        raise Conflict(f"Flavor with name {row['name']} already exists.")
    whole = {"extra_specs": {}, "created_at": clock.now(), "updated_at": None, **row}
    connection.execute(sa.insert(flavor), whole)
    return Flavor(**whole)


def get(connection: Connection, flavor_id: str, caller: Caller) -> Flavor:
    """A flavor the caller may use.

    Errors: NotFound, also for a private flavor of other projects.
    """
    if caller.admin:
        found = _GET.mapping(connection, {"key": flavor_id})
    else:
        values = {"key": flavor_id, "project": caller.project_id}
        found = _GET_USABLE.mapping(connection, values)
    if found is None:
        raise missing(flavor_id)
    return Flavor(**found)


def missing(flavor_id: str) -> NotFound:
    return NotFound(f"Flavor {flavor_id} could not be found.")


def _granted(project_id: str | sa.BindParameter[str] | None) -> sa.ColumnElement[bool]:
    return flavor.c.id.in_(
        sa.select(flavor_access.c.flavor_id).where(flavor_access.c.project_id == project_id)
    )


_ONE = sa.select(flavor).where(flavor.c.id == sa.bindparam("key"))
_GET = Statement(_ONE)
_GET_USABLE = Statement(_ONE.where(sa.or_(flavor.c.is_public, _granted(sa.bindparam("project")))))


def page(connection: Connection, caller: Caller, query: FlavorQuery, page: Page) -> list[Flavor]:
    """One page of the flavors that are wanted and that the caller may see.

    Errors: BadRequest when the marker is none of them.
    """
    key = SORT_KEYS[query.sort_key]
    statement = sa.select(flavor).where(*_filters(caller, query))
    if page.marker is not None:
        statement = statement.where(_after(connection, key, query, page.marker))
    order = [sa.desc(key), sa.desc(flavor.c.id)] if query.descending else [key, flavor.c.id]
    rows = connection.execute(statement.order_by(*order).limit(page.size(MOST_LISTED)))
    return [Flavor(**row._mapping) for row in rows]


def _filters(caller: Caller, query: FlavorQuery) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if query.public is True:
        wanted.append(sa.or_(flavor.c.is_public, _granted(caller.project_id)))
    elif query.public is False:
        wanted.append(sa.not_(flavor.c.is_public))
    if query.min_ram is not None:
        wanted.append(flavor.c.ram >= query.min_ram)
    if query.min_disk is not None:
        wanted.append(flavor.c.disk >= query.min_disk)
    return wanted


def _after(
    connection: Connection, key: sa.ColumnElement[Any], query: FlavorQuery, marker: str
) -> sa.ColumnElement[bool]:
    found = connection.execute(sa.select(key.label("key")).where(flavor.c.id == marker)).first()
    if found is None:
        raise BadRequest(f"marker [{marker}] not found")
    if query.descending:
        return sa.or_(key < found.key, sa.and_(key == found.key, flavor.c.id < marker))
    return sa.or_(key > found.key, sa.and_(key == found.key, flavor.c.id > marker))


def set_description(connection: Connection, flavor_id: str, text: str | None) -> None:
    _change(connection, flavor_id, description=text)


def set_specs(connection: Connection, flavor_id: str, specs: dict[str, str]) -> None:
    """Replace all extra specs."""
    _change(connection, flavor_id, extra_specs=specs)


def _change(connection: Connection, flavor_id: str, **values: Any) -> None:
    connection.execute(
        sa.update(flavor).where(flavor.c.id == flavor_id).values(**values, updated_at=clock.now())
    )


def delete(connection: Connection, flavor_id: str) -> None:
    """Remove a flavor and its access list; servers keep what they were made with.

    Errors: NotFound.
    """
    if connection.execute(sa.delete(flavor).where(flavor.c.id == flavor_id)).rowcount == 0:
        raise missing(flavor_id)


def projects(connection: Connection, flavor_id: str) -> list[str]:
    """The projects that may use a private flavor."""
    rows = connection.execute(
        sa.select(flavor_access.c.project_id)
        .where(flavor_access.c.flavor_id == flavor_id)
        .order_by(flavor_access.c.project_id)
    )
    return list(rows.scalars())


def grant(connection: Connection, flavor_id: str, project_id: str) -> None:
    """Let a project use a private flavor.

    Errors: Conflict when it already may.
    """
    if project_id in projects(connection, flavor_id):
        raise Conflict(
            f"Flavor access already exists for flavor {flavor_id} and project {project_id} "
            f"combination."
        )
    connection.execute(sa.insert(flavor_access), {"flavor_id": flavor_id, "project_id": project_id})


def revoke(connection: Connection, flavor_id: str, project_id: str) -> None:
    """Take a project's use of a flavor away.

    Errors: NotFound when it has none.
    """
    gone = connection.execute(
        sa.delete(flavor_access).where(
            flavor_access.c.flavor_id == flavor_id, flavor_access.c.project_id == project_id
        )
    )
    if gone.rowcount == 0:
        raise NotFound(f"Flavor access not found for {flavor_id} / {project_id} combination.")


def seed(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add the flavors that were never seeded before; one that an operator removed stays away."""
    seeded = set(connection.execute(sa.select(flavor_seed.c.id)).scalars())
    names = set(connection.execute(sa.select(flavor.c.name)).scalars())
    ids = set(connection.execute(sa.select(flavor.c.id)).scalars())
    for row in rows:
        if row["id"] in seeded:
            continue
        connection.execute(sa.insert(flavor_seed), {"id": row["id"]})
        if row["id"] not in ids and row["name"] not in names:
            insert(connection, row)
