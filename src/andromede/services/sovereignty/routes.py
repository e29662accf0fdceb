"""The sovereignty API's routing table."""

from __future__ import annotations

from andromede.http.access import ADMIN, PROJECT_READER
from andromede.http.operation import Operation
from andromede.services.sovereignty import policy
from andromede.services.sovereignty.consent_routes import CONSENT
from andromede.services.sovereignty.log_routes import LOG
from andromede.services.sovereignty.schema import PolicyBody
from andromede.services.sovereignty.world_routes import WORLD

POLICY = "/v1/projects/{id}/policy"

OPERATIONS = [
    Operation(
        method="GET", path=POLICY, handler=policy.show, action="sovereignty:policy:show",
        allow=PROJECT_READER,
    ),
    Operation(
        method="PUT", path=POLICY, handler=policy.replace, action="sovereignty:policy:replace",
        allow=ADMIN, body=PolicyBody,
    ),
    Operation(
        method="DELETE", path=POLICY, handler=policy.delete, action="sovereignty:policy:delete",
        allow=ADMIN, status=204,
    ),
    *CONSENT,
    *LOG,
    *WORLD,
]  # fmt: skip
