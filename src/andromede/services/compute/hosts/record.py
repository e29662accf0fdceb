"""The worker's part: notes again and again which hosts are there, where, and what they offer."""

from __future__ import annotations

from typing import Any

from andromede.config import Place
from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.services.compute.hosts import store
from andromede.services.compute.servers import store as servers
from andromede.sovereignty.world import facts
from andromede.work import Reconciler

EVERY = 10.0


def place_of(connection: Connection, host: str, home: Place) -> tuple[str, str]:
    """The region and site of a host: those that declare it, or else where this worker stands."""
    for site in facts.current(connection).sites.values():
        if host in site.hosts:
            return site.region, site.site
    return home.region, home.site


def note(connection: Connection, hosts: tuple[HostFacts, ...], home: Place) -> None:
    """Write the hosts' facts, as the engine gives them, into their rows."""
    for each in hosts:
        store.record(connection, each, *place_of(connection, each.name, home))
    for name in store.places(connection).keys() - {each.name for each in hosts}:
        if servers.claims(connection, name)[0] == 0:
            store.forget(connection, name)  # it went, and no server's row speaks of it


def recorder(world: Any) -> Reconciler:
    """Keeps the rows of the hosts."""
    return Reconciler(name="host-record", every=EVERY, run=lambda: note_all(world))


def note_all(world: Any) -> None:
    """Note every host of the worker's engine now."""
    hosts, home = world.engine.hosts(), world.cloud.config.place
    world.cloud.database.transact(lambda connection: note(connection, hosts, home))
