"""The network service, compatible with the Networking API v2.0."""

from andromede.http.errors import network_shape
from andromede.http.operation import Service
from andromede.services.network.networks import routes as networks
from andromede.services.network.ports import routes as ports
from andromede.services.network.steps import LIFECYCLES
from andromede.services.network.subnets import routes as subnets

__all__ = ["LIFECYCLES", "SERVICE"]

SERVICE = Service(
    name="network",
    type="network",
    mount="/network",
    error_shape=network_shape,
    operations=[*networks.OPERATIONS, *subnets.OPERATIONS, *ports.OPERATIONS],
)
