"""`evidence`: fetches a project's signed archive, once all that it tells of is in the log."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from andromede import clock
from andromede.cli.client import ApiFailure, Session, poll
from andromede.cli.errors import CliError
from andromede.cli.sovereignty.session import open_session
from andromede.sovereignty.evidence.archive import unpack

NUMBERED_WITHIN = 30.0  # seconds that the newest leaves may take to be numbered
NAMED = 'filename="'


def fetch(state: Path, project: str, out: Path | None) -> None:
    """Write the archive to `out`, or under the name it has in the folder one is in, and say where.

    Errors: CliError.
    """
    session = open_session(state)
    try:
        where = f"/evidence/{_project(session, project)}"
        data, headers = poll(
            lambda: _settled(session, where),
            NUMBERED_WITHIN,
            "the newest leaves of the log were not numbered; andromede status tells more: not done",
        )
    finally:
        session.close()
    name = headers.get("content-disposition", "").partition(NAMED)[2].rstrip('"')
    path = out if out is not None else Path(Path(name).name or "evidence.zip")
    path.write_bytes(data)
    for each in msgspec.json.decode(unpack(data)["evidence.json"]).get("left_out", ()):
        when = clock.iso(each["before"])
        print(f"{path}: {each['count']} {each['what']} from before {when} are left out of it")
    print(f"{path}: {len(data)} bytes; verify it with: andromede verify {path}")


def _settled(session: Session, where: str) -> tuple[bytes, dict[str, str]] | None:
    """The archive, unless a leaf in it still waits for its number."""
    data, headers = session.download("sovereignty", where)
    document = msgspec.json.decode(unpack(data)["evidence.json"])
    return None if document["log"]["pending"] else (data, headers)


def _project(session: Session, given: str) -> str:
    """A project's id by its id or name, among those the caller may enter, and for an operator
    among all.

    Errors: CliError when several have the name.
    """
    own = session.call("identity", "GET", "/auth/projects")["projects"]
    if any(each["id"] == given for each in own):
        return given
    found = {each["id"] for each in own if each["name"] == given}
    with contextlib.suppress(ApiFailure):  # a customer may not list every project
        everyone = session.call("identity", "GET", "/projects", None, name=given)["projects"]
        found |= {each["id"] for each in everyone}
    if len(found) > 1:
        ids = ", ".join(sorted(found))
        raise CliError(f"{len(found)} projects are called {given}: {ids}; give an id")
    return found.pop() if found else given
