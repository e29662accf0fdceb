"""Version discovery: what is served here, for anyone who asks. Source: the identity API v3."""

from __future__ import annotations

from typing import Any

import msgspec

from andromede.http.context import Context
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.identity import json_home

LATEST = "v3.14"
UPDATED = "2020-04-07T00:00:00Z"


def _version(context: Context) -> dict[str, Any]:
    return {
        "id": LATEST,
        "status": "stable",
        "updated": UPDATED,
        "links": [{"rel": "self", "href": context.url("/v3/")}],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        ],
    }


def _home(context: Context, prefix: str) -> Reply | None:
    """The JSON home document, for who asks for that in the first place."""
    asked = context.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    if asked != json_home.MEDIA_TYPE:
        return None
    body = msgspec.json.encode(json_home.document(prefix))
    return Reply(200, body, {}, media_type=json_home.MEDIA_TYPE)


def versions(context: Context) -> Reply:
    """300: the versions to choose from, with the place of the one to choose."""
    home = _home(context, "/v3")
    if home is not None:
        return home
    body = {"versions": {"values": [_version(context)]}}
    return Reply(300, body, {"Location": context.url("/v3/")})


def version(context: Context) -> Reply | dict[str, Any]:
    return _home(context, "") or {"version": _version(context)}


OPERATIONS = [
    Operation(
        method="GET", path="/", handler=versions, action="identity:version:list", allow=None,
        status=300, transaction=Transaction.NONE,
    ),
    Operation(
        method="GET", path="/v3", handler=version, action="identity:version:show", allow=None,
        transaction=Transaction.NONE,
    ),
]  # fmt: skip
