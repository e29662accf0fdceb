"""The sovereignty API's routing table."""

from __future__ import annotations

from andromede.services.sovereignty.consent_routes import CONSENT
from andromede.services.sovereignty.evidence_routes import EVIDENCE
from andromede.services.sovereignty.log_routes import LOG
from andromede.services.sovereignty.policy_routes import POLICY
from andromede.services.sovereignty.world_routes import WORLD

OPERATIONS = [*POLICY, *CONSENT, *EVIDENCE, *LOG, *WORLD]
