"""What ends with a project, a domain or a user, in the transaction that deletes it: policies, findings,
consents, affiliations. What was written down of them stays: the log, the policies' history, notices."""

from __future__ import annotations

from collections.abc import Iterable

from andromede.db import Connection
from andromede.sovereignty import generation, suppliers
from andromede.sovereignty.consent import customers
from andromede.sovereignty.consent import store as consents
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import domain_scope, project_scope


def projects(connection: Connection, project_ids: Iterable[str], actor: str) -> dict[str, int]:
    """End what projects leave behind; how many of each, by name, of which there were any."""
    gone = sorted(set(project_ids))
    customers.forget(connection, gone)
    ended = {
        "policies": _policies(connection, map(project_scope, gone), actor),
        "findings": findings.close_of(connection, gone),
        "consents": consents.end_of(connection, gone, actor),
    }
    return {name: count for name, count in ended.items() if count}


def domain(connection: Connection, domain_id: str, actor: str) -> dict[str, int]:
    """End a domain's own policy."""
    count = _policies(connection, [domain_scope(domain_id)], actor)
    return {"policies": count} if count else {}


def users(connection: Connection, user_ids: Iterable[str]) -> None:
    """End what entities users acted for."""
    if suppliers.forget(connection, user_ids):
        generation.bump(connection)


def _policies(connection: Connection, scopes: Iterable[str], actor: str) -> int:
    return sum(policies.put(connection, each, None, actor) is not None for each in scopes)
