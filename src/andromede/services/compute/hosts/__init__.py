"""The hosts that run servers, as operators see them: hypervisors, services, zones, aggregates."""

from andromede.services.compute.hosts import hypervisors, services, zones
from andromede.services.compute.hosts.record import recorder
from andromede.services.compute.versions import Conversion

OPERATIONS = [*hypervisors.OPERATIONS, *services.OPERATIONS, *zones.OPERATIONS]
CONVERSIONS: list[Conversion] = [*hypervisors.CONVERSIONS, *services.CONVERSIONS]

__all__ = ["CONVERSIONS", "OPERATIONS", "recorder"]
