"""The SQL of QoS policies and their rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.engine.networks import QosSpec
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    drop_tags,
    own,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.qos.schema import BANDWIDTH, DSCP, POLICY, RULES
from andromede.services.network.shares import store as shares

policy = table(
    "network_qos_policy",
    metadata,
    *standard_columns(),
    sa.Column("is_default", sa.Boolean, nullable=False),
)
rule = table(
    "network_qos_rule",
    metadata,
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    identifier("policy_id", nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("max_kbps", sa.Integer, nullable=True),
    sa.Column("max_burst_kbps", sa.Integer, nullable=True),
    sa.Column("direction", sa.String(8), nullable=True),
    sa.Column("dscp_mark", sa.Integer, nullable=True),
    sa.Index(None, "policy_id", "id"),
)

POLICIES = Collection(POLICY, policy, shares.seen(policy), {"shared": shares.filtering(policy)})
KINDS = {kind: Collection(schema, rule, own(rule.c.project_id)) for kind, schema in RULES.items()}
FIELDS = {BANDWIDTH: ("max_kbps", "max_burst_kbps", "direction"), DSCP: ("dscp_mark",)}


def insert(connection: Connection, values: Row) -> Row:
    row = {**standard_values(), **values}
    connection.execute(sa.insert(policy), row)
    return row


def update(connection: Connection, policy_id: str, values: Row) -> None:
    change(connection, policy, policy_id, values)


def delete(connection: Connection, policy_id: str) -> None:
    shares.forget(connection, policy_id)
    drop_tags(connection, policy_id)
    connection.execute(sa.delete(rule).where(rule.c.policy_id == policy_id))
    connection.execute(sa.delete(policy).where(policy.c.id == policy_id))


def default_of(connection: Connection, project_id: str) -> str | None:
    """The policy that a project's new networks get."""
    statement = sa.select(policy.c.id).where(
        policy.c.project_id == project_id, policy.c.is_default == sa.true()
    )
    return connection.execute(statement.limit(1)).scalar()


def rules_of(connection: Connection, policy_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The rules of some policies."""
    wanted = sorted(set(policy_ids))
    found: dict[str, list[Row]] = {key: [] for key in wanted}
    if wanted:
        statement = sa.select(rule).where(rule.c.policy_id.in_(wanted)).order_by(rule.c.id)
        for row in connection.execute(statement).mappings():
            found[row["policy_id"]].append(dict(row))
    return found


def insert_rule(connection: Connection, values: Row) -> None:
    connection.execute(sa.insert(rule), values)


def update_rule(connection: Connection, rule_id: str, values: Row) -> None:
    connection.execute(sa.update(rule).where(rule.c.id == rule_id).values(**values))


def delete_rule(connection: Connection, rule_id: str) -> None:
    connection.execute(sa.delete(rule).where(rule.c.id == rule_id))


def specs(connection: Connection, policy_ids: Iterable[str]) -> dict[str, QosSpec]:
    """What the engine is told of some policies; one without rules does nothing and has none."""
    found = {}
    for key, rows in rules_of(connection, policy_ids).items():
        fields: dict[str, Any] = {}
        for row in rows:
            if row["kind"] == DSCP:
                fields["dscp"] = row["dscp_mark"]
            else:
                fields[f"{row['direction']}_kbps"] = row["max_kbps"]
                fields[f"{row['direction']}_burst"] = row["max_burst_kbps"]
        if fields:
            found[key] = QosSpec(**fields)
    return found


def view(row: Mapping[str, Any], rules: Sequence[Row], tags: Sequence[str], *, shared: bool) -> Row:
    """A policy as clients see it."""
    return {
        **standard_view(row, tags),
        "shared": shared,
        "is_default": row["is_default"],
        "rules": [
            {**rule_view(each), "type": each["kind"], "qos_policy_id": row["id"]} for each in rules
        ],
    }


def rule_view(row: Mapping[str, Any]) -> Row:
    """A rule as clients see it."""
    return {"id": row["id"], **{name: row[name] for name in FIELDS[row["kind"]]}}
