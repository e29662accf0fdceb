"""The network service, compatible with the Networking API v2.0."""

from andromede.http.errors import network_shape
from andromede.http.operation import Service
from andromede.services.network import steps
from andromede.services.network.addressgroups import routes as addressgroups
from andromede.services.network.agents import routes as agents
from andromede.services.network.discovery import routes as discovery
from andromede.services.network.floatingips import routes as floatingips
from andromede.services.network.forwardings import routes as forwardings
from andromede.services.network.groups import routes as groups
from andromede.services.network.networks import routes as networks
from andromede.services.network.pools import routes as pools
from andromede.services.network.ports import routes as ports
from andromede.services.network.qos import routes as qos
from andromede.services.network.quota import routes as quota
from andromede.services.network.reconciliation import reconcilers
from andromede.services.network.routers import routes as routers
from andromede.services.network.routers import steps as router_steps
from andromede.services.network.rules import routes as rules
from andromede.services.network.scopes import routes as scopes
from andromede.services.network.shares import routes as shares
from andromede.services.network.subnets import routes as subnets
from andromede.services.network.tags import routes as tags
from andromede.services.network.templates import routes as templates

__all__ = ["LIFECYCLES", "SERVICE", "reconcilers"]

LIFECYCLES = [*steps.LIFECYCLES, router_steps.LIFECYCLE]
SERVICE = Service(
    name="network",
    type="network",
    mount="/network",
    error_shape=network_shape,
    operations=[
        *discovery.OPERATIONS,
        *agents.OPERATIONS,
        *networks.OPERATIONS,
        *subnets.OPERATIONS,
        *pools.OPERATIONS,
        *scopes.OPERATIONS,
        *ports.OPERATIONS,
        *routers.OPERATIONS,
        *floatingips.OPERATIONS,
        *forwardings.OPERATIONS,
        *groups.OPERATIONS,
        *rules.OPERATIONS,
        *addressgroups.OPERATIONS,
        *templates.OPERATIONS,
        *shares.OPERATIONS,
        *qos.OPERATIONS,
        *quota.OPERATIONS,
        *tags.OPERATIONS,
    ],
)
