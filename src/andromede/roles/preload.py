"""What roles would import late: loaded before they are forked.

A role's user may not be able to read the program's own folder (a checkout below `/root`), and
what is loaded before the fork is shared by all.
"""

from __future__ import annotations

import importlib

from andromede.config import Config
from andromede.roles import assembly

MODULES = (
    "encodings.idna",
    "encodings.latin_1",
    "http.cookies",
    "multiprocessing.connection",
    "prometheus_client.multiprocess",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "stringprep",
    "uvicorn.lifespan.off",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


def preload(config: Config) -> None:
    """Import what this cloud's roles use."""
    for name in MODULES:
        importlib.import_module(name)
    if config.database.startswith("postgresql"):
        importlib.import_module("sqlalchemy.dialects.postgresql.psycopg")
    assembly.packages()
    assembly.internal_services()
