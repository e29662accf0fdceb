"""`andromede sovereignty site certificate`: what a site is certified for, since and until when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from andromede.cli.client import Session
from andromede.cli.errors import CliError
from andromede.cli.sovereignty.common import (
    SERVICE,
    AsJson,
    State,
    api,
    get,
    given,
    print_json,
    print_rows,
)
from andromede.cli.sovereignty.nouns import Since, Until, Words, site

COLUMNS = ("scheme", "number", "issuer", "since", "until")

certificate = typer.Typer(help="A site's certificates, as declared.", no_args_is_help=True)
site.add_typer(certificate, name="certificate")

Name = Annotated[str, typer.Argument(help="The site's name.")]
Scheme = Annotated[str, typer.Argument(help='Of what, as in "ISO/IEC 27001".')]


@certificate.command(
    "list", epilog="Example: andromede sovereignty site certificate list paris-1 --json"
)
def listing(name: Name, state: State = None, as_json: AsJson = False) -> None:
    """List a site's certificates."""
    _tell(get(state, f"/sites/{name}"), as_json)


@certificate.command(
    "add",
    epilog='Example: andromede sovereignty site certificate add paris-1 "ISO/IEC 27001" '
    "--number FR-17 --since 2026-01-01 --until 2029-01-01",
)
def add(
    name: Name,
    scheme: Scheme,
    number: Annotated[Words, typer.Option(help="The certificate's own.")] = None,
    issuer: Annotated[Words, typer.Option(help="Who certifies it.")] = None,
    since: Since = None,
    until: Until = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Declare a certificate of a site."""
    new = given(scheme=scheme, number=number, issuer=issuer, since=since, until=until)
    with api(state) as session:
        declared = _site(session, name)
        if _like(declared["certificates"], scheme, number or ""):
            raise CliError(
                f"declaring a certificate of {name}: it has one of {scheme} with that number; "
                "remove it first, or give another --number"
            )
        answer = _put(session, name, declared, [*declared["certificates"], new])
    _tell(answer, as_json)


@certificate.command(
    "remove",
    epilog='Example: andromede sovereignty site certificate remove paris-1 "ISO/IEC 27001"',
)
def remove(
    name: Name,
    scheme: Scheme,
    number: Annotated[Words, typer.Option(help="Which one, where there are several.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Take a declared certificate back."""
    with api(state) as session:
        declared = _site(session, name)
        found = _like(declared["certificates"], scheme, number)
        if len(found) != 1:
            many = "none" if not found else f"{len(found)}, of which --number names one"
            raise CliError(f"removing a certificate of {name}: of {scheme} it has {many}")
        rest = [each for each in declared["certificates"] if each != found[0]]
        answer = _put(session, name, declared, rest)
    _tell(answer, as_json)


def _site(session: Session, name: str) -> dict[str, Any]:
    return dict(session.call(SERVICE, "GET", f"/sites/{name}")["site"])


def _like(held: list[dict[str, Any]], scheme: str, number: str | None) -> list[dict[str, Any]]:
    """Those of a scheme, and of a number where one is given."""
    return [each for each in held if each["scheme"] == scheme and number in (None, each["number"])]


def _put(session: Session, name: str, declared: dict[str, Any], certificates: list[Any]) -> Any:
    body = {"site": {**declared, "certificates": certificates}}
    return session.call(SERVICE, "PUT", f"/sites/{name}", body)


def _tell(answer: Any, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_rows(answer["site"]["certificates"], COLUMNS)
