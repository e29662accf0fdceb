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


def list_versions(context: Context) -> Reply:
    return Reply(200, {"versions": [_version(context)]})


def show_version(context: Context) -> Reply:
    version = _version(context)
    version["media-types"] = [
        {
            "base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1",
        }
    ]
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
