"""`andromede sovereignty endpoint`: at which sites the endpoints are that operators put in the catalog.

`openstack endpoint create` has no word for it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from andromede.cli.client import Session
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import (
    SERVICE,
    AsJson,
    State,
    api,
    print_json,
    print_members,
    print_rows,
)

IDENTITY = "identity"
COLUMNS = ("id", "service", "interface", "region_id", "url", "site")

endpoint = typer.Typer(help="Where the catalog sends customers' data.", no_args_is_help=True)
app.add_typer(endpoint, name="endpoint")


@endpoint.command("list", epilog="Example: andromede sovereignty endpoint list --json")
def listing(state: State = None, as_json: AsJson = False) -> None:
    """List the catalog's endpoints, with the sites of those that an operator added."""
    with api(state) as session:
        types = {each["id"]: each["type"] for each in _all(session, "services")}
        rows = [
            {**each, "service": types.get(each["service_id"], each["service_id"])}
            for each in _all(session, "endpoints")
        ]
    if as_json:
        print_json({"endpoints": rows})
    else:
        print_rows(rows, COLUMNS)


@endpoint.command("set", epilog="Example: andromede sovereignty endpoint set ID --site paris-1")
def set_endpoint(
    key: Annotated[str, typer.Argument(help="Its id, as openstack endpoint list shows it.")],
    site: Annotated[str, typer.Option(help="The declared site at which it is.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare at which site an endpoint is: projects whose policies admit that site see it."""
    with api(state) as session:
        session.call(SERVICE, "GET", f"/sites/{site}")  # one that nobody declared is refused
        body = {"endpoint": {"site": site}}
        answer = session.call(IDENTITY, "PATCH", f"/endpoints/{key}", body)
    if as_json:
        print_json(answer)
    else:
        print_members({name: answer["endpoint"][name] for name in ("id", "url", "site")})


def _all(session: Session, noun: str) -> list[dict[str, Any]]:
    return list(session.call(IDENTITY, "GET", f"/{noun}")[noun])
