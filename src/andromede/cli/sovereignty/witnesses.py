"""`andromede sovereignty witness …` and `witnessed …`: who vouches for this log, and for whose logs
this cloud does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional
from urllib.parse import quote

import typer

from andromede.cli.errors import USAGE, CliError
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import (
    SERVICE,
    AsJson,
    State,
    api,
    get,
    print_json,
    print_rows,
)

witness = typer.Typer(help="The witnesses of this cloud's log.", no_args_is_help=True)
witnessed = typer.Typer(help="The logs that this cloud is a witness of.", no_args_is_help=True)
app.add_typer(witness, name="witness")
app.add_typer(witnessed, name="witnessed")

Key = Annotated[str, typer.Option(help="The verifier key, or a file that holds it.")]
Name = Annotated[str, typer.Argument(help="What to call the witness.")]
Origin = Annotated[str, typer.Argument(help="The log's origin, the first line of its checkpoint.")]


@witness.command("list")
def list_witnesses(state: State = None, as_json: AsJson = False) -> None:
    """The witnesses, what each cosigned last, and what went wrong."""
    found = get(state, "/witnesses")
    if as_json:
        print_json(found)
    else:
        print_rows(found["witnesses"], ("name", "url", "size", "seen", "conflict", "problem"))


@witness.command(
    "set",
    epilog="Example: andromede sovereignty witness set lyon --url https://lyon.example/witness "
    "--verifier lyon.vkey",
)
def set_witness(
    name: Name,
    url: Annotated[str, typer.Option(help="Its submission prefix, https://…")],
    verifier: Key,
    state: State = None,
    certificate: Annotated[
        Optional[Path], typer.Option(help="PEM of who signed its server's certificate.")
    ] = None,
) -> None:
    """Submit checkpoints to a witness from now on; what was known of it is forgotten."""
    body = {"url": url, "verifier": _text(verifier)}
    if certificate is not None:
        body["certificate"] = _read(certificate)
    with api(state) as session:
        session.call(SERVICE, "PUT", f"/witnesses/{name}", body)


@witness.command("delete")
def delete_witness(name: Name, state: State = None) -> None:
    """Submit nothing to a witness any more; its cosignatures stay."""
    with api(state) as session:
        session.call(SERVICE, "DELETE", f"/witnesses/{name}")


@witnessed.command("list")
def list_logs(state: State = None, as_json: AsJson = False) -> None:
    """The logs, and the evidence against those that signed two trees of one size."""
    found = get(state, "/witness/logs")
    if as_json:
        print_json(found)
    else:
        print_rows(found["logs"], ("origin", "size", "time", "conflict"))


@witnessed.command(
    "set",
    epilog="Example: andromede sovereignty witnessed set andromede/paris-x7k2/log "
    "--verifier paris.vkey",
)
def set_log(origin: Origin, verifier: Key, state: State = None) -> None:
    """Be a witness of a log."""
    with api(state) as session:
        session.call(SERVICE, "PUT", _path(origin), {"verifier": _text(verifier)})


@witnessed.command("delete")
def delete_log(origin: Origin, state: State = None) -> None:
    """Be no witness of a log any more, and forget what was seen of it."""
    with api(state) as session:
        session.call(SERVICE, "DELETE", _path(origin))


def _path(origin: str) -> str:
    return f"/witness/logs/{quote(origin, safe='')}"


def _text(given: str) -> str:
    """A key, or what is in the file of that name."""
    path = Path(given)
    return _read(path) if "+" not in given or path.is_file() else given.strip()


def _read(path: Path) -> str:
    """Errors: CliError."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{path}: {error}", USAGE) from error
