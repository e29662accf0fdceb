"""`andromede sovereignty world`: the whole declared world as one TOML document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from andromede.cli.errors import USAGE, CliError
from andromede.cli.sovereignty import app
from andromede.cli.sovereignty.common import SERVICE, AsJson, State, api, get, print_json

if TYPE_CHECKING:
    from andromede.sovereignty.world.document import Document

world = typer.Typer(
    help="All that is declared: sites, entities, shareholdings, contracts.", no_args_is_help=True
)
app.add_typer(world, name="world")

File = Annotated[Path, typer.Argument(help="A TOML file, as `world show` prints it.")]


@world.command(epilog="Example: andromede sovereignty world show > world.toml")
def show(state: State = None, as_json: AsJson = False) -> None:
    """Print what is declared, as TOML that `world load` takes."""
    import msgspec

    from andromede.sovereignty.world.document import Document, write_toml

    answer = get(state, "/world")
    if as_json:
        print_json(answer)
    else:
        print(write_toml(msgspec.convert(answer["world"], Document)), end="")


@world.command(epilog="Example: andromede sovereignty world load world.toml")
def load(file: File, state: State = None, as_json: AsJson = False) -> None:
    """Replace all that is declared by a file, as one change."""
    document = plain(read(file))
    with api(state) as session:
        answer = session.call(SERVICE, "PUT", "/world", {"world": document})
    if as_json:
        print_json(answer)
    else:
        print(f"declared: {counted(answer['world'])}")


@world.command(epilog="Example: andromede sovereignty world check world.toml")
def check(file: File) -> None:
    """Say whether a file holds together, without any cloud."""
    print(f"holds together: {counted(plain(read(file)))}")


def read(file: Path) -> Document:
    """A document that holds together.

    Errors: CliError with everything that does not.
    """
    from andromede.sovereignty.world.check import FaultyWorld
    from andromede.sovereignty.world.check import check as hold
    from andromede.sovereignty.world.document import read_toml, to_world
    from andromede.sovereignty.world.facts import today
    from andromede.sovereignty.world.model import World

    try:
        document = read_toml(file.read_text(encoding="utf-8"))
        hold(to_world(document, World()), today())
    except FaultyWorld as error:
        raise CliError(f"{file} does not hold together: {error}", USAGE) from error
    except ValueError as error:
        raise CliError(f"reading {file}: {error}", USAGE) from error
    return document


def plain(document: Document) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(document))


def counted(document: dict[str, Any]) -> str:
    """`1 site, 3 entities, 4 holdings, no contracts`."""
    words = []
    for noun, parts in document.items():
        single = "entity" if noun == "entities" else noun.removesuffix("s")
        words.append(f"{len(parts) or 'no'} {single if len(parts) == 1 else noun}")
    return ", ".join(words)
