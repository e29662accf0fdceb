"""Servers: the machines customers make, what they show of themselves, and their lives."""

from andromede.services.compute.servers import attached, diagnostics, events, routes, secret
from andromede.services.compute.servers.actions import interfaces
from andromede.services.compute.servers.actions import routes as actions
from andromede.services.compute.servers.actions import versions as actions_versions
from andromede.services.compute.servers.consoles import routes as consoles
from andromede.services.compute.servers.consoles import versions as consoles_versions
from andromede.services.compute.servers.groups import routes as groups
from andromede.services.compute.servers.groups import versions as groups_versions
from andromede.services.compute.servers.history import routes as history
from andromede.services.compute.servers.history import versions as history_versions
from andromede.services.compute.servers.moves import routes as moves
from andromede.services.compute.servers.properties import metadata, tags
from andromede.services.compute.servers.reconcile import reconcilers
from andromede.services.compute.servers.steps import LIFECYCLE, cards
from andromede.services.compute.servers.usage import routes as usage
from andromede.services.compute.servers.versions import CONVERSIONS as SERVER_CONVERSIONS

OPERATIONS = [
    *routes.OPERATIONS,
    *actions.OPERATIONS,
    *consoles.OPERATIONS,
    *metadata.OPERATIONS,
    *tags.OPERATIONS,
    *attached.OPERATIONS,
    *interfaces.OPERATIONS,
    *history.OPERATIONS,
    *groups.OPERATIONS,
    *secret.OPERATIONS,
    *events.OPERATIONS,
    *moves.OPERATIONS,
    *usage.OPERATIONS,
    *diagnostics.OPERATIONS,
]
CONVERSIONS = [
    *SERVER_CONVERSIONS,
    *history_versions.CONVERSIONS,
    *attached.CONVERSIONS,
    *groups_versions.CONVERSIONS,
    *actions_versions.CONVERSIONS,
    *diagnostics.CONVERSIONS,
    *consoles_versions.CONVERSIONS,
    *moves.CONVERSIONS,
]

LIFECYCLES = [LIFECYCLE, cards.LIFECYCLE]

__all__ = ["CONVERSIONS", "LIFECYCLES", "OPERATIONS", "reconcilers"]
