"""Handlers of consents: operators ask, customers give, refuse and take back."""

from __future__ import annotations

from typing import Any

from andromede import clock, ids
from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound
from andromede.services.identity import api as identity
from andromede.services.sovereignty.consent import telling, views
from andromede.services.sovereignty.consent.schema import (
    ConsentAnswer,
    ConsentsAnswer,
    GrantBody,
    NewConsent,
    NewConsentBody,
)
from andromede.sovereignty.consent import rules, store
from andromede.sovereignty.consent.rules import Status

PATH = "/v1/consents"
GRANTING = "a member of the project who comes without an operator's role"


def _operator(caller: Caller) -> bool:
    return caller.admin or caller.system


def _customer(caller: Caller, project_id: str) -> bool:
    """Whether the caller may speak for the project: a member of it, and no operator."""
    return not _operator(caller) and caller.project_id == project_id and "member" in caller.roles


def index(context: Context) -> ConsentsAnswer:
    """The consents of the caller's project, oldest first; an operator's are every project's."""
    caller = context.caller
    wanted = context.first("project_id") or caller.project_id
    if _operator(caller):
        wanted = context.first("project_id")
    elif wanted != caller.project_id:
        raise Forbidden(f"The consents of project {wanted} are for it and for operators to see.")
    return ConsentsAnswer(*views.page(context, PATH, wanted, None))


def find(context: Context) -> store.Row:
    """The consent of the path, if the caller may know of it.

    Errors: NotFound.
    """
    row = store.get(context.conn, context.params["id"])
    caller = context.caller
    if row is None or not (_operator(caller) or caller.project_id == row["project_id"]):
        raise NotFound(f"Consent {context.params['id']} could not be found.")
    return row


def show(context: Context) -> ConsentAnswer:
    return ConsentAnswer(views.shown(find(context)))


def found(context: Context, consent_id: str) -> store.Row:
    """A consent that is there, as it is now."""
    row = store.get(context.conn, consent_id)
    assert row is not None
    return row


def answer(context: Context, consent_id: str) -> ConsentAnswer:
    """The consent as it is after a change, named for the log."""
    row = found(context, consent_id)
    context.concerns(consent_id, row["project_id"])
    context.notes |= {
        "status": rules.status(row), "kinds": list(row["kinds"]), "operator": row["operator"],
        "resource": row["resource"], "reason": row["reason"], "until": row["until"],
    }  # fmt: skip
    return ConsentAnswer(views.shown(row))


def create(context: Context) -> ConsentAnswer:
    """Errors: Forbidden, BadRequest, NotFound for an unknown project."""
    asked: NewConsentBody = context.body
    wanted, caller = asked.consent, context.caller
    seconds = rules.span(wanted.seconds, rules.LONGEST)
    project_id = wanted.project_id or caller.project_id
    if project_id is None:
        raise BadRequest("project_id is missing: the project whose consent is meant.")
    asking = _operator(caller)
    if not asking and not _customer(caller, project_id):
        raise Forbidden(f"A consent of project {project_id} is given by {GRANTING}.")
    if asking and wanted.operator not in (None, caller.user_id):
        raise BadRequest("operator: an operator asks for itself; leave it out.")
    if identity.project(context.conn, project_id) is None:
        raise NotFound(f"Project {project_id} could not be found.")
    row = new(wanted, project_id, seconds)
    row |= {"requested_by": caller.user_id, "operator": caller.user_id} if asking else {}
    store.insert(context.conn, row)
    if asking:
        telling.requested(context.conn, found(context, row["id"]))
    else:
        _open(context, row["id"], seconds)
    return answer(context, row["id"])


def new(wanted: NewConsent, project_id: str, seconds: int) -> dict[str, Any]:
    """The row of a consent that nobody asked for or granted yet."""
    return {
        "id": ids.new(), "project_id": project_id, "operator": wanted.operator,
        "kinds": sorted(set(wanted.kinds)), "resource": wanted.resource, "reason": wanted.reason,
        "emergency": False, "seconds": seconds, "requested_by": None, "created_at": clock.now(),
    }  # fmt: skip


def _open(context: Context, consent_id: str, seconds: int) -> None:
    now = clock.now()
    store.change(
        context.conn, consent_id, granted_by=context.caller.user_id, since=now,
        until=now + seconds * clock.SECOND, seconds=seconds,
    )  # fmt: skip


def _asked(context: Context) -> store.Row:
    """The request of the path, waiting for an answer the caller may give.

    Errors: NotFound; Forbidden; Conflict when it was answered or lapsed.
    """
    row = find(context)
    context.concerns(row["id"], row["project_id"])
    if not _customer(context.caller, row["project_id"]):
        raise Forbidden(f"Consent {row['id']} is granted or refused by {GRANTING}.")
    if context.caller.user_id == row["requested_by"]:
        raise Forbidden(f"Consent {row['id']} is not granted by the user who asked for it.")
    stands = rules.status(row)
    if row["emergency"] or stands is not Status.REQUESTED:
        raise Conflict(
            f"Consent {row['id']} is {stands}: only one that is requested can be granted or "
            "refused, once. A new request is accepted."
        )
    return row


def grant(context: Context) -> ConsentAnswer:
    """Grant what was asked for, or less of it."""
    row = _asked(context)
    body: GrantBody | None = context.body
    given = body.grant if body is not None else None
    seconds, kinds = row["seconds"], list(row["kinds"])
    if given is not None and given.seconds is not None:
        seconds = rules.span(given.seconds, row["seconds"])
    if given is not None and given.kinds is not None:
        kinds = sorted(set(given.kinds))
        if not set(kinds) <= set(row["kinds"]):
            raise BadRequest(f"kinds: asked for were {', '.join(row['kinds'])}; no more is granted")
    store.change(context.conn, row["id"], kinds=kinds)
    _open(context, row["id"], seconds)
    return answer(context, row["id"])


def refuse(context: Context) -> ConsentAnswer:
    row = _asked(context)
    end(context, row, Status.REFUSED)
    return answer(context, row["id"])


def end(context: Context, row: store.Row, how: Status) -> None:
    store.change(
        context.conn, row["id"], ended_by=context.caller.user_id, ended_at=clock.now(),
        ended_as=str(how),
    )  # fmt: skip


def revoke(context: Context) -> ConsentAnswer:
    """Take a consent back, at once: its project, or the operator it is for.

    Errors: Conflict when it is over or an emergency's.
    """
    row = find(context)
    context.concerns(row["id"], row["project_id"])
    caller = context.caller
    own = caller.user_id in (row["operator"], row["requested_by"])
    if not own and not _customer(caller, row["project_id"]):
        raise Forbidden(
            f"Consent {row['id']} is revoked by {GRANTING}, or by the operator it is for."
        )
    stands = rules.status(row)
    if stands not in (Status.REQUESTED, Status.SCHEDULED, Status.ACTIVE):
        raise Conflict(f"Consent {row['id']} is {stands}: there is nothing to revoke.")
    if row["emergency"] and not own:
        raise Conflict(
            f"Consent {row['id']} is an emergency's, which two operators opened; it ends by itself."
        )
    end(context, row, Status.REVOKED)
    return answer(context, row["id"])
