"""`andromede sovereignty log …`: read one's leaves, take proofs and copies of the log, and erase
what is old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from andromede.cli.client import ApiFailure, Session
from andromede.cli.errors import CliError
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
from andromede.sovereignty.log.note import NoteError, parse, read_checkpoint
from andromede.sovereignty.log.paths import needed
from andromede.sovereignty.log.tree import WIDTH

COLUMNS = ("time_iso", "action", "subject", "actor", "status", "index")
log = typer.Typer(help="The transparency log: who did what.", no_args_is_help=True)
app.add_typer(log, name="log")

Project = Annotated[Optional[str], typer.Option(help="Another project, for operators; * is all's.")]


@log.command("list", epilog="Example: andromede sovereignty log list --limit 20")
def list_leaves(
    state: State = None,
    project: Project = None,
    marker: Annotated[Optional[str], typer.Option(help="Only what came after this leaf.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 1_000,
    as_json: AsJson = False,
) -> None:
    """The leaves of one's project and everyone's, oldest first; the newest have no index yet."""
    query = {"project_id": project, "marker": marker, "limit": str(limit)}
    found = get(state, "/log/leaves", **query)
    if as_json:
        print_json(found)
    else:
        print_rows(found["leaves"], COLUMNS)


@log.command(epilog="Example: andromede sovereignty log key > log.vkey")
def key(
    state: State = None,
    witness: Annotated[bool, typer.Option(help="The witness's key.")] = False,
) -> None:
    """The log's verifier key, to keep and to verify with."""
    print(get(state, "/log/keys")["witness" if witness else "log"])


@log.command(epilog="Example: andromede sovereignty log checkpoint > kept-today")
def checkpoint(state: State = None) -> None:
    """The newest signed checkpoint, to keep and to compare with later ones."""
    with api(state) as session:
        print(session.download(SERVICE, "/log/checkpoint")[0].decode(), end="")


@log.command(epilog="Example: andromede sovereignty log consistency 305 > proof.json")
def consistency(
    first: Annotated[int, typer.Argument(help="Leaves of a checkpoint that was kept.")],
    second: Annotated[Optional[int], typer.Argument(help="Leaves of a later one; newest.")] = None,
    state: State = None,
) -> None:
    """The proof that a later tree begins with an earlier one, for andromede verify."""
    later = None if second is None else str(second)
    print_json(get(state, "/log/consistency", first=str(first), second=later))


@log.command(epilog="Example: andromede sovereignty log bundle -o bundle.json")
def bundle(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    state: State = None,
    project: Project = None,
    consistent_with: Annotated[
        Optional[list[int]],
        typer.Option(help="Leaves of a checkpoint that was kept, to tie to it; repeatable."),
    ] = None,
) -> None:
    """Take one's leaves with their proofs, for andromede verify. Very many come in several files."""
    query = [f"consistent_with={size}" for size in consistent_with or []]
    query += [f"project_id={project}"] if project else []
    with api(state) as session:
        for path, part in _parts(session, output, query):
            path.write_bytes(part)
            print(path)


def _parts(session: Session, output: Path, query: list[str]) -> Iterator[tuple[Path, bytes]]:
    """Each bundle and the file it goes to."""
    number, marker = 1, ""
    while True:
        asked = "&".join([*query, *([f"marker={marker}"] if marker else [])])
        part = session.download(SERVICE, f"/log/bundle?{asked}")[0]
        name = output if number == 1 else output.with_stem(f"{output.stem}-{number}")
        yield name, part
        number, marker = number + 1, json.loads(part)["next"]
        if not marker:
            return


@log.command("copy", epilog="Example: andromede sovereignty log copy mirror")
def copy_log(
    folder: Annotated[Path, typer.Argument(help="The folder; what is there is kept.")],
    state: State = None,
) -> None:
    """Copy the whole public log, or what was added since, for andromede verify."""
    with api(state) as session:
        text = session.download(SERVICE, "/log/checkpoint")[0]
        try:
            size = read_checkpoint(parse(text).text).size
        except NoteError as error:
            raise CliError(f"the cloud answered no checkpoint: {error}") from error
        fetched = 0
        for path in needed(size):
            target = folder / str(path)
            if path.width == WIDTH and target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(session.download(SERVICE, f"/log/{path}")[0])
            fetched += 1
        (folder / "checkpoint").write_bytes(text)
    print(f"{folder}: {size} leaves, {fetched} tiles fetched")


@log.command(epilog="Example: andromede sovereignty log purge 2025-01-01")
def purge(
    before: Annotated[str, typer.Argument(help="A day or moment: older leaves are erased.")],
    state: State = None,
) -> None:
    """Erase the content of old leaves; their commitments stay. Refused before 183 days."""
    erased = 0
    with api(state) as session:
        while True:
            body: dict[str, Any] = {"before": before}
            try:
                answer = session.call(SERVICE, "POST", "/log/purge", body)
            except ApiFailure as error:
                raise CliError(f"{erased} leaves were erased; {error}") from error
            erased += answer["erased"]
            if not answer["more"]:
                break
    print(f"{erased} leaves were erased")
