"""Extra specs of flavors over HTTP: what a flavor promises beyond its size."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation
from andromede.services.compute import values
from andromede.services.compute.flavors import store
from andromede.services.compute.flavors.schema import Specs


def _specs(context: Context) -> dict[str, str]:
    return store.get(context.conn, context.params["id"], context.caller).extra_specs


def _set(context: Context, added: dict[str, str]) -> None:
    flavor_id = context.params["id"]
    store.set_specs(context.conn, flavor_id, {**_specs(context), **added})
    context.concerns(flavor_id)


def _absent(context: Context) -> NotFound:
    return NotFound(
        f"Flavor {context.params['id']} has no extra specs with key {context.params['key']}."
    )


def list_specs(context: Context) -> dict[str, Any]:
    return {"extra_specs": _specs(context)}


def create(context: Context) -> dict[str, Any]:
    _set(context, values.pairs(context.body.extra_specs, "extra_specs", numbers=True))
    return {"extra_specs": context.body.extra_specs}


def show(context: Context) -> dict[str, Any]:
    specs = _specs(context)
    if context.params["key"] not in specs:
        raise _absent(context)
    return {context.params["key"]: specs[context.params["key"]]}


def update(context: Context) -> dict[str, Any]:
    body: dict[str, Any] = context.body
    if list(body) != [context.params["key"]]:
        raise BadRequest(
            f"Request body and URI mismatch: the body must hold the one key "
            f"{context.params['key']}."
        )
    _set(context, values.pairs(body, "extra_specs", numbers=True))
    return body


def delete(context: Context) -> None:
    specs = _specs(context)
    if context.params["key"] not in specs:
        raise _absent(context)
    kept = {key: value for key, value in specs.items() if key != context.params["key"]}
    store.set_specs(context.conn, context.params["id"], kept)
    context.concerns(context.params["id"])


def operations(reader: Rule) -> list[Operation]:
    """The rows; `reader` may read them."""
    rows: list[tuple[str, str, Any, str, Rule, Any]] = [
        ("GET", "", list_specs, "list", reader, None),
        ("POST", "", create, "create", ADMIN, Specs),
        ("GET", "/{key}", show, "show", reader, None),
        ("PUT", "/{key}", update, "update", ADMIN, dict[str, Any]),
        ("DELETE", "/{key}", delete, "delete", ADMIN, None),
    ]
    return [
        Operation(
            method=method,
            path=f"/v2.1/flavors/{{id}}/os-extra_specs{path}",
            handler=handler,
            action=f"compute:flavor_extra_spec:{verb}",
            allow=allow,
            body=body,
        )
        for method, path, handler, verb, allow, body in rows
    ]
