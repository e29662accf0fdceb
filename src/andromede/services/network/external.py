"""The operator's external network, made at the cloud's first start."""

from __future__ import annotations

import ipaddress

from andromede import ids
from andromede.config import Config
from andromede.db import Connection
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.schema import DEFAULT_MTU
from andromede.services.network.ports import store as ports
from andromede.services.network.subnets import plan
from andromede.services.network.subnets import store as subnets

NAME = "public"
REQUEST = "bootstrap"


def ensure(connection: Connection, config: Config, project_id: str) -> str:
    """The external network's id; one that exists is left as its operator made it."""
    held = networks.first_external(connection)
    if held is not None:
        return held
    network_id = ids.new()
    networks.insert(
        connection,
        {
            "id": network_id,
            "project_id": project_id,
            "name": NAME,
            "description": "",
            "status": "BUILD",
            "admin_state_up": True,
            "shared": False,
            "external": True,
            "mtu": DEFAULT_MTU,
            "is_default": True,
            "port_security_enabled": True,
            "dns_domain": "",
            "zone_hints": [],
            "dhcp_mac": ports.choose_mac(connection, network_id),
        },
    )
    _subnet(connection, config, network_id, project_id)
    intents.converge(connection, intents.NETWORK, network_id, project_id, REQUEST)
    return network_id


def _subnet(connection: Connection, config: Config, network_id: str, project_id: str) -> None:
    block = ipaddress.ip_network(config.external_cidr)
    gateway = plan.default_gateway(block)
    pools = plan.default_pools(block, gateway)
    row = subnets.insert(
        connection,
        {
            "id": ids.new(),
            "project_id": project_id,
            "name": f"{NAME}-subnet",
            "description": "",
            "network_id": network_id,
            "ip_version": block.version,
            "cidr": str(block),
            "gateway_ip": gateway,
            "pools": pools,
            "enable_dhcp": False,
            "dns_nameservers": [],
            "host_routes": [],
            "ipv6_ra_mode": None,
            "ipv6_address_mode": None,
        },
    )
    addresses.open_pools(connection, row["id"], pools)
