"""`logs`: the structured logs of every role, merged by time, filtered by request or level."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from andromede.cli.errors import USAGE, CliError
from andromede.config import Paths

LEVELS = ("info", "warning", "error")
KNOWN = ("timestamp", "level", "role", "event")


def show(
    state: Path,
    *,
    roles: list[str],
    request: str | None,
    level: str,
    lines: int,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the last lines that match, and with `follow` those that come."""
    if level not in LEVELS:
        raise CliError(f"--level {level}: one of {', '.join(LEVELS)} is accepted", USAGE)
    files = _files(state, roles)
    tails = [Tail(path) for path in files]
    least = LEVELS.index(level)

    def wanted(entry: dict[str, Any]) -> bool:
        if request is not None and request not in (
            entry.get("request_id"),
            entry.get("global_id"),
        ):
            return False
        found = str(entry.get("level", "info"))
        return LEVELS.index(found) >= least if found in LEVELS else True

    first = sorted((e for tail in tails for e in tail.read()), key=lambda e: e["timestamp"])
    _print([entry for entry in first if wanted(entry)][-lines:], as_json=as_json)
    while follow:
        time.sleep(0.3)
        news = sorted((e for tail in tails for e in tail.read()), key=lambda e: e["timestamp"])
        _print((entry for entry in news if wanted(entry)), as_json=as_json)


def _files(state: Path, roles: list[str]) -> list[Path]:
    folder = Paths(state).logs
    try:
        names = sorted(path.stem for path in folder.glob("*.log"))
    except PermissionError:
        names = []
    if not names:
        raise CliError(f"no logs can be read below {folder}; was a cloud started, and by you?")
    unknown = sorted(set(roles) - set(names))
    if unknown:
        raise CliError(f"no log of {', '.join(unknown)}; there are: {', '.join(names)}", USAGE)
    return [folder / f"{name}.log" for name in (roles or names)]


class Tail:
    """A growing file of JSON lines; `read` gives what came since the last time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.last = ""

    def read(self) -> list[dict[str, Any]]:
        if self.path.stat().st_size < self.offset:
            self.offset = 0
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return list(self._entries(whole.decode(errors="replace").splitlines()))

    def _entries(self, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
        for line in lines:
            entry = _parse(line, self.path.stem)
            self.last = entry.setdefault("timestamp", self.last)
            yield entry


def _parse(line: str, role: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return {"role": role, "event": line}
    entry.setdefault("role", role)
    return entry


def _print(entries: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    for entry in entries:
        if as_json:
            print(json.dumps(entry), flush=True)
            continue
        rest = " ".join(
            f"{key}={value}"
            for key, value in entry.items()
            if key not in KNOWN and value is not None
        )
        print(
            f"{entry['timestamp'][:23]} {entry.get('level', ''):7} {entry['role']:10} "
            f"{entry.get('event', '')} {rest}",
            flush=True,
        )
