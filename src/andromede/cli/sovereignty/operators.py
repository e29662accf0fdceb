"""`andromede sovereignty consent|emergency|operator|report`: what operators may see, and who can."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Optional
from urllib.parse import parse_qsl, urlsplit

import typer

from andromede.cli.client import Session
from andromede.cli.errors import CliError
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import (
    SERVICE,
    AsJson,
    State,
    api,
    every,
    given,
    print_json,
    print_members,
    print_rows,
)

COLUMNS = ("id", "status", "project_id", "operator", "kinds", "resource", "until", "reason")
PAGE = "100"
SECRET = 20  # bytes, as long as the HMAC's digest (RFC 4226, section 4)

consent = typer.Typer(help="A customer's leave to see its data.", no_args_is_help=True)
emergency = typer.Typer(help="Access without it, by two operators.", no_args_is_help=True)
operator = typer.Typer(help="Operators' second factors.", no_args_is_help=True)
report = typer.Typer(help="Who can reach this; what can this user do.", no_args_is_help=True)
for name, each in {
    "consent": consent, "emergency": emergency, "operator": operator, "report": report,
}.items():  # fmt: skip
    app.add_typer(each, name=name)

Id = Annotated[str, typer.Argument(help="Its id.")]
Kinds = Annotated[
    list[str],
    typer.Argument(help="console, output, disk, user_data, password, snapshot, export or access."),
]
Project = Annotated[str, typer.Argument(help="The id of the customer's project.")]
Reason = Annotated[str, typer.Option(help="Why, for the customer and the log.")]
Resource = Annotated[Optional[str], typer.Option(help="The id of one resource; all.")]
Seconds = Annotated[Optional[int], typer.Option(help="How long, from the moment it is granted.")]


def _tell(answer: Mapping[str, Any], single: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_members(answer[single])


def _list(noun: str, state: Any, as_json: bool) -> None:
    with api(state) as session:
        rows = every(session, noun)
    if as_json:
        print_json({noun: rows})
    else:
        print_rows(rows, COLUMNS)


def _new(noun: str, members: dict[str, Any], state: Any, as_json: bool) -> None:
    single = "consent" if noun == "consents" else "emergency"
    with api(state) as session:
        answer = session.call(SERVICE, "POST", f"/{noun}", {single: given(**members)})
    _tell(answer, single, as_json)


def _act(noun: str, key: str, verb: str, state: Any, as_json: bool, body: Any = None) -> None:
    single = "consent" if noun == "consents" else "emergency"
    with api(state) as session:
        answer = session.call(SERVICE, "POST", f"/{noun}/{key}/{verb}", body)
    _tell(answer, single, as_json)


@consent.command("list", epilog="Example: andromede sovereignty consent list --json")
def list_consents(state: State = None, as_json: AsJson = False) -> None:
    """List the project's consents; an operator's list is every project's."""
    _list("consents", state, as_json)


@consent.command(
    "ask",
    epilog="Example: andromede sovereignty consent ask PROJECT output --reason 'ticket 7' "
    "--resource SERVER --seconds 3600",
)
def ask(
    project: Project,
    kinds: Kinds,
    reason: Reason,
    resource: Resource = None,
    seconds: Seconds = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Ask a customer for its consent, as an operator."""
    members = {
        "project_id": project, "kinds": kinds, "reason": reason, "resource": resource,
        "seconds": seconds,
    }  # fmt: skip
    _new("consents", members, state, as_json)


@consent.command(
    "give",
    epilog="Example: OS_CLOUD=demo andromede sovereignty consent give output --reason 'ticket 7'",
)
def give(
    kinds: Kinds,
    reason: Reason,
    operator_id: Annotated[
        Optional[str], typer.Option("--operator", help="The id of one operator; any.")
    ] = None,
    resource: Resource = None,
    seconds: Seconds = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Give a consent that nobody asked for, as a member of the project."""
    members = {
        "kinds": kinds, "reason": reason, "operator": operator_id, "resource": resource,
        "seconds": seconds,
    }  # fmt: skip
    _new("consents", members, state, as_json)


@consent.command("grant", epilog="Example: OS_CLOUD=demo andromede sovereignty consent grant ID")
def grant(
    key: Id,
    kind: Annotated[Optional[list[str]], typer.Option(help="Only these of the kinds.")] = None,
    seconds: Annotated[Optional[int], typer.Option(help="Shorter than was asked for.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Grant what an operator asked for, or less of it, as a member of the project."""
    body = {"grant": given(kinds=kind, seconds=seconds)}
    _act("consents", key, "grant", state, as_json, body)


@consent.command("refuse", epilog="Example: OS_CLOUD=demo andromede sovereignty consent refuse ID")
def refuse(key: Id, state: State = None, as_json: AsJson = False) -> None:
    """Refuse what an operator asked for."""
    _act("consents", key, "refuse", state, as_json)


@consent.command("revoke", epilog="Example: OS_CLOUD=demo andromede sovereignty consent revoke ID")
def revoke(key: Id, state: State = None, as_json: AsJson = False) -> None:
    """Take a consent back, at once."""
    _act("consents", key, "revoke", state, as_json)


@emergency.command("list", epilog="Example: andromede sovereignty emergency list")
def list_emergencies(state: State = None, as_json: AsJson = False) -> None:
    """List emergencies; a project sees its own."""
    _list("emergencies", state, as_json)


@emergency.command(
    "call",
    epilog="Example: andromede sovereignty emergency call PROJECT disk --reason 'it attacks others'",
)
def call(
    project: Project,
    kinds: Kinds,
    reason: Reason,
    resource: Resource = None,
    seconds: Seconds = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Call for access without a customer's consent; another operator approves it."""
    members = {
        "project_id": project, "kinds": kinds, "reason": reason, "resource": resource,
        "seconds": seconds,
    }  # fmt: skip
    _new("emergencies", members, state, as_json)


@emergency.command("approve", epilog="Example: andromede sovereignty emergency approve ID")
def approve(key: Id, state: State = None, as_json: AsJson = False) -> None:
    """Open the access that another operator called for; the customer is told at once."""
    _act("emergencies", key, "approve", state, as_json)


@emergency.command("close", epilog="Example: andromede sovereignty emergency close ID")
def close(key: Id, state: State = None, as_json: AsJson = False) -> None:
    """End the access before its time."""
    _act("emergencies", key, "close", state, as_json)


@operator.command("enroll", epilog="Example: andromede sovereignty operator enroll alice")
def enroll(
    user: Annotated[str, typer.Argument(help="The user's name in the default domain, or its id.")],
    again: Annotated[
        bool, typer.Option("--again", help="Replace the authenticators that the user has.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Give a user a second factor; prints, once, what an authenticator app reads."""
    from andromede import totp

    with api(state) as session:
        found = _user(session, user)
        query = {"user_id": found["id"], "type": "totp"}
        held = session.call("identity", "GET", "/credentials", None, **query)["credentials"]
        if held and not again:
            raise CliError(
                f"enrolling {user}: it has an authenticator already; replace it with --again"
            )
        secret = base64.b32encode(secrets.token_bytes(SECRET)).decode()
        body = {"type": "totp", "blob": secret, "user_id": found["id"]}
        made = session.call("identity", "POST", "/credentials", {"credential": body})["credential"]
        for each in held:
            session.call("identity", "DELETE", f"/credentials/{each['id']}")
    uri = totp.uri(secret, found["name"], "andromede")
    if as_json:
        print_json({"credential": made["id"], "user": found["id"], "uri": uri})
    else:
        print(uri)


def _user(session: Session, user: str) -> dict[str, Any]:
    """Errors: CliError when there is no such user."""
    if user == session.user_id:  # whom anybody may name
        return {"id": user, "name": user}
    found = session.find("identity", "/users", "users", user, domain_id="default")
    if found is None:
        found = session.call("identity", "GET", f"/users/{user}")["user"]
    return dict(found)


@report.command("reach", epilog="Example: andromede sovereignty report reach SERVER")
def reach(
    resource: Annotated[
        str, typer.Argument(help="The id of a server, an image, or a network's part.")
    ],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Say who can reach a resource, and how."""
    with api(state) as session:
        answer = _whole(session, "/reports/reach", "users", resource=resource)
    if as_json:
        print_json(answer)
        return
    rows = [_row(bearer, user=each["name"]) for each in answer["users"] for bearer in
            each["bearers"]]  # fmt: skip
    print_rows(rows, ("user", "scope", "roles", "allowed", "needs_consent"))


@report.command("user", epilog="Example: andromede sovereignty report user alice --json")
def user_report(
    user: Annotated[str, typer.Argument(help="The user's name in the default domain, or its id.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Say what a user can do in each scope that it can log in to."""
    with api(state) as session:
        key = _user(session, user)["id"]
        answer = _whole(session, f"/reports/user/{key}", "bearers")
    if as_json:
        print_json(answer)
        return
    rows = [_row(bearer) for bearer in answer["user"]["bearers"]]
    print_rows(rows, ("scope", "roles", "operator", "second_factor", "allowed", "needs_consent"))


def _whole(session: Session, path: str, part: str, **query: str) -> Any:
    """A report with all its pages."""
    whole: Any = None
    query["limit"] = PAGE
    while True:
        answer = session.call(SERVICE, "GET", path, None, **query)
        rows = answer["users"] if part == "users" else answer["user"]["bearers"]
        if whole is None:
            whole, gathered = answer, rows
        else:
            gathered += rows
        links = answer.pop(f"{part}_links", None)
        if not links:
            return whole
        query = dict(parse_qsl(urlsplit(links[0]["href"]).query))


def _row(bearer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A bearer in one line; --json names its operations."""
    kind, key = bearer["scope"]["kind"], bearer["scope"]["id"]
    scope = kind if kind == key else f"{kind} {key}"
    return {**bearer, **more, "scope": scope, "allowed": f"{len(bearer['allowed'])} operations"}
