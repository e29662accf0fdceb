"""Rows of /v3/domains/{domain_id}/config and /v3/domains/config/default, and their handlers.

A secret is never answered. Users here come from this cloud's database, whatever is noted here.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from andromede.http.access import ADMIN, ADMIN_READER, AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.identity import policy
from andromede.services.identity.domain_config import options, store
from andromede.services.identity.domain_config.store import Option
from andromede.services.identity.first_start import DEFAULT_DOMAIN
from andromede.services.identity.projects import store as projects
from andromede.services.identity.user_credentials.routes import PURPOSE, keys_of

Config = dict[str, Any]


class ConfigBody(Struct):
    """Options by section; a single option's own path takes `{option: value}`."""

    config: dict[str, Any]


def _names(context: Context) -> list[str]:
    """The section and the option that the path names."""
    return [context.params[each] for each in ("section", "name") if each in context.params]


def _domain(context: Context) -> str:
    """Errors: NotFound."""
    domain_id = context.params["domain_id"]
    if projects.get_domain(context.conn, domain_id) is None:
        raise NotFound(f"Could not find domain: {domain_id}.")
    context.concerns(domain_id)
    return domain_id


def _missing(domain_id: str, names: list[str]) -> NotFound:
    what = "any options"
    if names:
        what = f"option {names[1]} in group {names[0]}" if len(names) > 1 else f"group {names[0]}"
    return NotFound(f"Could not find {what} in domain configuration for domain {domain_id}.")


def _document(found: list[Option]) -> Config:
    document: Config = {}
    for each in found:
        if each.wrapped is None:
            document.setdefault(each.section, {})[each.name] = each.value
    return document


def show(context: Context) -> Config:
    names = _names(context)
    if names[:1] == [options.COMPLIANCE]:
        return {"config": _compliance(context, *names[1:])}
    policy.require(context, policy.system_reader(context.caller))
    domain_id = _domain(context)
    if names:
        options.check_names(*names)
    document = _document(store.several(context.conn, domain_id, *names))
    if not document:
        raise _missing(domain_id, names)
    return {"config": document[names[0]] if len(names) > 1 else document}


def _compliance(context: Context, name: str | None = None) -> Config:
    if _domain(context) != DEFAULT_DOMAIN:
        raise options.refuse(
            "Reading security compliance information for any domain other than the default domain "
            "is not allowed or supported"
        )
    return options.compliance(context.cloud.config.security_compliance, name)


def wrap(context: Context) -> list[Option]:
    """The options of the body, checked, and the secrets among them wrapped."""
    names = _names(context)
    config = context.body.config
    if len(names) > 1:
        config = {names[0]: config}
    options.check(config)
    if names:
        options.check_part(config, names[0], names[1] if len(names) > 1 else None)
    found = []
    for section, values in config.items():
        for name, value in values.items():
            wrapped = None
            if (section, name) in options.SECRET:
                place = f"{context.params['domain_id']}/{section}/{name}"
                wrapped = keys_of(context).wrap(PURPOSE, place, str(value).encode())
                value = None
            found.append(Option(section=section, name=name, value=value, wrapped=wrapped))
    return found


def create(context: Context) -> Reply:
    """Put a whole configuration in place of the former: 201, or 200 when there was one."""
    domain_id = _domain(context)
    former = store.several(context.conn, domain_id)
    store.delete(context.conn, domain_id)
    store.put(context.conn, domain_id, context.prepared)
    made = _document(store.several(context.conn, domain_id))
    return Reply(200 if former else 201, {"config": made})


def update(context: Context) -> Config:
    """Merge options into a domain's; what the path names has to be there.

    Errors: NotFound.
    """
    domain_id, names = _domain(context), _names(context)
    if names and not store.several(context.conn, domain_id, *names):
        raise _missing(domain_id, names)
    store.put(context.conn, domain_id, context.prepared)
    return {"config": _document(store.several(context.conn, domain_id))}


def delete(context: Context) -> Reply:
    domain_id, names = _domain(context), _names(context)
    if names:
        options.check_names(*names)
    if names and not store.several(context.conn, domain_id, *names):
        raise _missing(domain_id, names)
    store.delete(context.conn, domain_id, *names)
    return Reply(204)


def show_default(context: Context) -> Config:
    return {"config": options.default(context.params.get("section"), context.params.get("name"))}


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/domains/{path}", handler=handler,
        action=f"identity:domain_config:{verb}", **{"allow": ADMIN, **more},
    )  # fmt: skip


def _rows(path: str) -> list[Operation]:
    return [
        _row("GET", path, show, "show", allow=AUTHENTICATED),
        _row("PATCH", path, update, "update", body=ConfigBody, prepare=wrap),
        _row("DELETE", path, delete, "delete", status=204),
    ]


WHOLE = "{domain_id}/config"
DEFAULT: dict[str, Any] = {"handler": show_default, "verb": "show_default", "allow": ADMIN_READER}
OPERATIONS = [
    *_rows(WHOLE),
    *_rows(f"{WHOLE}/{{section}}"),
    *_rows(f"{WHOLE}/{{section}}/{{name}}"),
    _row("PUT", WHOLE, create, "create", body=ConfigBody, prepare=wrap, status=201),
    _row("GET", "config/default", **DEFAULT),
    _row("GET", "config/{section}/default", **DEFAULT),
    _row("GET", "config/{section}/{name}/default", **DEFAULT),
]
