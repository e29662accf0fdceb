"""Rows of the declared world, and of what follows from it."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, AUTHENTICATED
from andromede.http.operation import Operation, Transaction
from andromede.services.sovereignty import computed, declared
from andromede.services.sovereignty import world_schema as schema


def _reads(noun: str, many: Any, one: Any) -> list[Operation]:
    single = declared.SINGULAR[noun]
    return [
        Operation(
            method="GET", path=f"/v1/{noun}", handler=declared.listing(noun), answer=many,
            action=f"sovereignty:{single}:list", allow=AUTHENTICATED,
        ),
        Operation(
            method="GET", path=f"/v1/{noun}/{{id}}", handler=declared.showing(noun), answer=one,
            action=f"sovereignty:{single}:show", allow=AUTHENTICATED,
        ),
        Operation(
            method="DELETE", path=f"/v1/{noun}/{{id}}", handler=declared.deleting(noun),
            action=f"sovereignty:{single}:delete", allow=ADMIN, status=204,
        ),
    ]  # fmt: skip


def _put(noun: str, body: Any) -> Operation:
    return Operation(
        method="PUT", path=f"/v1/{noun}/{{id}}", handler=declared.putting(noun), body=body,
        answer=body, action=f"sovereignty:{declared.SINGULAR[noun]}:declare", allow=ADMIN,
    )  # fmt: skip


WORLD: list[Operation] = [
    *_reads("sites", schema.Sites, schema.SiteBody),
    _put("sites", schema.SiteBody),
    *_reads("entities", schema.Entities, schema.EntityBody),
    _put("entities", schema.EntityBody),
    *_reads("contracts", schema.Contracts, schema.ContractBody),
    _put("contracts", schema.ContractBody),
    *_reads("holdings", schema.Holdings, schema.HoldingBody),
    Operation(
        method="POST", path="/v1/holdings", handler=declared.add_holding, body=schema.HoldingBody,
        answer=schema.HoldingBody, action="sovereignty:holding:declare", allow=ADMIN, status=201,
    ),
    Operation(
        method="PATCH", path="/v1/holdings/{id}", handler=declared.end_holding,
        body=schema.EndBody, answer=schema.HoldingBody, action="sovereignty:holding:end",
        allow=ADMIN,
    ),
    Operation(
        method="GET", path="/v1/world", handler=declared.show_world, answer=schema.WorldBody,
        action="sovereignty:world:show", allow=AUTHENTICATED,
    ),
    Operation(
        method="PUT", path="/v1/world", handler=declared.replace_world, body=schema.WorldBody,
        answer=schema.WorldBody, action="sovereignty:world:declare", allow=ADMIN,
    ),
    Operation(
        method="GET", path="/v1/laws", handler=computed.list_laws, answer=schema.Laws,
        action="sovereignty:law:list", allow=AUTHENTICATED,
    ),
    Operation(
        method="GET", path="/v1/entities/{id}/ownership", handler=computed.ownership,
        transaction=Transaction.NONE,
        answer=schema.OwnershipBody, action="sovereignty:ownership:show", allow=AUTHENTICATED,
    ),
    Operation(
        method="GET", path="/v1/entities/{id}/exposures", handler=computed.entity_exposures,
        transaction=Transaction.NONE,
        answer=schema.Exposures, action="sovereignty:entity_exposure:list", allow=AUTHENTICATED,
    ),
    Operation(
        method="GET", path="/v1/sites/{id}/exposures", handler=computed.site_exposures,
        transaction=Transaction.NONE,
        answer=schema.Exposures, action="sovereignty:site_exposure:list", allow=AUTHENTICATED,
    ),
]  # fmt: skip
