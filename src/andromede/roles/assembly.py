"""What is put together in which process: the only module that knows every service."""

from __future__ import annotations

import importlib
from typing import Any

from andromede.cloud import Cloud
from andromede.config import Config, Paths
from andromede.console import pages
from andromede.db import Database
from andromede.edge.client import EdgeClient
from andromede.http.operation import Service
from andromede.inspect.client import InspectClient
from andromede.keys.client import KeysClient
from andromede.services.compute import metadata
from andromede.services.sovereignty import witness
from andromede.work import Lifecycle

SERVICES = ("identity", "compute", "image", "network", "placement", "sovereignty")


def packages() -> list[Any]:
    """The service packages, in the catalog's order."""
    return [importlib.import_module(f"andromede.services.{name}") for name in SERVICES]


def services() -> list[Service]:
    return [package.SERVICE for package in packages()]


def lifecycles() -> dict[str, Lifecycle]:
    """Every lifecycle by its kind."""
    found: dict[str, Lifecycle] = {}
    for package in packages():
        for each in getattr(package, "LIFECYCLES", ()):
            if each.kind in found:
                raise ValueError(f"two lifecycles are called {each.kind}")
            found[each.kind] = each
    return found


def cloud(config: Config, paths: Paths) -> Cloud:
    """The cloud as a process with a database sees it."""
    return Cloud(
        config=config,
        paths=paths,
        database=Database(paths.database_url(config)),
        keys=KeysClient(paths.run / "keys.sock"),
        catalog=services(),
    )


def connect_roles(cloud: Cloud) -> None:
    """Give a process its ways to the inspection jail and to the edge."""
    cloud.inspect = InspectClient(cloud.paths.run / "inspect.sock")
    cloud.edge = EdgeClient(cloud.paths.run / "console.sock")


def uncatalogued_services() -> list[Service]:
    """What both listeners serve besides, to those who know of it: the witness of other logs, and
    the pages of consoles."""
    return [witness.SERVICE, pages.service()]


def internal_services() -> list[Service]:
    """What only the edge may ask, over the internal socket."""
    return [metadata.SERVICE]
