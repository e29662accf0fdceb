"""Rows of the transparency log: what customers read of it, and what everybody may."""

from __future__ import annotations

from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_READER
from andromede.http.operation import Operation, Transaction
from andromede.services.sovereignty import log, log_proofs, log_public, log_retention, witnesses
from andromede.sovereignty.log.bundle import Bundle, Link

TILES = [
    Operation(
        method="GET", path="/v1/log/tile/{level}" + "".join(f"/{{n{at}}}" for at in range(depth)),
        handler=log_public.tile, action="sovereignty:tile:show", allow=None,
    )
    for depth in range(1, log_public.DEEPEST + 1)
]  # fmt: skip

LOG = [
    Operation(
        method="GET", path="/v1/log/leaves", handler=log.leaves, action="sovereignty:leaf:list",
        allow=PROJECT_READER, answer=log.LeafList,
    ),
    Operation(
        method="GET", path="/v1/log/inclusion", handler=log_proofs.inclusion,
        action="sovereignty:inclusion:show", allow=PROJECT_READER, answer=log_proofs.Inclusion,
    ),
    Operation(
        method="GET", path="/v1/log/bundle", handler=log_proofs.bundle,
        action="sovereignty:bundle:show", allow=PROJECT_READER, answer=Bundle,
        transaction=Transaction.OWN,
    ),
    Operation(
        method="GET", path="/v1/log/checkpoint", handler=log_public.checkpoint,
        action="sovereignty:checkpoint:show", allow=None,
    ),
    Operation(
        method="GET", path="/v1/log/consistency", handler=log_public.consistency,
        action="sovereignty:consistency:show", allow=None, answer=Link,
    ),
    Operation(
        method="GET", path="/v1/log/keys", handler=log_public.keys,
        action="sovereignty:log_key:show", allow=None, answer=log_public.Keys,
        transaction=Transaction.OWN,
    ),
    *TILES,
    Operation(
        method="POST", path="/v1/log/purge", handler=log_retention.purge,
        action="sovereignty:log:purge", allow=ADMIN, body=log_retention.PurgeBody,
        answer=log_retention.Purged,
    ),
    Operation(
        method="GET", path="/v1/witnesses", handler=witnesses.index,
        action="sovereignty:witness:list", allow=AUTHENTICATED, answer=witnesses.WitnessList,
    ),
    Operation(
        method="PUT", path="/v1/witnesses/{name}", handler=witnesses.put,
        action="sovereignty:witness:replace", allow=ADMIN, body=witnesses.WitnessBody,
        answer=witnesses.WitnessView,
    ),
    Operation(
        method="DELETE", path="/v1/witnesses/{name}", handler=witnesses.delete,
        action="sovereignty:witness:delete", allow=ADMIN, status=204,
    ),
    Operation(
        method="GET", path="/v1/witness/logs", handler=witnesses.logs,
        action="sovereignty:witnessed_log:list", allow=AUTHENTICATED,
        answer=witnesses.WitnessedList,
    ),
    Operation(
        method="GET", path="/v1/witness/logs/{origin}", handler=witnesses.show_log,
        action="sovereignty:witnessed_log:show", allow=AUTHENTICATED,
        answer=witnesses.WitnessedLog,
    ),
    Operation(
        method="PUT", path="/v1/witness/logs/{origin}", handler=witnesses.put_log,
        action="sovereignty:witnessed_log:replace", allow=ADMIN, body=witnesses.LogBody,
        answer=witnesses.WitnessedLog,
    ),
    Operation(
        method="DELETE", path="/v1/witness/logs/{origin}", handler=witnesses.delete_log,
        action="sovereignty:witnessed_log:delete", allow=ADMIN, status=204,
    ),
]  # fmt: skip
