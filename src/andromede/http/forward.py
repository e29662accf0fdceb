"""Asks another service of this cloud for something in a caller's name, inside the same transaction.

For operations that only say in an older way what another service does: its rules, its validation
and its admission hold as if the caller had asked it. Reads the routing tables; opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from andromede.http.body import validate
from andromede.http.context import Context
from andromede.http.dispatch import require_access
from andromede.http.errors import Forbidden
from andromede.http.operation import Reply, Service
from andromede.http.routing import Table

_TABLES: dict[int, Table] = {}  # by the identity of their service, which they keep alive


def _table(service: Service) -> Table:
    table = _TABLES.get(id(service))
    if table is None:
        table = _TABLES[id(service)] = Table(service)
    return table


def ask(
    context: Context,
    service: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Any:
    """What the service named answers, as plain values; `path` is below its mount, and spelled as in
    a URL.

    What it concerns, whom it touched and that it was admitted become the asking request's.
    Errors: the other service's; Forbidden when the caller may not do it there; Unauthorized when its
    application credential is for other requests.
    """
    found = next(each for each in context.cloud.catalog if each.name == service)
    [operation], params = _table(found).find(method, path)
    asked = Context(
        context.cloud, found, operation,
        params=params, query=list(query), headers=headers or {}, listener=context.listener,
        base_url=context.base_url, remote=context.remote,
    )  # fmt: skip
    asked.request_id, asked.path, asked.body = context.request_id, path, body
    asked.caller, asked.touched, asked.notes = context.caller, context.touched, context.notes
    asked.conn = context._conn
    if operation.allow is not None and not operation.allow.allows(context.caller):
        raise Forbidden(
            f"You are not authorized to perform the requested action: {operation.action} "
            f"(it asks for: {operation.allow.name})."
        )
    require_access(asked)
    validate(asked)
    try:
        answer = operation.handler(asked)
    finally:
        context.subject = asked.subject or context.subject
        context.leaf_project = asked.leaf_project or context.leaf_project
        context.admitted = context.admitted or asked.admitted
    return msgspec.to_builtins(answer.body if isinstance(answer, Reply) else answer)
