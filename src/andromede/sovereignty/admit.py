"""Admission: the one decision on whether an act may place, move, copy, share or expose a project's
data. What was decided is kept by each process for the generation of world and policies, and the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from andromede.db import Connection
from andromede.http.errors import Forbidden
from andromede.sovereignty import generation
from andromede.sovereignty.policy import decide, store
from andromede.sovereignty.policy.decide import Destination, Refusal
from andromede.sovereignty.world import facts

__all__ = ["Decision", "Destination", "Refused", "Subject", "admit", "require", "require_any"]

_KEPT_AGES = 4  # generations and days
_KEPT_DECISIONS = 100_000

Key = tuple[str, Destination]
_kept: dict[tuple[str, date], dict[Key, Refusal | None]] = {}


class Subject(Struct, frozen=True, kw_only=True):
    """Whose data, and which resource if it is known already."""

    project_id: str
    kind: str = ""
    id: str = ""


class Decision(Struct, frozen=True, kw_only=True):
    """The answer, with the rule that gave it, where that rule was set, and what it accepts."""

    allowed: bool
    rule: str
    reason: str
    set_at: str = ""
    accepted: tuple[str, ...] = ()


class Refused(Forbidden):
    """An act that admission refused; carries the decision for the log."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.decision = decision


ALLOWED = Decision(allowed=True, rule="", reason="no rule refuses it")


def admit(
    connection: Connection,
    action: str,
    subject: Subject,
    destination: Destination,
    among: Iterable[str] = (),
) -> Decision:
    """Decide whether `action` may bring the subject's data to the destination. `among` are the sites
    where this cloud could bring them as well: a refusal names those that would be accepted."""
    refusal = _decided(connection, subject.project_id, destination)
    if refusal is None:
        return ALLOWED
    if refusal.accepted:
        return _refusal(action, subject, destination, refusal, (refusal.accepted,))
    policy, known = store.effective(connection, subject.project_id), facts.current(connection)
    sites = decide.admissible(policy, known, destination, among)
    return _refusal(action, subject, destination, refusal, sites)


def require(
    connection: Connection, action: str, subject: Subject, destination: Destination
) -> None:
    """As `admit`, where this cloud has no other place to go, refusing with a 403 that names the rule.

    Errors: Refused.
    """
    decision = admit(connection, action, subject, destination)
    if not decision.allowed:
        raise Refused(decision)


def require_any(
    connection: Connection,
    action: str,
    subject: Subject,
    choices: Sequence[Destination],
    among: Iterable[str] = (),
) -> Destination:
    """The first of several destinations that admission accepts; `among` as `admit` has it.

    Errors: Refused, saying of each why it is none.
    """
    refused: list[Decision] = []
    for each in choices:
        decision = admit(connection, action, subject, each, among)
        if decision.allowed:
            return each
        refused.append(decision)
    if len(refused) == 1:
        raise Refused(refused[0])
    raise Refused(
        Decision(
            allowed=False,
            rule=", ".join(dict.fromkeys(each.rule for each in refused)),
            set_at=", ".join(dict.fromkeys(each.set_at for each in refused)),
            accepted=refused[0].accepted,
            reason=" ".join(each.reason for each in refused),
        )
    )


def _decided(connection: Connection, project_id: str, to: Destination) -> Refusal | None:
    age = (generation.read(connection), facts.today())
    kept = _kept.get(age)
    if kept is None:
        while len(_kept) >= _KEPT_AGES:
            _kept.pop(next(iter(_kept)), None)
        kept = _kept[age] = {}
    key = (project_id, to)
    try:
        return kept[key]
    except KeyError:
        pass
    policy = store.effective(connection, project_id, age[0])
    known = facts.current(connection, age[1])
    refusal = decide.refuse(policy, known, to)
    if len(kept) < _KEPT_DECISIONS:
        kept[key] = refusal
    return refusal


def _refusal(
    action: str, subject: Subject, to: Destination, refusal: Refusal, accepted: tuple[str, ...]
) -> Decision:
    what = f"{subject.kind} {subject.id}".strip() or "data"
    return Decision(
        allowed=False,
        rule=refusal.rule,
        set_at=refusal.set_at.en,
        accepted=accepted,
        reason=(
            f"{action} of {what} is refused to project {subject.project_id}: site {to.site} "
            f"{refusal.why.en} {refusal.where.en}. "
            f"Accepted: {', '.join(accepted) or 'no site of this cloud'}."
        ),
    )
