"""The periodic level check: what rows want of the host is applied again, and what no row owns goes.

Takes no input. The first round asks for everything, so that states are recorded anew; later rounds
apply documents directly, which costs no write, and ask only for what is missing or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import structlog

from andromede.db import Connection
from andromede.engine.protocol import EngineError, Observation
from andromede.services.network import intents, steps
from andromede.services.network.agents import store as agents
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.removals import store as removals
from andromede.services.network.routers import steps as router_steps
from andromede.services.network.routers import store as routers
from andromede.work import Reconciler

EVERY = 30.0
REQUEST = "reconcile"
NOBODY = ""
Asked = dict[tuple[str, str], str]  # (kind, id) to project

log = structlog.get_logger("network")


class Check:
    """One worker's check."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.first = True

    def __call__(self) -> None:
        database, engine = self.world.cloud.database, self.world.engine
        seen = engine.observe()
        hosts = [host.name for host in engine.hosts()]
        with database.read() as connection:
            owned_networks = dict(networks.all_ids(connection))
            owned_routers = dict(routers.all_ids(connection))
            bound = ports.all_bound(connection, hosts)
            waiting = removals.waiting(connection)
        asked: Asked = {(kind, key): project for kind, key, project in waiting}
        for kind, owned, held in (
            (intents.NETWORK, owned_networks, seen.networks),
            (intents.ROUTER, owned_routers, seen.routers),
            (intents.PORT, {key: project for key, _, project in bound}, seen.ports),
        ):
            asked |= {(kind, key): owned[key] for key in owned if self.first or key not in held}
            asked |= {(kind, key): NOBODY for key in _unowned(kind, held, owned)}
        for port_id, network_id, project in bound:
            if self.first or port_id not in seen.ports or network_id not in seen.networks:
                asked[intents.FIREWALL, network_id] = project
        if not self.first:
            asked |= self._refresh(seen, owned_networks, owned_routers)
        self._ask(asked)
        self._beat()
        self.first = False

    def _refresh(
        self,
        seen: Observation,
        owned_networks: dict[str, str],
        owned_routers: dict[str, str],
    ) -> Asked:
        """Apply again what the host seems to hold; what fails is to be asked for."""
        failed: Asked = {}
        held = seen.networks
        for kind, owned, apply in (
            (intents.NETWORK, owned_networks, steps.apply_network),
            (intents.FIREWALL, owned_networks, steps.apply_firewall),
            (intents.ROUTER, owned_routers, router_steps.apply_router),
        ):
            present = seen.routers if kind == intents.ROUTER else held
            for key in sorted(owned.keys() & present):
                if not self._apply(apply, key):
                    failed[kind, key] = owned[key]
        return failed

    def _beat(self) -> None:
        """Say that this host's network is being kept."""
        host, started = self.world.cloud.config.place.host, self.first
        self.world.cloud.database.transact(lambda c: agents.beat(c, host, started=started))

    def _apply(self, apply: Callable[..., object], key: str) -> bool:
        try:
            apply(self.world.cloud.database, self.world.engine, key)
        except (EngineError, router_steps.NotYet) as error:
            log.warning("not as its rows say", id=key, error=str(error))
            return False
        return True

    def _ask(self, asked: Asked) -> None:
        """Intend what is asked for, unless it is under way already."""

        def intend(connection: Connection) -> None:
            for (kind, key), project in asked.items():
                if not intents.under_way(connection, kind, key):
                    intents.converge(connection, kind, key, project, REQUEST)

        if asked:
            self.world.cloud.database.transact(intend)


def _unowned(kind: str, held: Iterable[str], owned: dict[str, str]) -> list[str]:
    """What the engine holds and no row owns: its lifecycle finds no row and removes it."""
    found = sorted(set(held) - owned.keys())
    for key in found:
        log.info("unowned on the host", kind=kind, id=key)
    return found


def reconcilers(world: Any) -> list[Reconciler]:
    """The checks a worker runs at its start and then for ever."""
    return [Reconciler(name="network", every=EVERY, run=Check(world))]
