"""What is put together in which process: the only module that knows every service."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

from andromede.cloud import Cloud
from andromede.config import Config, Paths
from andromede.db import Database
from andromede.engine.protocol import Engine
from andromede.http.operation import Service
from andromede.keys.client import KeysClient
from andromede.work import Lifecycle, Reconciler

SERVICES = ("identity", "compute", "image", "network", "sovereignty")


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


def engine(config: Config, paths: Paths) -> Engine:
    """The engine this cloud's configuration names."""
    if config.engine == "simulated":
        from andromede.engine.simulated import SimulatedEngine

        return SimulatedEngine(config.place.host)
    from andromede.engine.embedded import EmbeddedEngine

    return EmbeddedEngine(config, paths)


def reconcilers(world: SimpleNamespace) -> list[Reconciler]:
    """Every service's reconcilers."""
    found: list[Reconciler] = []
    for package in packages():
        make = getattr(package, "reconcilers", None)
        if make is not None:
            found.extend(make(world))
    return found


def connect_roles(cloud: Cloud) -> None:
    """Give a process its ways to the inspection jail and to the edge."""
    from andromede.edge.client import EdgeClient
    from andromede.inspect.client import InspectClient

    cloud.inspect = InspectClient(cloud.paths.run / "inspect.sock")
    cloud.edge = EdgeClient(cloud.paths.run / "console.sock")


def internal_services() -> list[Service]:
    """What only the edge may ask, over the internal socket."""
    from andromede.services.compute.metadata import SERVICE

    return [SERVICE]


def worker_reconcilers(world: SimpleNamespace) -> list[Reconciler]:
    """Reconcilers of the host's own affairs."""
    from andromede.edge.feed import reconciler
    from andromede.services.compute import api as compute
    from andromede.services.network import api as network

    host = world.engine.host().name

    def fed() -> tuple[list[str], list[str]]:
        with world.cloud.database.read() as connection:
            return network.network_ids(connection), compute.server_ids(connection, host)

    return [reconciler(world, fed)]
