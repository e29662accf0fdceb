"""Rows of policies, findings, notices and plans."""

from __future__ import annotations

from functools import partial
from typing import Any

from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_READER
from andromede.http.operation import Operation
from andromede.services.sovereignty import affiliations, findings, notices, plans, policy
from andromede.services.sovereignty.schema import (
    Affiliation,
    AffiliationBody,
    AffiliationList,
    EffectivePolicy,
    Finding,
    FindingList,
    Notice,
    NoticeList,
    Plan,
    PolicyBody,
    PolicyList,
    ScopedPolicy,
)

ROOT = "/v1/policies"


def _scope(path: str, scope_of: Any, write: Any) -> list[Operation]:
    """Reading, replacing and removing the policy of one kind of scope."""
    action = "sovereignty:policy"
    return [
        Operation(
            method="GET", path=path, handler=partial(policy.show, scope_of=scope_of),
            action=f"{action}:show", allow=AUTHENTICATED, answer=ScopedPolicy,
        ),
        Operation(
            method="PUT", path=path, handler=partial(policy.replace, scope_of=scope_of),
            action=f"{action}:replace", allow=write, body=PolicyBody, answer=ScopedPolicy,
        ),
        Operation(
            method="DELETE", path=path, handler=partial(policy.delete, scope_of=scope_of),
            action=f"{action}:delete", allow=write, status=204,
        ),
    ]  # fmt: skip


POLICY = [
    Operation(
        method="GET", path=ROOT, handler=policy.index, action="sovereignty:policy:list",
        allow=ADMIN, answer=PolicyList,
    ),
    *_scope(f"{ROOT}/cloud", policy.cloud, ADMIN),
    *_scope(f"{ROOT}/domains/{{id}}", policy.domain, AUTHENTICATED),
    *_scope(f"{ROOT}/projects/{{id}}", policy.project, AUTHENTICATED),
    Operation(
        method="GET", path=f"{ROOT}/projects/{{id}}/effective", handler=policy.effective,
        action="sovereignty:policy:effective", allow=AUTHENTICATED, answer=EffectivePolicy,
    ),
    Operation(
        method="GET", path="/v1/affiliations", handler=affiliations.index,
        action="sovereignty:affiliation:list", allow=ADMIN, answer=AffiliationList,
    ),
    Operation(
        method="PUT", path="/v1/affiliations/{id}", handler=affiliations.replace,
        action="sovereignty:affiliation:replace", allow=ADMIN, body=AffiliationBody,
        answer=Affiliation, places="share",
    ),
    Operation(
        method="DELETE", path="/v1/affiliations/{id}", handler=affiliations.delete,
        action="sovereignty:affiliation:delete", allow=ADMIN, status=204,
    ),
    Operation(
        method="GET", path="/v1/findings", handler=findings.index,
        action="sovereignty:finding:list", allow=PROJECT_READER, answer=FindingList,
    ),
    Operation(
        method="GET", path="/v1/findings/{id}", handler=findings.show,
        action="sovereignty:finding:show", allow=PROJECT_READER, answer=Finding,
    ),
    Operation(
        method="GET", path="/v1/plans/{id}", handler=plans.show, action="sovereignty:plan:show",
        allow=PROJECT_READER, answer=Plan,
    ),
    Operation(
        method="GET", path="/v1/notices", handler=notices.index,
        action="sovereignty:notice:list", allow=PROJECT_READER, answer=NoticeList,
    ),
    Operation(
        method="PUT", path="/v1/notices/{id}/read", handler=notices.read,
        action="sovereignty:notice:read", allow=PROJECT_READER, answer=Notice,
    ),
]  # fmt: skip
