"""`andromede sovereignty site|entity|contract|holding|law`: what is declared, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from andromede.cli.client import ApiFailure
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import (
    SERVICE,
    AsJson,
    State,
    api,
    every,
    get,
    given,
    print_json,
    print_members,
    print_rows,
)

COLUMNS = {
    "sites": ("name", "region", "country", "place", "operator", "hosts"),
    "entities": ("id", "name", "kind", "country", "since", "until"),
    "contracts": ("id", "customer", "supplier", "purpose", "data", "since", "until"),
    "holdings": (
        "id", "holder", "held", "capital", "amount", "votes", "veto", "board", "since", "until",
    ),
    "laws": ("id", "country", "kind", "article", "since", "until"),
}  # fmt: skip
SINGULAR = {"sites": "site", "entities": "entity", "contracts": "contract", "holdings": "holding"}

Key = Annotated[str, typer.Argument(help="Its name or id.")]
Words = Optional[str]
Many = Annotated[Optional[list[str]], typer.Option(help="Give it again for each.")]
Since = Annotated[Words, typer.Option(help="The first day, as in 2012-09-05; always.")]
Until = Annotated[Words, typer.Option(help="The first day no longer; further notice.")]


def _noun(noun: str, about: str) -> typer.Typer:
    """A noun's commands: list, show and delete; the caller adds how it is declared."""
    single = SINGULAR[noun]
    commands = typer.Typer(help=about, no_args_is_help=True)
    app.add_typer(commands, name=single)

    @commands.command("list", epilog=f"Example: andromede sovereignty {single} list --json")
    def listing(state: State = None, as_json: AsJson = False) -> None:
        """List what is declared."""
        with api(state) as session:
            rows = every(session, noun)
        if as_json:
            print_json({noun: rows})
        else:
            print_rows(rows, COLUMNS[noun])

    @commands.command("show", epilog=f"Example: andromede sovereignty {single} show NAME")
    def show(key: Key, state: State = None, as_json: AsJson = False) -> None:
        """Show one."""
        _tell(get(state, f"/{noun}/{key}"), single, as_json)

    @commands.command("delete", epilog=f"Example: andromede sovereignty {single} delete NAME")
    def delete(key: Key, state: State = None) -> None:
        """Take a declaration back; refused while another needs it."""
        with api(state) as session:
            session.call(SERVICE, "DELETE", f"/{noun}/{key}")

    return commands


def _tell(answer: Any, single: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_members(answer[single])


def _declare(
    noun: str, key: str, members: dict[str, Any], state: Path | None, as_json: bool
) -> None:
    """Declare one, or change the given members of what is declared."""
    single = SINGULAR[noun]
    path = f"/{noun}/{key}"
    with api(state) as session:
        try:
            before = session.call(SERVICE, "GET", path)[single]
        except ApiFailure as error:
            if error.status != 404:
                raise
            before = {}
        answer = session.call(SERVICE, "PUT", path, {single: {**before, **members}})
    _tell(answer, single, as_json)


site = _noun("sites", "Places where hosts stand.")
entity = _noun("entities", "Companies, public bodies, persons and bodies of dispersed holders.")
contract = _noun("contracts", "Contracts of sub-processing.")
holding = _noun("holdings", "Dated shares of one entity in another.")


@site.command(
    "set",
    epilog="Example: andromede sovereignty site set paris-1 --country FR --operator cloudwatt",
)
def set_site(
    key: Key,
    country: Annotated[Words, typer.Option(help="ISO 3166-1, as in FR; undeclared.")] = None,
    operator: Annotated[Words, typer.Option(help="The id of the entity that runs it.")] = None,
    region: Words = None,
    place: Annotated[Words, typer.Option(help="Town and building.")] = None,
    latitude: Optional[float] = None,
    longitude: Optional[float] = None,
    host: Many = None,
    network: Many = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare a site, or change what is given. Certificates: `site certificate`."""
    members = given(
        country=country, operator=operator, region=region, place=place, latitude=latitude,
        longitude=longitude, hosts=host, networks=network,
    )  # fmt: skip
    _declare("sites", key, members, state, as_json)


@entity.command(
    "set", epilog='Example: andromede sovereignty entity set orange --name "Orange SA" --country FR'
)
def set_entity(
    key: Key,
    name: Words = None,
    kind: Annotated[Words, typer.Option(help="company, public-body, person or holders.")] = None,
    country: Annotated[Words, typer.Option(help="Of its seat, as in FR; undeclared.")] = None,
    administration: Annotated[Words, typer.Option(help="Country, if not the seat's.")] = None,
    establishment: Annotated[Words, typer.Option(help="Country of the main one.")] = None,
    branch: Annotated[
        Optional[list[str]], typer.Option(help="Country of a branch; give it again for each.")
    ] = None,
    register: Annotated[Words, typer.Option(help="Its number in the register.")] = None,
    capital: Annotated[Words, typer.Option(help="The whole of it, in its currency.")] = None,
    currency: Annotated[Words, typer.Option(help="As in EUR.")] = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare an entity, or change what is given; an empty date, country or capital is taken back."""
    members = given(
        name=name, kind=kind, country=country, administration=administration,
        establishment=establishment, establishments=branch, register=register, capital=capital,
        currency=currency, since=since, until=until,
    )  # fmt: skip
    _declare("entities", key, members, state, as_json)


@contract.command(
    "set",
    epilog="Example: andromede sovereignty contract set helpdesk --customer cloudwatt "
    "--supplier acme --purpose support --data metadata",
)
def set_contract(
    key: Key,
    customer: Words = None,
    supplier: Words = None,
    purpose: Words = None,
    data: Annotated[Words, typer.Option(help="none, metadata or access.")] = None,
    country: Many = None,
    since: Since = None,
    until: Until = None,
    objection_days: Optional[int] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare a contract, or change what is given."""
    members = given(
        customer=customer, supplier=supplier, purpose=purpose, data=data, countries=country,
        since=since, until=until, objection_days=objection_days,
    )  # fmt: skip
    _declare("contracts", key, members, state, as_json)


@holding.command(
    "add",
    epilog="Example: andromede sovereignty holding add orange cloudwatt --amount 100000000 "
    "--since 2012-09-06",
)
def add_holding(
    holder: Annotated[str, typer.Argument(help="The id of the entity that holds.")],
    held: Annotated[str, typer.Argument(help="The id of the company that is held.")],
    capital: Annotated[Words, typer.Option(help="Percent, as in 44.4.")] = None,
    amount: Annotated[Words, typer.Option(help="Of the capital; wins over the percentage.")] = None,
    votes: Annotated[Words, typer.Option(help="Percent; as capital.")] = None,
    veto: Annotated[bool, typer.Option("--veto", help="It may veto.")] = False,
    board: Annotated[
        bool, typer.Option("--board", help="It may appoint a majority of the board.")
    ] = False,
    since: Since = None,
    until: Until = None,
    source: Annotated[Words, typer.Option(help="Where this is known from.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare a share of one entity in another."""
    members = given(
        holder=holder, held=held, capital=capital, amount=amount, votes=votes, veto=veto,
        board=board, since=since, until=until, source=source,
    )  # fmt: skip
    with api(state) as session:
        answer = session.call(SERVICE, "POST", "/holdings", {"holding": members})
    _tell(answer, "holding", as_json)


@holding.command("end", epilog="Example: andromede sovereignty holding end ID --until 2015-03-21")
def end_holding(
    key: Key,
    until: Annotated[str, typer.Option(help="The first day no longer.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """End a holding on a day."""
    with api(state) as session:
        body = {"holding": {"until": until}}
        answer = session.call(SERVICE, "PATCH", f"/holdings/{key}", body)
    _tell(answer, "holding", as_json)


law = typer.Typer(help="The reviewed list of laws.", no_args_is_help=True)
app.add_typer(law, name="law")


@law.command("list", epilog="Example: andromede sovereignty law list")
def list_laws(state: State = None, as_json: AsJson = False) -> None:
    """List the laws that this cloud knows of, and when they bind."""
    answer = get(state, "/laws")
    if as_json:
        print_json(answer)
    else:
        print_rows(answer["laws"], COLUMNS["laws"])
