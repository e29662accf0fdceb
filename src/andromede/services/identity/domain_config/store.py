"""The rows of domains' options. A value that is a secret is wrapped by the keys role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table

option = table(
    "domain_option",
    metadata,
    identifier("domain_id", sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("section", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=True),  # a secret, in place of a value
)


class Option(Struct, frozen=True, kw_only=True):
    """One option of a domain."""

    section: str
    name: str
    value: Any = None
    wrapped: bytes | None = None


def _where(domain_id: str, names: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions that a row is the domain's, and of a section and name where they are given."""
    wanted = zip((option.c.section, option.c.name), names, strict=False)
    return [option.c.domain_id == domain_id, *(column == name for column, name in wanted)]


def several(connection: Connection, domain_id: str, *names: str) -> list[Option]:
    """A domain's options, those of one section, or one of them."""
    rows = connection.execute(
        sa.select(option.c.section, option.c.name, option.c.value, option.c.wrapped)
        .where(*_where(domain_id, names))
        .order_by(option.c.section, option.c.name)
    )
    return [Option(**row) for row in rows.mappings()]


def put(connection: Connection, domain_id: str, options: Sequence[Option]) -> None:
    """Write options, in place of former ones of their names."""
    for each in options:
        delete(connection, domain_id, each.section, each.name)
        row = {name: getattr(each, name) for name in each.__struct_fields__}
        connection.execute(sa.insert(option), {"domain_id": domain_id, **row})


def delete(connection: Connection, domain_id: str, *names: str) -> None:
    connection.execute(sa.delete(option).where(*_where(domain_id, names)))
