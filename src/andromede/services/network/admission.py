"""Admission once more, before something comes to be on the host for the first time: a policy may have
changed since the request was accepted. What is there already is a matter of findings."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.network.common.store import Row
from andromede.sovereignty import admit
from andromede.work import Step
from andromede.work.lifecycle import PermanentError


def require(step: Step, connection: Connection, kind: str, row: Row | None) -> None:
    """Refuse to place a resource of a project where its policies do not let it be: a server's port at
    that server's site, anything else at the cloud's own.

    Errors: PermanentError with the rule, which shows as the status ERROR.
    """
    if row is None or not row["project_id"]:
        return
    subject = admit.Subject(project_id=row["project_id"], kind=kind, id=row["id"])
    to = admit.Destination(site=row.get("site") or step.world.cloud.config.place.site)
    decision = admit.admit(connection, f"network:{kind}:create", subject, to)
    if not decision.allowed:
        raise PermanentError(decision.reason)
