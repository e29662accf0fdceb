"""Effective assignments: each grant taken apart into what it gives to single users on single
targets, by group membership, inheritance and implication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from andromede.db import Connection
from andromede.services.identity.grants.listing import Wanted
from andromede.services.identity.groups import store as groups
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row


class Assignment(Struct, frozen=True, kw_only=True):
    """One assignment, and the grant it comes from where that differs."""

    role_id: str
    actor_kind: str
    actor_id: str
    target_kind: str
    target_id: str
    inherited: bool = False
    by_group: str | None = None
    by_role: str | None = None
    from_kind: str = ""
    from_id: str = ""


def plain(rows: Iterable[Row]) -> list[Assignment]:
    """Grants as they were made."""
    return [
        Assignment(
            role_id=row.role_id, actor_kind=row.actor_kind, actor_id=row.actor_id,
            target_kind=row.target_kind, target_id=row.target_id, inherited=row.inherited,
            from_kind=row.target_kind, from_id=row.target_id,
        )
        for row in rows
    ]  # fmt: skip


def expand(connection: Connection, rows: Sequence[Row], wanted: Wanted) -> list[Assignment]:
    """What the grants give, within the filters; a domain's own roles give what they imply."""
    rules = roles.implications(connection)
    known = roles.named(connection, roles.closure(rules, {row.role_id for row in rows}))
    found: list[Assignment] = []
    for row in rows:
        places = list(_places(connection, row, wanted))
        for actor_id, by_group in _holders(connection, row, wanted):
            for role_id in sorted(roles.closure(rules, [row.role_id])):
                if wanted.role_id not in (None, role_id) or role_id not in known:
                    continue
                found += [
                    Assignment(
                        role_id=role_id, actor_kind="user", actor_id=actor_id,
                        target_kind=kind, target_id=place, inherited=row.inherited,
                        by_group=by_group,
                        by_role=row.role_id if role_id != row.role_id else None,
                        from_kind=row.target_kind, from_id=row.target_id,
                    )
                    for kind, place in places
                ]  # fmt: skip
    return found


def _holders(connection: Connection, row: Row, wanted: Wanted) -> Iterator[tuple[str, str | None]]:
    if row.actor_kind == "user":
        yield row.actor_id, None
        return
    for member in groups.members(connection, [row.actor_id]):
        if wanted.user_id in (None, member):
            yield member, row.actor_id


def _places(connection: Connection, row: Row, wanted: Wanted) -> Iterator[tuple[str, str]]:
    if not row.inherited:
        yield row.target_kind, row.target_id
        return
    if row.target_kind == "domain":
        below = projects.of_domain(connection, row.target_id)
    else:
        below = projects.subtree(connection, row.target_id)
    names = [each.id for each in below]
    if wanted.project_id is not None:
        kept = {wanted.project_id}
        if wanted.subtree:
            kept |= {each.id for each in projects.subtree(connection, wanted.project_id)}
        names = [each for each in names if each in kept]
    for each in names:
        yield "project", each
