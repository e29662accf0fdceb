"""Handlers of the log's retention: erasing what is older than it must be kept."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.log import retention
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.policy.store import retention_days


class PurgeBody(Struct, forbid_unknown_fields=True):
    """Erase leaves that are older than this moment (ISO 8601, in UTC without an offset)."""

    before: Annotated[str, Meta(min_length=10, max_length=40)]


class Purged(Struct, kw_only=True):
    """How many leaves were erased; `more` says that a further call would erase others."""

    before: str
    erased: int
    more: bool


def purge(context: Context) -> Purged:
    """Erase contents and salts of old leaves, as many as one transaction takes.

    Errors: BadRequest for what is no moment; Refused (403, and a leaf) for an early one.
    """
    given = context.body.before
    try:
        before = clock.parse(given)
    except ValueError as error:
        raise BadRequest(f"before {given!r} is not valid: {error}.") from error
    context.concerns("log", EVERYONE)
    days, set_at = retention_days(context.conn)
    latest = clock.now() - days * retention.DAY
    if before > latest:
        raise Refused(_early(given, latest, days, set_at))
    erased, more = retention.erase(context.conn, before)
    context.notes = {"before": clock.iso(before), "erased": erased}
    return Purged(before=clock.iso(before), erased=erased, more=more)


def _early(given: str, latest: int, days: int, set_at: str) -> Decision:
    accepted = f"a moment until {clock.iso(latest)}"
    return Decision(
        allowed=False,
        rule="retention_days",
        set_at=set_at,
        accepted=(accepted,),
        reason=(
            f"Erasing the log before {given} is refused by the rule retention_days, set at {set_at}: "
            f"leaves are kept for {days} days. Accepted: {accepted}."
        ),
    )
