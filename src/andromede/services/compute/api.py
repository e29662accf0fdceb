"""What the rest of the cloud may ask of compute."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.claims import by_project as claimed_by
from andromede.services.compute.claims import capacities
from andromede.services.compute.claims import of as claimant
from andromede.services.compute.claims import on as claimants
from andromede.services.compute.flavors import seeds, store
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.hosts.record import note_all as note_hosts
from andromede.services.compute.servers.audit import audit
from andromede.services.compute.servers.consoles.opening import Came as ConsoleCame
from andromede.services.compute.servers.consoles.opening import Opened as OpenedConsole
from andromede.services.compute.servers.consoles.opening import redeem as redeem_console
from andromede.services.compute.servers.consoles.opening import still as still_opened
from andromede.services.compute.servers.reach import reach
from andromede.services.compute.servers.store import placements

__all__ = [
    "ConsoleCame", "OpenedConsole", "audit", "bootstrap", "capacities", "claimant", "claimants",
    "claimed_by", "host_names", "note_hosts", "placements", "reach", "redeem_console", "sites",
    "still_opened",
]  # fmt: skip


def bootstrap(connection: Connection) -> None:
    """Have the flavors a new cloud offers; running it again changes nothing."""
    store.seed(connection, seeds.rows())


def host_names(connection: Connection) -> set[str]:
    """The hosts of this cloud."""
    return set(hosts.places(connection))


def sites(connection: Connection) -> set[str]:
    """The sites that have hosts."""
    return {site for _, site in hosts.places(connection).values()}
