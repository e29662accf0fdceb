"""How an SQLite file is opened to be read, so that it and what lies beside it stay as they are."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote


def read_only(path: Path) -> tuple[str, dict[str, str]]:
    """`file:…` and the query of its URI, without the question mark between them.

    A log beside the file is read with it. Without one nobody writes, and the file is declared
    immutable: otherwise SQLite would make an empty log and leave it (SQLite's page "WAL-mode File
    Format", read-only databases).
    """
    log = path.with_name(path.name + "-wal")
    logged = log.exists() and log.stat().st_size > 0
    query = {"mode": "ro"} if logged else {"mode": "ro", "immutable": "1"}
    return f"file:{quote(str(path))}", query
