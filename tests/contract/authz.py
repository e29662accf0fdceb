"""The authorization matrix: what each row of the routing tables answers to each persona.

`python -m tests.contract.authz > tests/contract/authz-matrix.txt` writes it anew. Each request is
made for real on a cloud with one of everything, with a body that the row accepts, and what it did is
undone: a 2xx means that the persona may.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from andromede.http.microversion import text
from andromede.http.operation import Operation, Service
from andromede.roles.apidoc import path_of
from tests.contract.authz_reasons import reason
from tests.contract.whole import examples
from tests.contract.whole.world import PRIVATE, PUBLIC, Whole, rows, whole
from tests.rehearsal import rehearsed

FILE = Path(__file__).parent / "authz-matrix.txt"
COMMAND = "python -m tests.contract.authz > tests/contract/authz-matrix.txt"
HEAD = f"""\
# What each operation answers to each persona; written by
#   {COMMAND}
# All but the last column: each persona on the listener where it belongs. The resources are those of
# one project, and users', keypairs and credentials those of its member.
#   none      no token                        domain    manager of the project's domain
#   reader    of the project                  admin     admin of the project (private listener)
#   member    of the project                  sysread   reader of the system (private listener)
#   manager   of the project                  sysadm    admin of the system (private listener)
#   other     member of another project of the same domain
#   public    what the last three get on the public listener
# A 2xx is done, a 404 does not exist for that persona. Operators need no consent in this cloud.
# Reviewed against the default policies of the real identity, compute, image and network services.
# What differs there has its reason beside it, and:
#   - an admin of the system is an operator in every service; upstream, only identity takes its token
#   - network answers 403 to a token without a project, where upstream shows empty lists and 404s
#   - tags of QoS policies are written by members, upstream by managers
"""
COLUMNS = (*PUBLIC, *PRIVATE, "public")
WIDTH = 8


def page() -> str:
    """The whole file."""
    with tempfile.TemporaryDirectory() as folder, whole(Path(folder)) as made:
        return HEAD + "".join(f"{line}\n" for line in lines(made))


def lines(made: Whole) -> Iterator[str]:
    """A line for each row of the routing tables, below a title for each service."""
    title = ""
    for service, row in rows():
        if service.name != title:
            title = service.name
            yield ""
            yield f"## {title}"
            yield "".join(f"{each:<{WIDTH}}" for each in COLUMNS).rstrip()
        yield _line(service, row, codes(made, service, row))


def _line(service: Service, row: Operation, found: list[str]) -> str:
    cells = "".join(f"{code:<{WIDTH}}" for code in found)
    why = reason(service, row)
    return f"{cells}{_name(service, row)}{f'  # {why}' if why else ''}"


def _name(service: Service, row: Operation) -> str:
    """What tells the row from all others, and its action."""
    key = f" {row.key}" if row.key else ""
    since = f" from {text(row.since)}" if row.since else ""
    until = f" to {text(row.until)}" if row.until else ""
    return f"{row.method} {path_of(service, row)}{key}{since}{until} {row.action}"


def codes(made: Whole, service: Service, row: Operation) -> list[str]:
    """The codes in the columns' order."""
    found = [ask(made, service, row, who) for who in PUBLIC]
    found += [ask(made, service, row, who, private=True) for who in PRIVATE]
    outside = {ask(made, service, row, who) for who in PRIVATE}
    return [*map(str, found), "/".join(map(str, sorted(outside)))]


def ask(
    made: Whole, service: Service, row: Operation, persona: str, *, private: bool = False
) -> int:
    """The status of one request, whose effect is undone."""
    client = made.client(persona, private=private)
    version = f"{service.type} {text(row.until) if row.until else 'latest'}"
    headers = {"OpenStack-API-Version": version, **examples.headers(made, row)}
    path = made.path(service, row) + examples.query(made, row)
    with rehearsed(made.cloud.database):
        answer = client.call(
            row.method, path, examples.body(made, row), headers=headers,
            raw=b"data" if row.stream else None,
        )  # fmt: skip
    return answer.status


def cells() -> Iterator[tuple[list[str], str]]:
    """The codes of each line of the accepted file, and what follows them."""
    for line in FILE.read_text().splitlines():
        if line[:3].isdigit():
            words = line.split(maxsplit=len(COLUMNS))
            yield words[:-1], words[-1]


def main() -> str:
    """The file's text; nothing else is written to the standard output."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(io.StringIO()))
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):
        return page()


if __name__ == "__main__":
    print(main(), end="")  # noqa: T201
