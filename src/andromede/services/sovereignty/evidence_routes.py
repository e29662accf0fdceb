"""Rows of evidence: the signed archive, the SEAL, the public page, and this API's description."""

from __future__ import annotations

from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_READER
from andromede.http.operation import Operation, Transaction
from andromede.services.sovereignty import described, evidence
from andromede.services.sovereignty.evidence_schema import PublicBody, SealAnswerBody, SealBody

EVIDENCE = [
    Operation(
        method="GET", path="/v1/openapi.json", handler=described.document,
        action="sovereignty:openapi:show", allow=None, transaction=Transaction.NONE,
    ),
    Operation(
        method="GET", path="/v1/evidence/{id}", handler=evidence.archive,
        action="sovereignty:evidence:show", allow=PROJECT_READER, transaction=Transaction.NONE,
    ),
    Operation(
        method="GET", path="/v1/seal", handler=evidence.show_seal, answer=SealBody,
        action="sovereignty:seal:show", allow=AUTHENTICATED,
    ),
    Operation(
        method="PUT", path="/v1/seal/{id}", handler=evidence.answer_seal, body=SealAnswerBody,
        answer=SealBody, action="sovereignty:seal:answer", allow=ADMIN,
    ),
    Operation(
        method="DELETE", path="/v1/seal/{id}", handler=evidence.withdraw_seal,
        action="sovereignty:seal:withdraw", allow=ADMIN, status=204,
    ),
    Operation(
        method="GET", path="/public", handler=evidence.show_public, answer=PublicBody,
        action="sovereignty:public:show", allow=None,
    ),
]  # fmt: skip
