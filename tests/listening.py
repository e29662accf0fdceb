"""Which listening sockets of this host a process holds, as /proc tells it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from andromede.config import Config, Paths

NET = Path("/proc/thread-self/net")  # of the namespace that the calling thread is in
TCP_LISTENS, UNIX_LISTENS = "0A", "00010000"


def held(pid: int) -> set[str]:
    """The ports and paths that a process could take connections from."""
    known = dict(_listeners())
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.add(known.get(os.readlink(entry.path), ""))
    return found - {""}


def _listeners() -> Iterator[tuple[str, str]]:
    """Every listening socket's link in `fd`, with its port or its path."""
    for table in ("tcp", "tcp6"):
        for words in map(str.split, (NET / table).read_text().splitlines()[1:]):
            if words[3] == TCP_LISTENS:
                yield f"socket:[{words[9]}]", str(int(words[1].rpartition(":")[2], 16))
    for words in map(str.split, (NET / "unix").read_text().splitlines()[1:]):
        if words[3] == UNIX_LISTENS and len(words) > 7:
            yield f"socket:[{words[6]}]", words[7]


def assert_the_api_alone_listens(config: Config, paths: Paths, pids: dict[str, int]) -> None:
    """Each api process holds the cloud's listeners; no other role does, nor any port of this host."""
    ports = {address.rpartition(":")[2] for address in (config.public, config.private)}
    listeners = {*ports, str(paths.run / "internal.sock")}
    assert {name.partition("-")[0] for name in pids} >= {"api", "keys", "inspect", "edge", "worker"}
    for name, pid in pids.items():
        mine = held(pid)
        if name.startswith("api"):
            assert mine == listeners, name
        else:
            assert not any(each.isdigit() for each in mine), f"{name} holds TCP ports: {mine}"
            assert not mine & listeners, f"{name} holds {mine}"
