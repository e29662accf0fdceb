"""Where compute says which versions it serves; asks for no token and reads no database."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.microversion import text
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.compute.versions import MICROVERSIONS, Conversion


def _version(context: Context) -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": text(MICROVERSIONS.latest),
        "min_version": text(MICROVERSIONS.lowest),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": context.url("/v2.1/")}],
    }


def _former(context: Context) -> dict[str, Any]:
    """The API without microversions, which is 2.1 by another path."""
    return {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
        "links": [{"rel": "self", "href": context.url("/v2/")}],
    }


def list_versions(context: Context) -> Reply:
    return Reply(200, {"versions": [_former(context), _version(context)]})


def show_version(context: Context) -> Reply:
    former = context.path.strip("/") == "v2"
    version, number = (_former(context), "2") if former else (_version(context), "2.1")
    media = f"application/vnd.openstack.compute+json;version={number}"
    version["media-types"] = [{"base": "application/json", "type": media}]
    return Reply(200, {"version": version})


OPERATIONS = [
    Operation(
        method="GET",
        path="/",
        handler=list_versions,
        action="compute:version:list",
        allow=None,
        transaction=Transaction.NONE,
    ),
    Operation(
        method="GET",
        path="/v2.1",
        handler=show_version,
        action="compute:version:show",
        allow=None,
        transaction=Transaction.NONE,
    ),
]
CONVERSIONS: list[Conversion] = []
