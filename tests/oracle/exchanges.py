"""What was asked of the cloud in tests and accepted, one of each shape, as the oracle takes it.

With `ANDROMEDE_EXCHANGES` naming a folder, every client of the harness writes there.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

FOLDER = "ANDROMEDE_EXCHANGES"
SERVICES = ("compute", "identity", "image", "network")
KINDS = (
    ("id", re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")),
    ("number", re.compile(r"-?\d+(?:\.\d+)?")),
    ("time", re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")),
    ("address", re.compile(r"[\d.]+(?:/\d+)?|[0-9a-f:]*:[0-9a-f:]*(?:/\d+)?")),
    ("url", re.compile(r"\w+://.*")),
    ("word", re.compile(r"[A-Za-z_]+")),
    ("nothing", re.compile(r"")),
)
Headers = Mapping[str, str]


def exchange(
    method: str, path: str, content: bytes, status: int, headers: Headers, body: bytes
) -> dict[str, Any] | None:
    """An exchange for the oracle: service, method, path, key, query, version, status, request and
    response, which is null where it is no JSON; None for one that it does not judge: refused."""
    where, _, query = path.partition("?")
    service = where.split("/", 2)[1]
    if service not in SERVICES or not 200 <= status < 300:
        return None
    try:
        request = _document(content)
        response = _document(body) if "json" in headers.get("content-type", "json") else None
    except (ValueError, RecursionError):
        return None
    version = headers.get("openstack-api-version", "").rpartition(" ")[2]
    return {
        "service": service, "method": method, "path": where,
        "key": next(iter(request), None) if isinstance(request, dict) else None,
        "query": parse_qs(query, keep_blank_values=True),
        "version": [int(each) for each in version.split(".")] if version else None,
        "status": status, "request": request, "response": response,
    }  # fmt: skip


def _document(content: bytes) -> Any:
    return json.loads(content) if content else None


def shape(document: Any) -> Any:
    """What two documents have in common whose values alone differ."""
    if isinstance(document, dict):
        found = [(_kind(key), shape(value)) for key, value in document.items()]
        return tuple(sorted(found, key=repr))
    if isinstance(document, list):
        return ("list", *sorted({repr(shape(each)) for each in document}))
    return _kind(document) if isinstance(document, str) else type(document).__name__


def _kind(text: str) -> str:
    found = next((name for name, pattern in KINDS if pattern.fullmatch(text)), "text")
    return text if found == "word" else found


class Recorder:
    """Writes exchanges to a file of this process, each shape once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{os.getpid()}.jsonl"
        self.seen: set[int] = set()

    def note(self, found: dict[str, Any]) -> None:
        path = "/".join(map(_kind, found["path"].split("/")))
        told = hash(repr((path, shape({**found, "path": None}))))
        if told not in self.seen:
            self.seen.add(told)
            with self.file.open("a") as file:
                file.write(json.dumps(found) + "\n")


@functools.cache
def recorder() -> Recorder | None:
    """This process's, where the environment asks for one."""
    folder = os.environ.get(FOLDER)
    return Recorder(Path(folder)) if folder else None


def note(
    method: str, path: str, content: bytes, status: int, headers: Headers, body: bytes
) -> None:
    """Write an exchange down, where the environment asks for it."""
    writer = recorder()
    if writer is not None:
        found = exchange(method, path, content, status, headers, body)
        if found is not None:
            writer.note(found)
