"""What the real compute service says: its route table, and the schemas and versions that its
controllers' methods are decorated with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "1")

from nova.api.openstack.compute import routes
from nova.api.validation import validators

from tests.oracle.upstream.rule import Check, Rule, Version, by_schema

PREFIX = "/compute/v2.1"
PARTS = {
    "request": "request_body_schemas",
    "query": "request_query_schemas",
    "response": "response_body_schemas",
}


def rules() -> Iterator[Rule]:
    for template, methods in routes.ROUTE_LIST:
        if isinstance(methods, str):  # a redirection
            continue
        for method, (factory, name) in methods.items():
            main, others = factory.args
            if name != "action":
                found = getattr(main, main.wsgi_actions.get(name, name))
                yield _rule(method, template, None, found)
                continue
            for controller in (main, *others):
                for key, function in controller.wsgi_actions.items():
                    yield _rule(method, template, key, getattr(controller, function))


def _rule(method: str, template: str, key: str | None, function: Any) -> Rule:
    codes = getattr(function, "wsgi_codes", None)
    return Rule(
        method=method,
        template=template,
        key=key,
        since=_version(getattr(function, "min_version", None)),
        until=_version(getattr(function, "max_version", None)),
        removed=getattr(function, "removed", False),
        checks=list(_checks(function)),
        codes=[
            (_version(low), _version(high), code)
            for code, low, high in (codes._codes if codes else ())
        ],
    )


def _checks(function: Any) -> Iterator[Check]:
    for part, name in PARTS.items():
        held = getattr(function, name, None)
        for schema, low, high in held._schemas if held else ():
            validator = validators._SchemaValidator(schema, False, part != "query").validator
            since, until = _asked(low), _asked(high)
            yield Check(part=part, wrong=by_schema(validator), since=since, until=until)


def _asked(version: Any) -> Version | None:
    """An APIVersionRequest."""
    return None if version.is_null() else (version.ver_major, version.ver_minor)


def _version(text: str | None) -> Version | None:
    if not text:
        return None
    major, minor = text.split(".")
    return int(major), int(minor)
