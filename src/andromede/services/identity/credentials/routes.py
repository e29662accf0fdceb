"""Rows of /v3/users/{user_id}/application_credentials and their handlers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, UnsetType

from andromede import clock, ids
from andromede.http.access import AUTHENTICATED, AccessRule
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import passwords, policy
from andromede.services.identity.access_rules import store as access_rules
from andromede.services.identity.credentials import store
from andromede.services.identity.credentials.schema import NewCredential, NewCredentialBody
from andromede.services.identity.first_start import new_secret
from andromede.services.identity.grants import store as grants
from andromede.services.identity.links import own, several
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row, duplicate, page_of, refusing
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens import strength
from andromede.services.identity.users import store as users

MOST = 1_000  # credentials of one user
MANAGE = "manage application credentials"
FORBIDDEN = "You are not authorized to perform the requested action"


class Secret(Struct, frozen=True):
    """A secret as it is shown once, and its hash."""

    text: str
    hashed: str


def _views(context: Context, rows: Sequence[Row]) -> list[dict[str, Any]]:
    carried = store.role_ids(context.conn, [row.id for row in rows])
    rules = access_rules.of_credentials(context.conn, carried)
    known = roles.several(context.conn, (each for ids in carried.values() for each in ids))
    return [
        {
            **_view(context, row, [known[each] for each in carried[row.id]]),
            **({"access_rules": rules[row.id]} if rules[row.id] else {}),
        }
        for row in rows
    ]


def _view(context: Context, row: Row, carried: Sequence[Row]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "project_id": row.project_id,
        "user_id": row.user_id,
        "roles": [
            {"id": each.id, "name": each.name, "domain_id": each.domain_id or None}
            for each in carried
        ],
        "expires_at": None if row.expires_at is None else clock.iso_micro(row.expires_at)[:-1],
        "unrestricted": row.unrestricted,
        "system": None,
        "links": own(context, f"users/{row.user_id}/application_credentials/{row.id}"),
    }


def _require_free(context: Context) -> None:
    """A restricted credential makes no others and removes none.

    Errors: Forbidden.
    """
    if context.caller.restricted:
        raise Forbidden(
            f"{FORBIDDEN}: Using method 'application_credential' is not allowed for managing "
            "additional application credentials."
        )


def list_all(context: Context) -> dict[str, Any]:
    policy.require_whole(context, MANAGE)
    user_id = context.params["user_id"]
    caller = context.caller
    policy.require(context, policy.system_reader(caller) or caller.user_id == user_id)
    table = store.application_credential
    where: list[sa.ColumnElement[bool]] = [table.c.user_id == user_id]
    name = context.first("name")
    if name is not None:
        where.append(table.c.name == name)
    rows, more = page_of(context.conn, table, where, read_page(context.query))
    return several(context, "application_credentials", _views(context, rows), more=more)


def _find(context: Context) -> Row:
    """The credential of the path, when it is the path's user's.

    Errors: NotFound.
    """
    identifier = context.params["credential_id"]
    row = store.get(context.conn, identifier)
    if row is None or row.user_id != context.params["user_id"]:
        raise NotFound(f"Could not find Application Credential: {identifier}.")
    return row


def show(context: Context) -> dict[str, Any]:
    policy.require_whole(context, MANAGE)
    caller = context.caller
    mine = caller.user_id == context.params["user_id"]
    policy.require(context, policy.system_reader(caller) or mine)
    return {"application_credential": _views(context, [_find(context)])[0]}


def make_secret(context: Context) -> Secret:
    """The client's secret or a new one, with its hash; computed before the transaction."""
    _require_owner(context)
    text = context.body.application_credential.secret or new_secret()
    return Secret(text, passwords.digest(text))


def _require_owner(context: Context) -> None:
    policy.require_whole(context, MANAGE)
    _require_free(context)
    if context.caller.user_id != context.params["user_id"]:
        raise Forbidden(f"{FORBIDDEN}: Cannot create an application credential for another user.")


def create(context: Context) -> dict[str, Any]:
    body: NewCredential = context.body.application_credential
    refuse_null(context, "application_credential", "project_id", "access_rules")
    caller, secret = context.caller, context.prepared
    if caller.project_id is None:
        raise Forbidden(
            f"{FORBIDDEN}: an application credential is made with a project-scoped token, and "
            "is for that project."
        )
    if body.project_id not in (None, caller.project_id):
        raise BadRequest(
            "Invalid application credential: project_id is the project of the token, "
            f"{caller.project_id}."
        )
    carried = _roles(context, body)
    row: dict[str, Any] = {
        "id": ids.new_hex(),
        "name": body.name,
        "description": body.description,
        "user_id": caller.user_id,
        "project_id": caller.project_id,
        "secret_hash": secret.hashed,
        "expires_at": _expiry(body.expires_at),
        "unrestricted": bool(body.unrestricted),
        "two_factor": strength.two(caller.methods),
        "password_known": users.password_known(context.conn, caller.user_id),
    }
    _require_factors(context, carried)
    _check_count(context)
    with refusing("application_credential", duplicate(body.name, None)):
        context.conn.execute(sa.insert(store.application_credential), row)
    store.set_roles(context.conn, row["id"], carried)
    access_rules.attach(context.conn, row["id"], _rules(context, body))
    context.concerns(row["id"])
    made = store.get(context.conn, row["id"])
    assert made is not None
    return {"application_credential": {**_views(context, [made])[0], "secret": secret.text}}


def _require_factors(context: Context, carried: set[str]) -> None:
    """Have the admin role handed on by logins of two factors only, where the cloud asks for them.

    Errors: Forbidden.
    """
    names = roles.named(context.conn, carried).values()
    if (
        "admin" in names
        and strength.refusal(context.conn, context.caller.methods, None) is not None
    ):
        raise Forbidden(
            f"{FORBIDDEN}: an application credential with the admin role is made with a token of "
            "two factors (methods password and totp)."
        )


def _check_count(context: Context) -> None:
    table = store.application_credential
    count = context.conn.execute(
        sa.select(sa.func.count()).where(table.c.user_id == context.caller.user_id)
    ).scalar_one()
    if count >= MOST:
        raise Forbidden(
            "Unable to create additional application credentials, maximum of "
            f"{MOST} already exceeded for user."
        )


def _roles(context: Context, body: NewCredential) -> set[str]:
    """The roles to carry: all that the user has now on the project, or those named with what they
    imply; by an application credential, no more than it carries itself.

    Errors: BadRequest for a role that the bearer does not have.
    """
    caller = context.caller
    target = grants.Target(kind="project", id=context.project_id)
    held = grants.effective(context.conn, caller.user_id, target)
    if caller.application_credential_id is not None:
        held = {each: name for each, name in held.items() if name in caller.roles}
    if not body.roles:
        return set(held)
    ids_by_name = {name: each for each, name in held.items()}
    wanted = set()
    for reference in body.roles:
        named = reference.name
        known = ids_by_name.get(named) if not isinstance(named, UnsetType) else None
        chosen = known if isinstance(reference.id, UnsetType) else reference.id
        if chosen not in held:
            raise BadRequest(
                "Invalid application credential: Cannot create an application credential with "
                f"unassigned role. Roles to choose from: {', '.join(sorted(held.values()))}."
            )
        wanted.add(chosen)
    reached = roles.closure(roles.implications(context.conn), wanted)
    return reached & set(held)


def _rules(context: Context, body: NewCredential) -> list[str]:
    """The ids of the access rules that the body names or describes.

    Errors: BadRequest for one that is neither; NotFound for another user's.
    """
    found = []
    for each in body.access_rules or []:
        if isinstance(each.id, str):
            row = access_rules.get(context.conn, each.id)
            if row is None or row.user_id != context.caller.user_id:
                raise NotFound(f"Could not find Access Rule: {each.id}.")
            found.append(each.id)
            continue
        parts = (each.service, each.method, each.path)
        if any(isinstance(part, UnsetType) for part in parts):
            raise BadRequest(
                "Invalid application credential: an access rule has an id, or service, method and "
                "path."
            )
        rule = AccessRule(*map(str, parts))
        found.append(access_rules.made(context.conn, context.caller.user_id, rule))
    return list(dict.fromkeys(found))


def _expiry(text: str | None) -> int | None:
    """Errors: BadRequest when it is no moment, or past."""
    if text is None:
        return None
    try:
        moment = clock.parse(text)
    except ValueError as error:
        raise BadRequest(
            f"Timestamp not in expected format: {text!r}; YYYY-MM-DDTHH:MM:SS is accepted."
        ) from error
    if moment <= clock.now():
        raise BadRequest(f"The 'expires_at' must not be before now; {text} is.")
    return moment


def delete(context: Context) -> Reply:
    policy.require_whole(context, MANAGE)
    _require_free(context)
    caller = context.caller
    mine = caller.user_id == context.params["user_id"]
    policy.require(context, caller.admin or mine)
    row = _find(context)
    store.delete(context.conn, [row.id])
    revocations.revoke(context.conn, [revocations.credential_subject(row.id)])
    context.concerns(row.id, row.project_id)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/users/{{user_id}}/application_credentials{path}",
        handler=handler, action=f"identity:application_credential:{verb}", allow=AUTHENTICATED,
        **more,
    )  # fmt: skip


ONE = "/{credential_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=NewCredentialBody, prepare=make_secret, status=201),
    _row("GET", ONE, show, "show"),
    _row("DELETE", ONE, delete, "delete", status=204),
]
