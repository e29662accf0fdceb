"""The rows of policies, their history, and what is in force for a project. The only SQL of policies.

What is in force is kept by each process for the generation it was read in, so that asking again
costs one plain statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.sovereignty import generation
from andromede.sovereignty.policy.merge import Effective, Layer, merge
from andromede.sovereignty.policy.model import (
    CLOUD,
    DEFAULTS,
    EMPTY,
    RETENTION_LEAST,
    OperatorAccess,
    Policy,
    SupplierAccess,
    Switch,
    project_scope,
)

policy = table(
    "policy",
    metadata,
    sa.Column("scope", sa.String(80), primary_key=True),  # "cloud", "domain/ID" or "project/ID"
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
)
policy_change = table(
    "policy_change",
    metadata,
    identifier(primary_key=True),
    sa.Column("scope", sa.String(80), nullable=False),
    sa.Column("time", Moment, nullable=False),
    identifier("actor", nullable=True),  # None: who started the cloud
    sa.Column("before", sa.Text, nullable=True),
    sa.Column("after", sa.Text, nullable=True),  # None: it was removed
    sa.Index("ix_policy_change_scope", "scope", "time", "id"),
)

Lineage = Callable[[Connection, str], Sequence[str] | None]
_decoder = msgspec.json.Decoder(Policy)
_KEPT_MARKS = 4
_KEPT_PROJECTS = 50_000
_kept: dict[str, dict[str, Effective]] = {}
_CLOSED = Policy(operator_access=OperatorAccess.CONSENT, second_factor=Switch.ON)


def _alone(_: Connection, __: str) -> Sequence[str] | None:
    return ()


_lineage: Lineage = _alone


def set_lineage(lineage: Lineage) -> None:
    """How to find the scopes above a project, outermost first: `domain/ID`, then `project/ID` of
    each parent; None for a project that is not there. They never change while a project lives."""
    global _lineage
    _lineage = lineage


def get(connection: Connection, scope: str) -> Policy | None:
    """A scope's own policy."""
    text = connection.execute(sa.select(policy.c.document).where(policy.c.scope == scope)).scalar()
    return None if text is None else _decoder.decode(text)


def changed_at(connection: Connection, scope: str) -> int | None:
    """When a scope's policy was last written."""
    when: int | None = connection.execute(
        sa.select(policy.c.changed_at).where(policy.c.scope == scope)
    ).scalar()
    return when


def put(
    connection: Connection, scope: str, wanted: Policy | None, actor: str | None = None
) -> Policy | None:
    """Replace a scope's policy, None to remove it; what it was before."""
    before = get(connection, scope)
    if before == wanted:
        return before
    text = None if wanted is None else msgspec.json.encode(wanted).decode()
    connection.execute(sa.delete(policy).where(policy.c.scope == scope))
    now = clock.now()
    if text is not None:
        row = {"scope": scope, "document": text, "changed_at": now}
        connection.execute(sa.insert(policy), row)
    change = {
        "id": ids.new(),
        "scope": scope,
        "time": now,
        "actor": actor,
        "before": None if before is None else msgspec.json.encode(before).decode(),
        "after": text,
    }
    connection.execute(sa.insert(policy_change), change)
    generation.bump(connection)
    return before


def page(connection: Connection, after: str | None, limit: int) -> list[tuple[str, Policy, int]]:
    """(scope, policy, when it was written) of every policy, by scope."""
    wanted = sa.select(policy).order_by(policy.c.scope).limit(limit)
    if after is not None:
        wanted = wanted.where(policy.c.scope > after)
    rows = connection.execute(wanted)
    return [(row.scope, _decoder.decode(row.document), row.changed_at) for row in rows]


def history(
    connection: Connection, scopes: Sequence[str], limit: int = 1000
) -> list[dict[str, Any]]:
    """What changed of these scopes' policies, newest first: `scope`, `time` (µs), `actor`, and the
    documents `before` and `after`, None where there was none."""
    wanted = (
        sa.select(policy_change)
        .where(policy_change.c.scope.in_(scopes))
        .order_by(policy_change.c.time.desc(), policy_change.c.id)
        .limit(limit)
    )
    found = []
    for row in connection.execute(wanted).mappings():
        texts = {name: row[name] for name in ("before", "after")}
        documents = {k: None if v is None else msgspec.json.decode(v) for k, v in texts.items()}
        found.append({"scope": row["scope"], "time": row["time"], "actor": row["actor"],
                      **documents})  # fmt: skip
    return found


def scopes_of(connection: Connection, project_id: str) -> tuple[str, ...]:
    """The scopes that bind a project, outermost first."""
    return (CLOUD, *(_lineage(connection, project_id) or ()), project_scope(project_id))


def effective(connection: Connection, project_id: str, mark: str | None = None) -> Effective:
    """What is in force for a project. `mark` is the generation, where the caller has read it."""
    mark = generation.read(connection) if mark is None else mark
    kept = _kept.get(mark)
    if kept is None:
        while len(_kept) >= _KEPT_MARKS:
            _kept.pop(next(iter(_kept)), None)
        kept = _kept[mark] = {}
    found = kept.get(project_id)
    if found is None:
        above = _lineage(connection, project_id) if project_id else ()
        found = _in_force(connection, mark, project_id, above or ())
        if len(kept) < _KEPT_PROJECTS:
            kept[project_id] = found
    return found


def effective_cloud(connection: Connection) -> Effective:
    """What is in force for the cloud as a whole, and for logins of its operators."""
    return effective(connection, "")


def _in_force(
    connection: Connection, mark: str, project_id: str, above: Sequence[str]
) -> Effective:
    own = (project_scope(project_id),) if project_id else ()
    scopes = (CLOUD, *above, *own)
    documents: dict[str, Policy] = {}
    if mark != generation.NONE:
        rows = connection.execute(sa.select(policy).where(policy.c.scope.in_(scopes)))
        documents = {row.scope: _decoder.decode(row.document) for row in rows}
    layers = [Layer(scope=scope, policy=documents[scope]) for scope in scopes if scope in documents]
    return merge([_defaults(documents.get(CLOUD, EMPTY)), *layers])


def _defaults(cloud: Policy) -> Layer:
    """What holds where the cloud's own policy does not say otherwise."""
    missing = {
        name: getattr(_CLOSED, name)
        for name in ("operator_access", "second_factor")
        if getattr(cloud, name) is None
    }
    return Layer(scope=DEFAULTS, policy=Policy(**missing))


def retention_days(connection: Connection) -> tuple[int, str]:
    """How long the log must be kept, the longest that any policy asks for, and where it is set."""
    longest, where = RETENTION_LEAST, DEFAULTS
    for row in connection.execute(sa.select(policy).order_by(policy.c.scope)):
        days = _decoder.decode(row.document).retention_days
        if days is not None and days > longest:
            longest, where = days, row.scope
    return longest, where


def demanding_eu_suppliers(connection: Connection) -> str | None:
    """A scope whose policy keeps suppliers from outside the Union away; None when there is none."""
    for row in connection.execute(sa.select(policy).order_by(policy.c.scope)):
        if _decoder.decode(row.document).supplier_access is SupplierAccess.EU:
            return str(row.scope)
    return None
