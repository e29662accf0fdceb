"""Rows of evidence: the signed archive, the SEAL, the public page, and this API's description."""

from __future__ import annotations

from andromede.http.operation import Operation, Transaction
from andromede.services.sovereignty import described

EVIDENCE = [
    Operation(
        method="GET", path="/v1/openapi.json", handler=described.document,
        action="sovereignty:openapi:show", allow=None, transaction=Transaction.NONE,
    ),
]  # fmt: skip
