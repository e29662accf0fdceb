"""The catalog's content: names, ids and URLs of services, endpoints and the region."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from andromede.cloud import Cloud
from andromede.http.context import Context
from andromede.http.operation import Service

NAMES = {  # the project names that clients expect beside each type
    "identity": "keystone",
    "compute": "nova",
    "image": "glance",
    "network": "neutron",
    "placement": "placement",
    "block-storage": "cinder",
    "volumev3": "cinder",
    "key-manager": "barbican",
    "object-store": "swift",
    "load-balancer": "octavia",
    "dns": "designate",
}
SPACE = uuid.UUID("6f9a4c3e-5b0d-4a6e-9f43-3d9c2b8a1e57")


def service_name(service: Service) -> str:
    return NAMES.get(service.type, service.name)


def service_id(cloud: Cloud, service: Service) -> str:
    """The same for a service in every process of one cloud."""
    return uuid.uuid5(SPACE, f"{cloud.config.short}/{service.type}").hex


def endpoint_id(cloud: Cloud, service: Service, interface: str) -> str:
    return uuid.uuid5(SPACE, f"{cloud.config.short}/{service.type}/{interface}").hex


def interfaces(listener: str) -> tuple[str, ...]:
    """The interfaces a listener serves; admin is the private one's."""
    return ("public", "internal") if listener == "public" else ("public", "internal", "admin")


def served(cloud: Cloud) -> Iterator[Service]:
    """The services that have a place in the catalog, in its order."""
    return (each for each in cloud.catalog if each.type)


def endpoint_url(context: Context, service: Service) -> str:
    return f"{context.base_url}{service.mount}{service.catalog_path}"


def catalog(context: Context) -> list[dict[str, Any]]:
    """The catalog in a token: this listener's own addresses."""
    cloud = context.cloud
    region = cloud.config.place.region
    return [
        {
            "id": service_id(cloud, service),
            "type": service.type,
            "name": service_name(service),
            "endpoints": [
                {
                    "id": endpoint_id(cloud, service, interface),
                    "interface": interface,
                    "region": region,
                    "region_id": region,
                    "url": endpoint_url(context, service),
                }
                for interface in interfaces(context.listener)
            ],
        }
        for service in served(cloud)
    ]
