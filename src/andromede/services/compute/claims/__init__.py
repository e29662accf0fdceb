"""What servers claim of hosts, told to whoever weighs capacity."""

from __future__ import annotations

from msgspec import Struct

from andromede.db import Connection
from andromede.services.compute.claims.store import Claim, by_project, of, on
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.servers import placement
from andromede.services.compute.servers import store as servers

__all__ = ["Capacity", "Claim", "by_project", "capacities", "of", "on"]


class Capacity(Struct, frozen=True, kw_only=True):
    """A host's `vcpus`, `memory` (MiB) and `disk` (GiB), and what is `claimed` of them by class.

    `overcommit` vcpus are given for each; `reserved` MiB are kept for the host itself.
    """

    id: str
    name: str
    site: str
    vcpus: int
    memory: int
    disk: int
    overcommit: float
    reserved: int
    claimed: dict[str, int]


def capacities(connection: Connection) -> list[Capacity]:
    """Every host, by number; as scheduling sees it."""
    found = []
    for each in hosts.every(connection):
        _, vcpus, memory, disk = servers.claims(connection, each.name)
        found.append(
            Capacity(
                id=each.id,
                name=each.name,
                site=each.site,
                vcpus=each.vcpus,
                memory=each.memory >> 20,
                disk=each.disk >> 30,
                overcommit=float(placement.OVERCOMMIT),
                reserved=placement.RESERVED,
                claimed={"VCPU": vcpus, "MEMORY_MB": memory, "DISK_GB": disk},
            )
        )
    return found
