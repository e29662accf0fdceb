"""The hosts of this cloud as providers of resources. Reads what compute tells of them."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.services.compute import api as compute

SPACE = uuid.UUID("0a1d3c5e-7f92-4b64-8d06-1c3e5a7b9d2f")


class Inventory(Struct, frozen=True, kw_only=True):
    """How much there is of one resource, and in which portions it is given."""

    total: int
    allocation_ratio: float = 1.0
    reserved: int = 0
    min_unit: int = 1
    max_unit: int
    step_size: int = 1

    @property
    def capacity(self) -> int:
        return int((self.total - self.reserved) * self.allocation_ratio)


class Provider(Struct, frozen=True, kw_only=True):
    """A host: what it has and what servers claim of it."""

    id: str
    name: str
    site: str
    inventories: Mapping[str, Inventory]
    used: Mapping[str, int]

    @property
    def generation(self) -> int:
        """Changes whenever the rest does."""
        told = [(each.total, self.used[name]) for name, each in self.inventories.items()]
        return zlib.crc32(repr(told).encode())

    @property
    def aggregate(self) -> str:
        """Hosts of one site are an aggregate."""
        return str(uuid.uuid5(SPACE, self.site))

    def room(self, wanted: Mapping[str, int]) -> bool:
        """Whether so much of each resource is free."""
        return all(
            name in self.inventories
            and self.used[name] + amount <= self.inventories[name].capacity
            and amount <= self.inventories[name].max_unit
            for name, amount in wanted.items()
        )


def every(context: Context) -> list[Provider]:
    """All hosts, in a stable order."""
    return [
        Provider(
            id=each.id,
            name=each.name,
            site=each.site,
            inventories={
                "VCPU": Inventory(
                    total=each.vcpus, max_unit=each.vcpus, allocation_ratio=each.overcommit
                ),
                "MEMORY_MB": Inventory(
                    total=each.memory, max_unit=each.memory, reserved=each.reserved
                ),
                "DISK_GB": Inventory(total=each.disk, max_unit=each.disk),
            },
            used=each.claimed,
        )
        for each in compute.capacities(context.conn)
    ]


def one(context: Context) -> Provider:
    """The host of the path.

    Errors: NotFound.
    """
    wanted = context.params["id"]
    for each in every(context):
        if each.id == wanted:
            return each
    raise NotFound(f"No resource provider with uuid {wanted} found.")
