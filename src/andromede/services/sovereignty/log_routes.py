"""Rows of the transparency log: what customers read of it, and what everybody may."""

from __future__ import annotations

from andromede.http.access import PROJECT_READER
from andromede.http.operation import Operation
from andromede.services.sovereignty import log

LOG = [
    Operation(
        method="GET", path="/v1/log/leaves", handler=log.leaves, action="sovereignty:leaf:list",
        allow=PROJECT_READER, answer=log.LeafList,
    ),
    Operation(
        method="GET", path="/v1/log/checkpoint", handler=log.checkpoint,
        action="sovereignty:checkpoint:show", allow=None,
    ),
]  # fmt: skip
