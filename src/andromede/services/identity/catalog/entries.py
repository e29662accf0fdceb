"""The catalog's content: what this cloud serves, at the addresses of the listener, and what its
operators added to that or changed of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from andromede.cloud import Cloud
from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.operation import Service
from andromede.services.identity.catalog import store
from andromede.sovereignty import admit
from andromede.sovereignty.world.model import UNDECLARED

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
MARK = re.compile(r"[$%]\((\w+)\)s")
KNOWN = ("tenant_id", "project_id", "user_id")  # what a URL may leave to be filled in

Item = dict[str, Any]


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


def own_services(context: Context) -> dict[str, Item]:
    """What this cloud serves, as rows of services by id."""
    found = {}
    for each in served(context.cloud):
        identifier = service_id(context.cloud, each)
        found[identifier] = {
            "id": identifier, "type": each.type, "name": service_name(each), "enabled": True,
            "extra": {},
        }  # fmt: skip
    return found


def own_endpoints(context: Context) -> dict[str, Item]:
    """Where it is served on this listener, as rows of endpoints by id."""
    found = {}
    for each in served(context.cloud):
        for interface in interfaces(context.listener):
            identifier = endpoint_id(context.cloud, each, interface)
            found[identifier] = {
                "id": identifier,
                "service_id": service_id(context.cloud, each),
                "interface": interface,
                "region_id": context.cloud.config.place.region,
                "url": f"{context.base_url}{each.mount}{each.catalog_path}",
                "enabled": True,
                "extra": {},
            }
    return found


def types(cloud: Cloud) -> set[str]:
    """The types of what is served."""
    return {each.type for each in served(cloud)}


def own_regions(context: Context) -> dict[str, Item]:
    """The region of this host, as a row of regions by id."""
    place = context.cloud.config.place
    described = f"Site {place.site} in {place.country}, operated by {place.operator}"
    return {
        place.region: {
            "id": place.region, "description": described, "parent_region_id": None, "extra": {},
        }
    }  # fmt: skip


# What follows from what is served, and no row changes.
FIXED = {
    store.service: ("type",),
    store.endpoint: ("service_id", "interface", "region_id", "url"),
    store.region: (),
}


def merged(own: Mapping[str, Item], rows: Mapping[str, Item], fixed: Iterable[str]) -> list[Item]:
    """What this cloud serves with what rows change of it, and then the other rows."""
    changed = [
        {**rows.get(key, item), **{name: item[name] for name in fixed}} for key, item in own.items()
    ]
    return [*changed, *(row for key, row in rows.items() if key not in own)]


def filled(url: str, values: Mapping[str, str | None]) -> str | None:
    """A URL with its marks filled in; None when one has no value here."""
    names = MARK.findall(url)
    if any(values.get(name) is None for name in names):
        return None
    return MARK.sub(lambda mark: str(values[mark[1]]), url)


def matches(endpoint: Item, filters: Mapping[str, Any]) -> bool:
    """Whether an endpoint is one that an endpoint group asks for."""
    return all(endpoint.get(name) == value for name, value in filters.items())


def catalog(
    connection: Connection, context: Context, *, user_id: str, project_id: str | None
) -> list[Item]:
    """The catalog in a token: this listener's own addresses, and those of operators' rows, as far as
    the project's policies let its data go there."""
    if not store.touched(connection):
        return _grouped(own_services(context).values(), own_endpoints(context).values())
    services = store.everything(connection, store.service)
    rows = store.everything(connection, store.endpoint)
    found = merged(own_services(context), services, FIXED[store.service])
    endpoints = [
        {**each, "url": url}
        for each in merged(own_endpoints(context), rows, FIXED[store.endpoint])
        if each["enabled"] and each["interface"] in interfaces(context.listener)
        for url in [filled(each["url"], {
            "tenant_id": project_id, "project_id": project_id, "user_id": user_id})]
        if url is not None
    ]  # fmt: skip
    wanted = [each for each in found if each["enabled"]]
    if project_id is not None:
        own = own_endpoints(context)
        endpoints = [
            each for each in endpoints
            if each["id"] in own or _admitted(connection, project_id, each)
        ]  # fmt: skip
        ids, filters = store.filters_of(connection, project_id)
        if ids or filters:
            endpoints = [
                each for each in endpoints
                if each["id"] in ids or any(matches(each, one) for one in filters)
            ]  # fmt: skip
            kept = {each["service_id"] for each in endpoints}
            wanted = [each for each in wanted if each["id"] in kept]
    return _grouped(wanted, endpoints)


def _admitted(connection: Connection, project_id: str, endpoint: Item) -> bool:
    """Whether a project's clients may be sent to an endpoint that an operator added: its data would
    go there. Where that is, the operator declares as the endpoint's `site`."""
    to = admit.Destination(site=str(endpoint["extra"].get("site") or UNDECLARED))
    subject = admit.Subject(project_id=project_id, kind="endpoint", id=endpoint["id"])
    return admit.admit(connection, "identity:catalog:show", subject, to).allowed


def _grouped(services: Iterable[Item], endpoints: Iterable[Item]) -> list[Item]:
    within: dict[str, list[Item]] = {}
    for each in endpoints:
        shown = {
            "id": each["id"], "interface": each["interface"], "region": each["region_id"],
            "region_id": each["region_id"], "url": each["url"],
        }  # fmt: skip
        within.setdefault(each["service_id"], []).append(shown)
    return [
        {
            "id": each["id"], "type": each["type"], "name": each["name"],
            "endpoints": within.get(each["id"], []),
        }
        for each in services
    ]  # fmt: skip
