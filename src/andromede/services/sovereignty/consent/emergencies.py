"""Handlers of emergencies: access without the customer's leave, by two operators and for hours,
told to the customer at once and counted in public."""

from __future__ import annotations

from andromede import clock, ids
from andromede.http.context import Context
from andromede.http.errors import Conflict, Forbidden, NotFound
from andromede.services.identity import api as identity
from andromede.services.sovereignty.consent import consents, telling, views
from andromede.services.sovereignty.consent.schema import (
    CountAnswer,
    EmergenciesAnswer,
    EmergencyAnswer,
    NewEmergencyBody,
)
from andromede.sovereignty.consent import rules, store
from andromede.sovereignty.consent.rules import Status

PATH = "/v1/emergencies"


def index(context: Context) -> EmergenciesAnswer:
    """Every emergency; a project sees its own."""
    caller = context.caller
    wanted = context.first("project_id")
    if not (caller.admin or caller.system):
        if wanted not in (None, caller.project_id):
            raise Forbidden(f"The emergencies of project {wanted} are for it and for operators.")
        wanted = caller.project_id
    found, links = views.page(context, PATH, wanted, True)
    return EmergenciesAnswer(found, links)


def _find(context: Context) -> store.Row:
    row = consents.find(context)
    if not row["emergency"]:
        raise NotFound(f"Emergency {row['id']} could not be found.")
    context.concerns(row["id"], row["project_id"])
    return row


def _answer(context: Context, emergency_id: str) -> EmergencyAnswer:
    return EmergencyAnswer(consents.answer(context, emergency_id).consent)


def create(context: Context) -> EmergencyAnswer:
    """Call for access; nothing opens until another operator approves."""
    body: NewEmergencyBody = context.body
    asked, caller = body.emergency, context.caller
    seconds = rules.span(asked.seconds, rules.LONGEST_EMERGENCY)
    if identity.project(context.conn, asked.project_id) is None:
        raise NotFound(f"Project {asked.project_id} could not be found.")
    row = {
        "id": ids.new(), "project_id": asked.project_id, "operator": caller.user_id,
        "kinds": sorted(set(asked.kinds)), "resource": asked.resource, "reason": asked.reason,
        "emergency": True, "seconds": seconds, "requested_by": caller.user_id,
        "created_at": clock.now(),
    }  # fmt: skip
    store.insert(context.conn, row)
    return _answer(context, str(row["id"]))


def approve(context: Context) -> EmergencyAnswer:
    """Open the access: by another operator than the one who called.

    Errors: Forbidden for the same user, whatever it logged in with; Conflict when it is no longer
    waiting.
    """
    row, caller = _find(context), context.caller
    if caller.user_id == row["requested_by"]:
        raise Forbidden(
            f"Emergency {row['id']} was called by user {caller.user_id}: another operator approves "
            "it. Another credential of the same user is no other operator."
        )
    stands = rules.status(row)
    if stands is not Status.REQUESTED:
        raise Conflict(f"Emergency {row['id']} is {stands}: only one that is requested opens.")
    now = clock.now()
    store.change(
        context.conn, row["id"], granted_by=caller.user_id, since=now,
        until=now + row["seconds"] * clock.SECOND,
    )  # fmt: skip
    telling.opened(context.conn, consents.found(context, row["id"]))
    return _answer(context, row["id"])


def close(context: Context) -> EmergencyAnswer:
    """End the access, or withdraw the call, before its time: any operator.

    Errors: Conflict when it is over.
    """
    row = _find(context)
    stands = rules.status(row)
    if stands not in (Status.REQUESTED, Status.ACTIVE):
        raise Conflict(f"Emergency {row['id']} is {stands}: there is nothing to close.")
    consents.end(context, row, Status.REVOKED)
    return _answer(context, row["id"])


def count(context: Context) -> CountAnswer:
    """For the public: how often operators went in without a customer's leave."""
    return CountAnswer(store.emergencies(context.conn))
