"""Which hosts could take what is asked for.

Source: the placement API, allocation candidates (1.10): a list of resources in 1.10 and 1.11, an
object by provider from 1.12 on.
"""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.services.placement import hosts, wanted
from andromede.services.placement.hosts import Provider
from andromede.services.placement.versions import known, read, since
from andromede.services.placement.vocabulary import TRAITS

FILTERS = {"resources": 10, "limit": 16, "required": 17, "member_of": 21, "in_tree": 31}


def show(context: Context) -> dict[str, Any]:
    """Errors: BadRequest without resources."""
    query = known(context, FILTERS)
    if "resources" not in query:
        raise BadRequest("Invalid query string parameters: 'resources' is a required property.")
    amounts, matches = wanted.resources(query["resources"]), wanted.read(context, query)
    found = [
        each
        for each in hosts.every(context)
        if matches(each) and query.get("in_tree", each.id) == each.id
    ]
    if "limit" in query:
        if not query["limit"].isdigit() or int(query["limit"]) < 1:
            raise BadRequest("Invalid query string parameters: limit accepts a number from 1.")
        found = found[: int(query["limit"])]
    return {
        "allocation_requests": [_request(context, each, amounts) for each in found],
        "provider_summaries": {each.id: _summary(context, each, amounts) for each in found},
    }


def _request(context: Context, host: Provider, amounts: dict[str, int]) -> dict[str, Any]:
    if not since(context, 12):
        return {"allocations": [{"resource_provider": {"uuid": host.id}, "resources": amounts}]}
    shown: dict[str, Any] = {"allocations": {host.id: {"resources": amounts}}}
    if since(context, 34):
        shown["mappings"] = {"": [host.id]}
    return shown


def _summary(context: Context, host: Provider, amounts: dict[str, int]) -> dict[str, Any]:
    names = host.inventories if since(context, 27) else amounts
    shown: dict[str, Any] = {
        "resources": {
            name: {"used": host.used[name], "capacity": host.inventories[name].capacity}
            for name in names
        }
    }
    if since(context, 17):
        shown["traits"] = list(TRAITS)
    if since(context, 29):
        shown |= {"parent_provider_uuid": None, "root_provider_uuid": host.id}
    return shown


OPERATIONS = [read("/allocation_candidates", show, "allocation_candidate:list", minor=10)]
