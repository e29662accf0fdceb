"""`andromede sovereignty policy …`: what places must be like to hold data, over HTTP as any client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from andromede.cli.errors import USAGE, CliError
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import SERVICE, AsJson, State, api, print_json

if TYPE_CHECKING:
    from andromede.cli.client import Session

Scope = Annotated[str, typer.Argument(help="cloud, domain/ID or project/ID.")]
NOT_FOUND = 404

policy = typer.Typer(help="What places must be like to hold data.", no_args_is_help=True)
app.add_typer(policy, name="policy")


def _path(scope: str) -> str:
    """Errors: CliError for what is no scope."""
    kind, _, key = scope.partition("/")
    if scope == "cloud":
        return "/policies/cloud"
    if kind in ("domain", "project") and key and "/" not in key:
        return f"/policies/{kind}s/{key}"
    raise CliError(f"{scope}: cloud, domain/ID or project/ID is accepted", USAGE)


def _tell(document: Any, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        print("\n".join(lines))


def _own(session: Session, path: str) -> dict[str, Any]:
    """A scope's own policy, empty when it has none."""
    from andromede.cli.client import ApiFailure

    try:
        found: dict[str, Any] = session.call(SERVICE, "GET", path)
    except ApiFailure as error:
        if error.status != NOT_FOUND:
            raise
        return {}
    return dict(found["policy"])


@policy.command(
    "show",
    epilog="Examples: andromede sovereignty policy show cloud; "
    "andromede sovereignty policy show project/ID --effective",
)
def show(
    scope: Scope = "cloud",
    effective: Annotated[
        bool, typer.Option("--effective", help="What is in force, and where it was set.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show a policy, or all that binds a project."""
    path = _path(scope)
    if effective and not scope.startswith("project/"):
        raise CliError("--effective: what is in force is asked of a project: project/ID", USAGE)
    with api(state) as session:
        if effective:
            found = session.call(SERVICE, "GET", f"{path}/effective")
            lines = [
                f"{name:22} {json.dumps(each['value']):30} {' and '.join(each['set_at'])}"
                for name, each in found["fields"].items()
            ]
        else:
            found = session.call(SERVICE, "GET", path)
            lines = [f"{name:22} {json.dumps(each)}" for name, each in found["policy"].items()]
    _tell(found, lines or ["nothing is demanded"], as_json=as_json)


@policy.command(
    "set",
    epilog="Examples: andromede sovereignty policy set cloud operator_access=open; "
    "andromede sovereignty policy set project/ID allowed_countries=FR,DE "
    "ownership.individual_percent=24",
)
def set_fields(
    scope: Scope,
    assignments: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE…")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Set fields of a policy; the others stay as they are."""
    from andromede.sovereignty.policy import model

    path = _path(scope)
    with api(state) as session:
        document = _own(session, path)
        try:
            for each in assignments:
                model.assign(document, each)
            wanted = model.plain(model.read(document, lax=True))
        except ValueError as error:
            raise CliError(f"policy set: {error}", USAGE) from error
        made = session.call(SERVICE, "PUT", path, {"policy": wanted})
    _tell(made, [f"set on {made['scope']}: {json.dumps(made['policy'])}"], as_json=as_json)


@policy.command(
    "unset", epilog="Example: andromede sovereignty policy unset project/ID allowed_countries"
)
def unset(
    scope: Scope,
    fields: Annotated[
        Optional[list[str]], typer.Argument(metavar="[FIELD…]", help="None: the whole policy.")
    ] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Take fields out of a policy, or the whole policy away."""
    path = _path(scope)
    with api(state) as session:
        document = _own(session, path) if fields else {}
        for each in fields or []:
            name, _, member = each.partition(".")
            holder = document.get(name, {}) if member else document
            if not isinstance(holder, dict) or holder.pop(member or name, None) is None:
                raise CliError(f"policy unset: {each} is not set on {scope}", USAGE)
        if not document.get("ownership"):
            document.pop("ownership", None)
        if document:
            session.call(SERVICE, "PUT", path, {"policy": document})
        else:
            session.call(SERVICE, "DELETE", path)
    left = document or None
    _tell({"scope": scope, "policy": left}, [f"left on {scope}: {json.dumps(left)}"],
          as_json=as_json)  # fmt: skip
