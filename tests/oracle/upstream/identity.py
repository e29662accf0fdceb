"""What the real identity service says: the resources that its API registers, and the schemas that
their methods are decorated with or call for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import flask
from keystone.api import (
    auth,
    credentials,
    discovery,
    domains,
    ec2tokens,
    endpoints,
    groups,
    limits,
    os_ep_filter,
    os_inherit,
    os_oauth2,
    os_revoke,
    policy,
    projects,
    regions,
    registered_limits,
    role_assignments,
    role_inferences,
    roles,
    s3tokens,
    services,
    system,
    trusts,
    users,
)
from keystone.api.validation import validators
from keystone.auth import schema as auth_schema
from keystone.exception import SchemaValidationError
from keystone.identity import schema as identity_schema
from keystone.policy import schema as policy_schema
from keystone.resource import schema as resource_schema

from tests.oracle.upstream.rule import Check, Rule, Wrong, by_schema

PREFIX = "/identity"
APIS = (
    auth, credentials, discovery, domains, ec2tokens, endpoints, groups, limits, os_ep_filter,
    os_inherit, os_oauth2, os_revoke, policy, projects, regions, registered_limits,
    role_assignments, role_inferences, roles, s3tokens, services, system, trusts, users,
)  # fmt: skip
PARTS = {
    "request": "_request_body_schema",
    "query": "_request_query_schema",
    "response": "_response_body_schema",
}
PARAMETER = re.compile(r"<(?:[^:>]*:)?([^>]+)>")


def rules() -> Iterator[Rule]:
    app = flask.Flask("oracle")
    for module in APIS:
        for api in module.APIs:
            api.instantiate_and_register_to_app(app)
    for route in app.url_map.iter_rules():
        view = getattr(app.view_functions[route.endpoint], "view_class", None)
        for method in sorted(route.methods or ()):
            function = getattr(view, method.lower(), None)
            if function is not None and method not in ("HEAD", "OPTIONS"):
                template = PARAMETER.sub(r"{\1}", route.rule)
                yield Rule(
                    method=method, template=template, checks=_checks(method, template, function)
                )


def _checks(method: str, template: str, function: Any) -> list[Check]:
    found = []
    for part, name in PARTS.items():
        schema = getattr(function, name, None)
        if schema is not None and (method, part) != (
            "GET",
            "request",
        ):  # where no body means anything
            judge = by_schema(validators._SchemaValidator(schema).validator)
            found.append(Check(part=part, wrong=_prepared(part, judge)))
    called = CALLED.get((method, template))
    return found + ([Check(part="request", wrong=called)] if called else [])


def _prepared(
    part: str, judge: Callable[[Any], Iterable[Wrong]]
) -> Callable[[Any], Iterable[Wrong]]:
    """As the service makes a document of what came: no body is an empty one, and of a parameter's
    values the first one is taken."""
    if part == "request":
        return lambda document: judge(document or {})
    if part == "query":
        return lambda document: judge({key: values[0] for key, values in (document or {}).items()})
    return judge


def _inner(schema: Any, *keys: str) -> Callable[[Any], Iterator[Wrong]]:
    """Judges what stands at a key of the body."""
    judge = by_schema(validators._SchemaValidator(schema).validator)

    def wrong(document: Any) -> Iterator[Wrong]:
        for key in keys:
            document = document.get(key, {}) if isinstance(document, dict) else {}
        yield from (("/".join((*keys, where)).rstrip("/"), what) for where, what in judge(document))

    return wrong


def _token(document: Any) -> Iterator[Wrong]:
    try:
        auth_schema.validate_issue_token_auth((document or {}).get("auth"))
    except SchemaValidationError as error:
        yield "auth", str(error).partition("Value:")[0][:120]


CALLED: Mapping[tuple[str, str], Callable[[Any], Iterable[Wrong]]] = {
    ("POST", "/v3/auth/tokens"): _token,
    ("POST", "/v3/users/{user_id}/password"): _inner(identity_schema.password_change, "user"),
    ("POST", "/v3/policies"): _inner(policy_schema.policy_create, "policy"),
    ("PATCH", "/v3/policies/{policy_id}"): _inner(policy_schema.policy_update, "policy"),
    ("PUT", "/v3/projects/{project_id}/tags"): _inner(resource_schema.project_tags_update, "tags"),
}  # of the methods that are not decorated
