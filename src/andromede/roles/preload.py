"""What roles would import late: loaded before they are forked.

A role's user may not be able to read the program's own folder (a checkout below `/root`), and
what is loaded before the fork is shared by all.
"""

from __future__ import annotations

import importlib

from andromede.config import Config, Paths
from andromede.console import pages
from andromede.db import Database
from andromede.roles import assembly
from andromede.sovereignty.evidence import html

MODULES = (
    "_strptime",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_16_be",
    "http.cookies",
    "jinja2.debug",
    "multiprocessing.connection",
    "prometheus_client.multiprocess",
    "stringprep",
    "uvicorn.lifespan.off",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
    "uvloop",
)


def preload(config: Config, paths: Paths) -> None:
    """Import what this cloud's roles use."""
    for name in MODULES:
        importlib.import_module(name)
    Database(paths.database_url(config)).dispose()  # loads the dialect and the driver
    assembly.packages()
    assembly.internal_services()
    html.warm()
    pages.warm()
