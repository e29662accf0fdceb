"""`andromede sovereignty ownership|exposures`: what follows from what is declared, on any day."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import AsJson, Day, State, get, print_json, print_rows

OWNERS = ("entity", "country", "capital", "votes", "direct_capital", "outside_eu", "controls")


@app.command(epilog="Example: andromede sovereignty ownership cloudwatt --date 2012-09-06")
def ownership(
    entity: Annotated[str, typer.Argument(help="The entity's id.")],
    day: Day = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Say who owns an entity, directly and through others, and what is shown of it."""
    answer = get(state, f"/entities/{entity}/ownership", date=day)
    if as_json:
        print_json(answer)
        return
    told = answer["ownership"]
    print(f"{told['entity']} on {told['date']}: {told['verdict']['outcome']}")
    for reason in told["verdict"]["reasons"]:
        print(f"  {reason['text']}")
    if told["owners"]:
        print()
        print_rows([_told(each) for each in told["owners"]], OWNERS)


def _told(owner: dict[str, Any]) -> dict[str, Any]:
    return {**owner, "controls": " < ".join(owner["controls"])}


@app.command(
    epilog="Examples: andromede sovereignty exposures cloudwatt; "
    "andromede sovereignty exposures paris-1 --site"
)
def exposures(
    name: Annotated[str, typer.Argument(help="An entity's id, or a site's name.")],
    site: Annotated[bool, typer.Option("--site", help="It is a site.")] = False,
    day: Day = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """List the laws that reach an entity or a site, through whom, and why."""
    answer = get(state, f"/{'sites' if site else 'entities'}/{name}/exposures", date=day)
    if as_json:
        print_json(answer)
        return
    print(f"{name} on {answer['date']}: {', '.join(answer['jurisdictions']) or 'none declared'}")
    for missing in answer["undeclared"]:
        print(f"  {missing}")
    if answer["exposures"]:
        print()
        print_rows(answer["exposures"], ("law", "country", "kind", "way", "why"))
