"""What the rest of the cloud may ask of compute."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.flavors import seeds, store
from andromede.services.compute.servers.audit import audit
from andromede.services.compute.servers.reach import reach
from andromede.services.compute.servers.store import placements

__all__ = ["audit", "bootstrap", "placements", "reach"]


def bootstrap(connection: Connection) -> None:
    """Have the flavors a new cloud offers; running it again changes nothing."""
    store.seed(connection, seeds.rows())
