"""What only the worker puts together: the engine, and the reconcilers that keep the host right."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from andromede.config import Config, Paths
from andromede.edge import feed, supply
from andromede.engine.protocol import Engine
from andromede.engine.simulated import SimulatedEngine
from andromede.roles import assembly
from andromede.services.compute import api as compute
from andromede.services.network import api as network
from andromede.sovereignty.world import facts
from andromede.work import Reconciler


def engine(config: Config, paths: Paths) -> Engine:
    """The engine this cloud's configuration names."""
    if config.engine == "simulated":
        return SimulatedEngine(config.place.host)
    from andromede.engine.embedded import EmbeddedEngine

    return EmbeddedEngine(config, paths)


def reconcilers(world: SimpleNamespace) -> list[Reconciler]:
    """Every service's reconcilers, and the host's own."""
    found: list[Reconciler] = []
    for package in assembly.packages():
        make = getattr(package, "reconcilers", None)
        if make is not None:
            found.extend(make(world))
    found += [feed.reconciler(world, _networks(world)), supply.reconciler(world)]
    if isinstance(world.engine, SimulatedEngine):
        found.append(Reconciler(name="declared-hosts", every=1, run=_declared_hosts(world)))
    found.append(Reconciler(name="strays", every=60, run=world.engine.remove_strays))
    return found


def _declared_hosts(world: SimpleNamespace) -> Callable[[], None]:
    """Lets the simulated engine have the hosts that the world declares at its sites."""
    engine: SimulatedEngine = world.engine
    marks: list[str] = []

    def run() -> None:
        with world.cloud.database.read() as connection:
            known = facts.current(connection)
        if marks == [known.generation]:
            return
        engine.offer(host for site in known.sites.values() for host in site.hosts)
        compute.note_hosts(world)
        marks[:] = [known.generation]

    return run


def _networks(world: SimpleNamespace) -> Callable[[], list[str]]:
    """What the edge of this host serves metadata in: every network."""

    def ids() -> list[str]:
        with world.cloud.database.read() as connection:
            return network.network_ids(connection)

    return ids
