"""The hosts that run servers, as operators see them: hypervisors, services, zones, aggregates."""

from andromede.services.compute.hosts import audits, hypervisors, machines, services, zones
from andromede.services.compute.hosts.aggregates import routes as aggregates
from andromede.services.compute.hosts.record import recorder
from andromede.services.compute.versions import Conversion

NOUNS = (hypervisors, services, zones, aggregates, machines, audits)
OPERATIONS = [operation for noun in NOUNS for operation in noun.OPERATIONS]
CONVERSIONS: list[Conversion] = [
    *hypervisors.CONVERSIONS,
    *services.CONVERSIONS,
    *aggregates.CONVERSIONS,
]

__all__ = ["CONVERSIONS", "OPERATIONS", "recorder"]
