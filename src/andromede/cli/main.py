"""The commands and their options. Each command's work is in a module of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from andromede.cli import sovereignty
from andromede.cli.errors import FAILED, CliError, of_system
from andromede.config import default_state

app = typer.Typer(
    name="andromede",
    help="A sovereign cloud that starts with one command and proves what it promises.",
    epilog="Start here: andromede quickstart. The openstack client, unmodified, is there too: "
    "andromede openstack server list. More in docs/guide.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

State = Annotated[
    Optional[Path],
    typer.Option("--state", help="The cloud's folder.", envvar="ANDROMEDE_STATE"),
]


Public = Annotated[Optional[str], typer.Option("--public", help="HOST:PORT for customers.")]
Private = Annotated[Optional[str], typer.Option("--private", help="HOST:PORT for operators.")]
External = Annotated[
    Optional[str],
    typer.Option(
        "--external-cidr",
        help="IPv4 network of the floating addresses; chosen at the first start.",
    ),
]


def state_of(given: Path | None) -> Path:
    return (given or default_state()).resolve()


def _version(wanted: bool) -> None:
    if wanted:
        from andromede import __version__

        print(f"andromede {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """What stands before every command."""


def run() -> None:
    """Run the command line; what it cannot do becomes one line and an exit code. What the API refuses
    is printed as its JSON too, where the command was asked for JSON."""
    try:
        app(prog_name="andromede")
    except CliError as error:
        _fail(error)
    except BrokenPipeError:
        sys.exit(FAILED)  # whoever read the output has gone
    except OSError as error:
        _fail(of_system(error))


def _fail(error: CliError) -> None:
    document = getattr(error, "document", None)  # of an ApiFailure
    if document is not None and "--json" in sys.argv:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    print(f"andromede: {error}", file=sys.stderr)
    sys.exit(error.code)


@app.command(
    epilog="Example: andromede up --engine simulated --state /tmp/try  (the whole API, without root)"
)
def up(
    state: State = None,
    engine: Annotated[
        Optional[str],
        typer.Option(help="embedded (QEMU, needs root) or simulated (in memory)."),
    ] = None,
    public: Public = None,
    private: Private = None,
    external_cidr: External = None,
    database: Annotated[
        Optional[str], typer.Option(help="postgresql://… in place of SQLite.")
    ] = None,
    policy: Annotated[
        Optional[list[str]],
        typer.Option(help="FIELD=VALUE of the cloud's policy, as operator_access=open."),
    ] = None,
    site: Annotated[Optional[str], typer.Option(help="The name of the place it stands at.")] = None,
    country: Annotated[
        Optional[str], typer.Option(help="Of that place: ISO 3166-1, as FR.")
    ] = None,
    operator: Annotated[Optional[str], typer.Option(help="The legal entity that runs it.")] = None,
    world: Annotated[
        Optional[Path], typer.Option(help="A TOML file: all that is declared, at each start.")
    ] = None,
) -> None:
    """Start the cloud, or say that it runs."""
    from andromede.cli import up as command
    from andromede.cli.declared import Declared

    command.up(
        state_of(state),
        Declared(site=site, country=country, operator=operator, file=world),
        engine=engine,
        public=public,
        private=private,
        external_cidr=external_cidr,
        database=database,
        policy=policy or [],
    )


@app.command(epilog="Example: andromede down --servers")
def down(
    state: State = None,
    servers: Annotated[bool, typer.Option(help="Stop the guests too.")] = False,
) -> None:
    """Stop the cloud; guests run on unless --servers is given."""
    from andromede.cli import up as command

    command.down(state_of(state), servers=servers)


@app.command(epilog="Example: andromede status --json")
def status(
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say whether the cloud runs, where it listens, and how its parts are."""
    from andromede.cli import up as command

    command.status(state_of(state), as_json=as_json)


@app.command()
def doctor(
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what this host can do, what it lacks, and what is wrong with the cloud."""
    from andromede.cli import doctor as command

    command.doctor(state_of(state), as_json=as_json)


@app.command()
def quickstart(
    state: State = None,
    public: Public = None,
    private: Private = None,
    external_cidr: External = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """From a bare machine to a server that answers over SSH."""
    from andromede.cli import quickstart as command

    command.quickstart(
        state_of(state),
        as_json=as_json,
        public=public,
        private=private,
        external_cidr=external_cidr,
    )


@app.command(
    epilog="Examples: andromede logs worker --level warning; andromede logs --request req-…"
)
def logs(
    roles: Annotated[Optional[list[str]], typer.Argument(help="Only these roles.")] = None,
    state: State = None,
    request: Annotated[
        Optional[str], typer.Option(help="Only one request, by its id, through every role.")
    ] = None,
    level: Annotated[str, typer.Option(help="info, warning or error, and worse.")] = "info",
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many of the last.")] = 200,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they are.")] = False,
) -> None:
    """Show the logs of all roles, merged by time."""
    from andromede.cli import logs as command

    command.show(
        state_of(state),
        roles=roles or [],
        request=request,
        level=level,
        lines=lines,
        follow=follow,
        as_json=as_json,
    )


@app.command()
def reset(
    state: State = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really erase it.")] = False,
) -> None:
    """End the cloud and its servers, and erase all that it holds."""
    from andromede.cli import up as command

    command.reset(state_of(state), yes=yes)


image = typer.Typer(help="Guest images built from Debian packages.", no_args_is_help=True)
app.add_typer(image, name="image")
app.add_typer(sovereignty.load(), name="sovereignty")


@image.command("build")
def build_image(
    name: Annotated[
        str,
        typer.Argument(help="tiny, debian, or tiny-test: as tiny, with a password that all know"),
    ],
    state: State = None,
    out: Annotated[Optional[Path], typer.Option(help="Folder for the image.")] = None,
) -> None:
    """Build a guest image; the same packages give the same bytes."""
    from andromede.cli import images as command

    command.build(name, state_of(state), out)


@image.command(
    "offer", epilog="Example: andromede image build debian; andromede image offer debian"
)
def offer_image(
    name: Annotated[str, typer.Argument(help="tiny or debian")], state: State = None
) -> None:
    """Offer a guest image that was built to everybody, described as the SCS standard asks."""
    from andromede.cli import images as command

    command.offer(name, state_of(state))


@app.command(epilog="Example: andromede verify bundle.json old-checkpoint --key log.vkey")
def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Evidence, bundles, checkpoints, consistency proofs, folders with a log's copy."
        ),
    ],
    key: Annotated[
        Optional[str], typer.Option(help="The log's verifier key, or a file that holds it.")
    ] = None,
    witness: Annotated[
        Optional[list[str]],
        typer.Option(help="The verifier key of a witness that must have cosigned; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Verify what was downloaded of a cloud, offline. Exit codes: 0 verified, 1 false, 3 not shown."""
    from andromede.cli import verify as command

    raise SystemExit(command.verify(files, key=key, witnesses=witness or [], as_json=as_json))


@app.command(
    epilog="Example: andromede evidence ministry -o ministry.zip; andromede verify ministry.zip"
)
def evidence(
    project: Annotated[str, typer.Argument(help="A project's id or name.")],
    state: State = None,
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="The file to write.")] = None,
) -> None:
    """Fetch a project's evidence: a signed archive with pages to read and the log's proofs."""
    from andromede.cli import evidence as command

    command.fetch(state_of(state), project, out)


@app.command(epilog="Example: andromede bench api --json")
def bench(
    name: Annotated[
        str, typer.Argument(help="admit, api, boot, clients, footprint, log or scale.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure the cloud beside its limit, in the same run."""
    from andromede.cli import bench as command

    command.run(name, as_json=as_json)


@app.command(
    "test",
    epilog="Examples: andromede test tests/unit -k paging; andromede test --full; "
    "andromede test --conformance identity network",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run_tests(
    context: typer.Context,
    full: Annotated[bool, typer.Option(help="Also the long sequences.")] = False,
    conformance: Annotated[
        bool, typer.Option(help="Tempest in place of our own; further arguments go to it.")
    ] = False,
) -> None:
    """Run the project's tests; further arguments go to pytest."""
    from andromede.cli import testing

    if conformance:
        raise SystemExit(testing.conform(context.args))
    raise SystemExit(testing.run(context.args, full=full))
