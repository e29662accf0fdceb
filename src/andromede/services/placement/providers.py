"""Resource providers over HTTP: each host, what it has, what is claimed of it and by whom.

Source: the placement API reference.
"""

from __future__ import annotations

from typing import Any

import msgspec

from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.services.compute import api as compute
from andromede.services.placement import hosts, wanted
from andromede.services.placement.hosts import Provider
from andromede.services.placement.versions import known, link, read, since
from andromede.services.placement.vocabulary import TRAITS

# The links of a provider, by the minor version they came with.
LINKS = {"inventories": 0, "usages": 0, "aggregates": 1, "traits": 6, "allocations": 11}
FILTERS = {"name": 0, "uuid": 0, "member_of": 3, "resources": 4, "in_tree": 14, "required": 18}


def list_providers(context: Context) -> dict[str, Any]:
    query = known(context, FILTERS)
    matches = wanted.read(context, query)
    found = [
        each
        for each in hosts.every(context)
        if query.get("name", each.name) == each.name
        and query.get("uuid", each.id) == each.id
        and query.get("in_tree", each.id) == each.id
        and matches(each)
    ]
    return {"resource_providers": [_view(context, each) for each in found]}


def show(context: Context) -> dict[str, Any]:
    return _view(context, hosts.one(context))


def _view(context: Context, host: Provider) -> dict[str, Any]:
    base = f"/resource_providers/{host.id}"
    shown: dict[str, Any] = {
        "uuid": host.id,
        "name": host.name,
        "generation": host.generation,
        "links": [
            {"rel": "self", "href": link(context, base)},
            *(
                {"rel": name, "href": link(context, f"{base}/{name}")}
                for name, minor in LINKS.items()
                if since(context, minor)
            ),
        ],
    }
    if since(context, 14):
        shown |= {"parent_provider_uuid": None, "root_provider_uuid": host.id}
    return shown


def inventories(context: Context) -> dict[str, Any]:
    host = hosts.one(context)
    return {
        "inventories": {
            name: msgspec.structs.asdict(each) for name, each in host.inventories.items()
        },
        "resource_provider_generation": host.generation,
    }


def inventory(context: Context) -> dict[str, Any]:
    host, name = hosts.one(context), context.params["name"]
    if name not in host.inventories:
        raise NotFound(f"No inventory of class {name} for {host.id} found.")
    shown = msgspec.structs.asdict(host.inventories[name])
    return {**shown, "resource_provider_generation": host.generation}


def usages(context: Context) -> dict[str, Any]:
    host = hosts.one(context)
    return {"usages": host.used, "resource_provider_generation": host.generation}


def aggregates(context: Context) -> dict[str, Any]:
    host = hosts.one(context)
    shown: dict[str, Any] = {"aggregates": [host.aggregate]}
    if since(context, 19):
        shown["resource_provider_generation"] = host.generation
    return shown


def traits(context: Context) -> dict[str, Any]:
    host = hosts.one(context)
    return {"traits": list(TRAITS), "resource_provider_generation": host.generation}


def allocations(context: Context) -> dict[str, Any]:
    """What each server on the host claims."""
    host = hosts.one(context)
    return {
        "allocations": {
            each.id: {
                "resources": each.resources,
                **({"consumer_generation": 1} if since(context, 28) else {}),
            }
            for each in compute.claimants(context.conn, host.name)
        },
        "resource_provider_generation": host.generation,
    }


ONE = "/resource_providers/{id}"
OPERATIONS = [
    read("/resource_providers", list_providers, "resource_provider:list"),
    read(ONE, show, "resource_provider:show"),
    read(f"{ONE}/inventories", inventories, "inventory:list"),
    read(f"{ONE}/inventories/{{name}}", inventory, "inventory:show"),
    read(f"{ONE}/usages", usages, "usage:show"),
    read(f"{ONE}/allocations", allocations, "allocation:list"),
    read(f"{ONE}/aggregates", aggregates, "aggregate:list", minor=1),
    read(f"{ONE}/traits", traits, "resource_provider_trait:list", minor=6),
]
