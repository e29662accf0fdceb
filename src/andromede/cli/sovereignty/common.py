"""What the sovereignty commands share: options, one call to the API, and how answers are printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from andromede.cli.client import Session
from andromede.cli.sovereignty.session import open_session
from andromede.config import default_state

SERVICE = "sovereignty"

State = Annotated[
    Optional[Path],
    typer.Option("--state", help="The cloud's folder.", envvar="ANDROMEDE_STATE"),
]
AsJson = Annotated[bool, typer.Option("--json", help="The API's answer, as JSON.")]
Day = Annotated[Optional[str], typer.Option("--date", help="A day, as in 2012-09-05; today.")]


@contextmanager
def api(state: Path | None) -> Iterator[Session]:
    """A session as OS_CLOUD says, or as the local operator, closed at the end.

    Errors: CliError.
    """
    session = open_session((state or default_state()).resolve())
    try:
        yield session
    finally:
        session.close()


def get(state: Path | None, path: str, **query: str | None) -> Any:
    """What the API answers to one question."""
    asked = {key: value for key, value in query.items() if value is not None}
    with api(state) as session:
        return session.call(SERVICE, "GET", path, None, **asked)


def every(session: Session, noun: str) -> list[dict[str, Any]]:
    """A whole list, page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    while True:
        page = session.call(SERVICE, "GET", f"/{noun}", None, **query)
        found += page[noun]
        if not page.get(f"{noun}_links"):
            return found
        query = {"marker": found[-1].get("name" if noun == "sites" else "id", "")}


def print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows under the names of their columns, as wide as they need to be."""
    lines = [[each.upper() for each in columns]]
    lines += [[said(row.get(each)) for each in columns] for row in rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def print_members(document: Mapping[str, Any]) -> None:
    """One thing: a line for each member that says something."""
    told = {key: said(value) for key, value in document.items()}
    width = max(len(key) for key in told)
    for key, value in told.items():
        if value:
            print(f"{key.ljust(width)}  {value}")


def said(value: Any) -> str:
    """A member as people read it."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(each)}" for key, each in value.items() if said(each))
    if isinstance(value, (list, tuple)):
        return "; ".join(said(each) for each in value)
    return str(value)


NULLABLE = frozenset({"administration", "establishment", "capital", "currency", "since", "until"})


def given(**members: Any) -> dict[str, Any]:
    """The members that an option was given for; an empty value takes one back that may be absent."""
    return {
        key: None if value == "" and key in NULLABLE else value
        for key, value in members.items()
        if value not in (None, [])
    }
