"""When a consent holds: its kinds, its life, and whom and what it covers.

A consent is asked for or given once, and ends once: what was refused, revoked or has run out never
holds again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from andromede import clock
from andromede.db import Connection
from andromede.http.access import Caller
from andromede.http.errors import BadRequest
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.consent import customers, store
from andromede.sovereignty.consent.settings import settings
from andromede.sovereignty.policy.store import effective

DAY = 24 * 3600  # seconds
LONGEST = 30 * DAY
LONGEST_EMERGENCY = 4 * 3600
LAPSES = 7 * DAY  # a request that nobody answers
EMERGENCY_LAPSES = 3600  # an emergency that no second operator approves


RULE = "operator_access"


class Kind(StrEnum):
    """What of a customer's a consent opens."""

    CONSOLE = "console"
    OUTPUT = "output"
    DISK = "disk"
    USER_DATA = "user_data"
    PASSWORD = "password"  # noqa: S105 (a kind of access)
    SNAPSHOT = "snapshot"
    EXPORT = "export"
    ACCESS = "access"  # a way into the project for a user: a role, a password, a credential


class Status(StrEnum):
    """Where a consent stands; only `active` opens anything."""

    REQUESTED = "requested"
    LAPSED = "lapsed"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    REFUSED = "refused"
    REVOKED = "revoked"


def status(row: Any, now: int | None = None) -> Status:
    """Where a consent stands at a moment."""
    moment = clock.now() if now is None else now
    if row["ended_as"] is not None:
        return Status(row["ended_as"])
    if row["until"] is None:
        lapses = EMERGENCY_LAPSES if row["emergency"] else LAPSES
        lapsed = moment >= row["created_at"] + lapses * clock.SECOND
        return Status.LAPSED if lapsed else Status.REQUESTED
    if moment >= row["until"]:
        return Status.EXPIRED
    return Status.ACTIVE if moment >= row["since"] else Status.SCHEDULED


def covers(row: Any, user_id: str, kind: str, resource: str) -> bool:
    """Whether a consent, if it is in force, lets the user see this."""
    return (
        kind in row["kinds"]
        and row["operator"] in (None, user_id)
        and row["resource"] in (None, resource)
    )


def found(
    connection: Connection, user_id: str, kind: str, project_id: str, resource: str
) -> str | None:
    """The id of a consent in force that lets the user see this, or None."""
    for row in store.active(connection, project_id):
        if covers(row, user_id, kind, resource):
            return str(row["id"])
    return None


def operator(caller: Caller) -> bool:
    """Whether the caller comes as an operator."""
    return caller.admin or caller.system


def stranger(connection: Connection, caller: Caller, project_id: str) -> bool:
    """Whether the caller comes as an operator to a project that is not its own, or not its alone: one
    that it shares with customers is theirs."""
    if not operator(caller):
        return False
    return caller.project_id != project_id or customers.known(connection, project_id)


def needed(connection: Connection, project_id: str) -> bool:
    """Whether the policies in force ask operators for the project's consent."""
    return settings(connection, project_id).operator_access != "open"


def where(connection: Connection, project_id: str) -> str:
    """Where it was set whether operators need the project's consent."""
    return effective(connection, project_id).where(RULE).en


def refusal(connection: Connection, kind: str, project_id: str, resource: str) -> Refused:
    """The 403 that says how access is had."""
    set_at = where(connection, project_id)
    act = f"see the {kind.replace('_', ' ')} of {resource}"
    if kind == Kind.ACCESS:
        act = f"open {resource}"
    return Refused(
        Decision(
            allowed=False,
            rule=RULE,
            set_at=set_at,
            accepted=("consent", "emergency"),
            reason=(
                f"Operators {act} only with the consent of project {project_id}, and none is in "
                f"force (rule {RULE}, set by {set_at}). "
                f"Accepted: a consent of the project for {kind!r}, asked for with POST "
                f"/sovereignty/v1/consents; in an emergency one that two operators open with POST "
                f"/sovereignty/v1/emergencies."
            ),
        )
    )


def span(seconds: int, longest: int) -> int:
    """A duration, within what is allowed.

    Errors: BadRequest.
    """
    if not 0 < seconds <= longest:
        raise BadRequest(f"seconds is {seconds}: 1 to {longest} is accepted.")
    return seconds
