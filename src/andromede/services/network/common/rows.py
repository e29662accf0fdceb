"""The routing rows that every noun has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.operation import Operation

Handler = Callable[[Context], Any]


def rows(
    noun: str,
    path: str,
    *,
    index: Handler,
    show: Handler,
    create: Handler | None = None,
    update: Handler | None = None,
    delete: Handler | None = None,
    write: Rule = PROJECT_MEMBER,
    places: Mapping[str, str] | None = None,
) -> list[Operation]:
    """List, show, and what else the noun allows, below `/v2.0/<path>`. `places` tells of verbs
    what `Operation.places` does; by default a create places."""
    placing = {"create": "create"} if places is None else places
    base, one = f"/v2.0/{path}", f"/v2.0/{path}/{{id}}"
    kinds = [
        ("GET", base, "list", index, PROJECT_READER, 200),
        ("GET", one, "show", show, PROJECT_READER, 200),
        ("POST", base, "create", create, write, 201),
        ("PUT", one, "update", update, write, 200),
        ("DELETE", one, "delete", delete, write, 204),
    ]
    return [
        Operation(
            method=method,
            path=where,
            handler=handler,
            action=f"network:{noun}:{verb}",
            allow=rule,
            status=status,
            places=placing.get(verb),
        )
        for method, where, verb, handler, rule, status in kinds
        if handler is not None
    ]
