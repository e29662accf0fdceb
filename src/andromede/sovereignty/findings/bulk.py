"""Opening and closing findings of whole groups of resources: the SQL of re-evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.db.plain import Statement
from andromede.sovereignty.findings.placed import Group, Offence, Source
from andromede.sovereignty.findings.store import OPEN, add, finding

Key = tuple[Group, str]  # a group and a rule


def groups(connection: Connection, source: Source) -> list[Group]:
    """Which projects have resources of a kind, and at which sites."""
    rows = source.rows.subquery()
    wanted = sa.select(rows.c.project_id, rows.c.site).distinct()
    return [
        Group(kind=source.kind, project_id=row.project_id, site=row.site)
        for row in connection.execute(wanted)
    ]


def count_at(connection: Connection, source: Source, sites: Iterable[str]) -> dict[str, int]:
    """How many resources of a kind lie at each of some sites, where there are any."""
    rows = source.rows.subquery()
    wanted = (
        sa.select(rows.c.site, sa.func.count())
        .where(rows.c.site.in_(sorted(sites)))
        .group_by(rows.c.site)
    )
    return {row[0]: row[1] for row in connection.execute(wanted)}


def standing(connection: Connection, kind: str) -> dict[Key, int]:
    """How many findings are open in each group, by rule."""
    columns = (finding.c.project_id, finding.c.site, finding.c.rule)
    wanted = sa.select(*columns, sa.func.count()).where(OPEN, finding.c.kind == kind)
    found: dict[Key, int] = {}
    for project_id, site, rule, count in connection.execute(wanted.group_by(*columns)):
        found[Group(kind=kind, project_id=project_id, site=site), rule] = count
    return found


_SAME = (
    "closed_at IS NULL AND kind = :kind AND site = :site AND project_id = :project_id "
    "AND rule = :rule"
)
_TELL = (
    "UPDATE finding SET reason = :reason, reason_fr = :reason_fr, set_at = :set_at "  # noqa: S608
    f"WHERE {_SAME} AND (reason <> :reason OR reason_fr <> :reason_fr OR set_at <> :set_at)"
)
_close = Statement(f"UPDATE finding SET closed_at = :now WHERE {_SAME}")  # noqa: S608
_retell = Statement(_TELL)
_retell_one = Statement(f"{_TELL} AND resource = :resource")


def _same(group: Group, rule: str) -> dict[str, str]:
    """What the open findings of a group and rule are known by."""
    return {"kind": group.kind, "site": group.site, "project_id": group.project_id, "rule": rule}


def close(connection: Connection, group: Group, rule: str) -> int:
    """Close every finding of a group and rule; how many."""
    return _close.run(connection, {**_same(group, rule), "now": clock.now()})


def gone(source: Source) -> sa.ColumnElement[bool]:
    """The condition that an open finding is of a resource that is no longer there."""
    rows = source.rows.selected_columns
    there = (
        source.rows.where(
            rows.id == finding.c.resource,
            rows.site == finding.c.site,
            rows.project_id == finding.c.project_id,
        )
        .correlate(finding)
        .exists()
    )
    return sa.and_(OPEN, finding.c.kind == source.kind, ~there)


def any_gone(connection: Connection, source: Source) -> bool:
    """Whether a finding stands of what was deleted or moved meanwhile."""
    wanted = sa.select(finding.c.id).where(gone(source)).limit(1)
    return connection.execute(wanted).first() is not None


def close_gone(connection: Connection, source: Source) -> dict[tuple[str, str], int]:
    """Close the findings of what was deleted or moved; how many by project and rule."""
    condition = gone(source)
    columns = (finding.c.project_id, finding.c.rule)
    counted = connection.execute(
        sa.select(*columns, sa.func.count()).where(condition).group_by(*columns)
    ).all()
    if counted:
        connection.execute(sa.update(finding).where(condition).values(closed_at=clock.now()))
    return {(project_id, rule): count for project_id, rule, count in counted}


def missing(
    connection: Connection, source: Source, offences: Sequence[Offence]
) -> list[tuple[Offence, list[str]]]:
    """The resources of offending groups that have no finding yet: one walk for each rule."""
    found: list[tuple[Offence, list[str]]] = []
    for rule in dict.fromkeys(each.rule for each in offences):
        wanted: dict[tuple[str, str], tuple[Offence, list[str]]] = {
            (each.group.project_id, each.group.site): (each, [])
            for each in offences
            if each.rule == rule
        }
        for key, project_id, site in connection.execute(_without(source, rule)):
            if (project_id, site) in wanted:
                wanted[project_id, site][1].append(key)
        found.extend(wanted.values())
    return found


def _without(source: Source, rule: str) -> sa.Select[Any]:
    """Every resource that has no open finding by a rule, with its project and site."""
    rows = source.rows.subquery()
    known = sa.select(sa.literal(1)).where(
        OPEN,
        finding.c.kind == source.kind,
        finding.c.site == rows.c.site,
        finding.c.project_id == rows.c.project_id,
        finding.c.rule == rule,
        finding.c.resource == rows.c.id,
    )
    return sa.select(rows.c.id, rows.c.project_id, rows.c.site).where(~known.exists())


def deadline(offence: Offence) -> int:
    """By when what is found now must be healed."""
    return clock.now() + offence.days * 86_400 * clock.SECOND


def standing_alone(connection: Connection, kind: str) -> dict[tuple[str, str], Group]:
    """The open findings of a kind of single resources, by resource and rule."""
    wanted = sa.select(finding).where(OPEN, finding.c.kind == kind)
    return {
        (row.resource, row.rule): Group(kind=kind, project_id=row.project_id, site=row.site)
        for row in connection.execute(wanted)
    }


def close_one(connection: Connection, kind: str, resource: str, rule: str) -> None:
    """Close the finding of one resource and rule."""
    same = (OPEN, finding.c.kind == kind, finding.c.resource == resource, finding.c.rule == rule)
    connection.execute(sa.update(finding).where(*same).values(closed_at=clock.now()))


def open_all(connection: Connection, new: Iterable[tuple[Offence, list[str]]]) -> None:
    """Open a finding for each resource, all in one statement."""
    add(connection, ((_alike(offence), resources) for offence, resources in new))


def _alike(offence: Offence) -> dict[str, Any]:
    """What the findings of one offence have in common."""
    return {
        "rule": offence.rule,
        "set_at": offence.set_at,
        "kind": offence.group.kind,
        "project_id": offence.group.project_id,
        "site": offence.group.site,
        "deadline": deadline(offence),
        "reason": offence.reason.en,
        "reason_fr": offence.reason.fr,
    }


def retell(connection: Connection, offence: Offence) -> None:
    """Let the findings that stand say why they stand now; their deadline stays."""
    told = {
        **_same(offence.group, offence.rule),
        "reason": offence.reason.en,
        "reason_fr": offence.reason.fr,
        "set_at": offence.set_at,
    }
    if offence.resource:
        _retell_one.run(connection, {**told, "resource": offence.resource})
    else:
        _retell.run(connection, told)
