"""`andromede sovereignty findings`, `notices`, `plan` and `affiliation`, over HTTP as any client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from andromede.cli.errors import USAGE, CliError
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import SERVICE, AsJson, State, api, print_json, print_rows

if TYPE_CHECKING:
    from andromede.cli.client import Session

affiliation = typer.Typer(
    help="Users who act for an entity, as a supplier's staff do.", no_args_is_help=True
)
app.add_typer(affiliation, name="affiliation")

User = Annotated[str, typer.Argument(help="A user's id.")]


def _every(session: Session, path: str, noun: str, **query: str) -> list[dict[str, Any]]:
    """All pages of a list, each asked for as the one before says."""
    from urllib.parse import parse_qsl, urlsplit

    found: list[dict[str, Any]] = []
    while True:
        page = session.call(SERVICE, "GET", path, None, **query)
        found += page[noun]
        if not page.get(f"{noun}_links"):
            return found
        query = dict(parse_qsl(urlsplit(page[f"{noun}_links"][0]["href"]).query))


def _print(noun: str, found: list[dict[str, Any]], columns: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({noun: found})
    else:
        print_rows(found, columns)


@app.command("findings", epilog="Example: andromede sovereignty findings --project ID --closed")
def findings(
    project: Annotated[Optional[str], typer.Option(help="Only this project's.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are healed.")] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """List what is not where its policies let it be, with the day by which it must be healed."""
    query = {"state": "closed" if closed else "open"}
    if project is not None:
        query["project_id"] = project
    with api(state) as session:
        found = _every(session, "/findings", "findings", **query)
    columns = ["kind", "resource", "project_id", "rule", "set_at", "deadline", "reason"]
    _print("findings", found, columns, as_json=as_json)


@app.command("notices", epilog="Example: andromede sovereignty notices --lang fr")
def notices(
    lang: Annotated[str, typer.Option(help="en or fr.")] = "en",
    read: Annotated[Optional[str], typer.Option(help="Note that this one was read.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """List what customers are told, newest first."""
    if lang not in ("en", "fr"):
        raise CliError(f"--lang {lang}: en or fr is accepted", USAGE)
    with api(state) as session:
        if read is not None:
            found = [session.call(SERVICE, "PUT", f"/notices/{read}/read")]
        else:
            found = _every(session, "/notices", "notices")
    columns = ["id", "kind", "opened_at", "deadline", f"text_{lang}"]
    _print("notices", found, columns, as_json=as_json)


@app.command("plan", epilog="Example: andromede sovereignty plan PROJECT_ID")
def plan(
    project: Annotated[str, typer.Argument(help="A project's id.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Say for what offends a project's policies where it may go, or why nowhere."""
    with api(state) as session:
        found = _every(session, f"/plans/{project}", "moves")
    columns = ["kind", "resource", "site", "to", "others", "why"]
    _print("moves", found, columns, as_json=as_json)


@affiliation.command("list", epilog="Example: andromede sovereignty affiliation list --json")
def list_affiliations(state: State = None, as_json: AsJson = False) -> None:
    """List who acts for whom."""
    with api(state) as session:
        found = _every(session, "/affiliations", "affiliations")
    _print("affiliations", found, ["user_id", "entity"], as_json=as_json)


@affiliation.command("set", epilog="Example: andromede sovereignty affiliation set USER_ID acme")
def set_affiliation(
    user: User,
    entity: Annotated[str, typer.Argument(help="A declared entity's id.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Say for which entity a user acts; refused where its roles open what the entity may not reach."""
    with api(state) as session:
        made = session.call(SERVICE, "PUT", f"/affiliations/{user}", {"entity": entity})
    _print("affiliations", [made], ["user_id", "entity"], as_json=as_json)


@affiliation.command("unset", epilog="Example: andromede sovereignty affiliation unset USER_ID")
def unset_affiliation(user: User, state: State = None) -> None:
    """Say that a user acts for itself again."""
    with api(state) as session:
        session.call(SERVICE, "DELETE", f"/affiliations/{user}")
