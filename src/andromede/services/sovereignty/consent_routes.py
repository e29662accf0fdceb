"""The rows of consents and emergencies."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_READER, Rule
from andromede.http.operation import Operation
from andromede.services.sovereignty.consent import consents, emergencies, reports
from andromede.services.sovereignty.consent.schema import (
    ConsentAnswer,
    ConsentsAnswer,
    CountAnswer,
    EmergenciesAnswer,
    EmergencyAnswer,
    GrantBody,
    NewConsentBody,
    NewEmergencyBody,
    ReachAnswer,
    UserAnswer,
)


def _row(
    method: str, path: str, handler: Any, action: str, allow: Rule | None, **more: Any
) -> Operation:
    return Operation(
        method=method, path=f"/v1{path}", handler=handler, action=f"sovereignty:{action}",
        allow=allow, **more,
    )  # fmt: skip


ONE, EMERGENCY = "/consents/{id}", "/emergencies/{id}"
CONSENT = [
    _row("GET", "/consents", consents.index, "consent:list", AUTHENTICATED, answer=ConsentsAnswer),
    _row("POST", "/consents", consents.create, "consent:create", AUTHENTICATED,
         body=NewConsentBody, status=201, answer=ConsentAnswer),
    _row("GET", ONE, consents.show, "consent:show", AUTHENTICATED, answer=ConsentAnswer),
    _row("POST", f"{ONE}/grant", consents.grant, "consent:grant", AUTHENTICATED,
         body=GrantBody, optional_body=True, answer=ConsentAnswer),
    _row("POST", f"{ONE}/refuse", consents.refuse, "consent:refuse", AUTHENTICATED,
         answer=ConsentAnswer),
    _row("POST", f"{ONE}/revoke", consents.revoke, "consent:revoke", AUTHENTICATED,
         answer=ConsentAnswer),
    _row("GET", "/emergencies", emergencies.index, "emergency:list", AUTHENTICATED,
         answer=EmergenciesAnswer),
    _row("POST", "/emergencies", emergencies.create, "emergency:create", ADMIN,
         body=NewEmergencyBody, status=201, answer=EmergencyAnswer),
    _row("GET", "/emergencies/count", emergencies.count, "emergency:count", None,
         answer=CountAnswer),
    _row("POST", f"{EMERGENCY}/approve", emergencies.approve, "emergency:approve", ADMIN,
         answer=EmergencyAnswer),
    _row("POST", f"{EMERGENCY}/close", emergencies.close, "emergency:close", ADMIN,
         answer=EmergencyAnswer),
    _row("GET", "/reports/reach", reports.reach, "report:reach", PROJECT_READER,
         answer=ReachAnswer),
    _row("GET", "/reports/user/{id}", reports.user, "report:user", AUTHENTICATED,
         answer=UserAnswer),
]  # fmt: skip
