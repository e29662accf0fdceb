"""What it takes to let operators in by a policy: the consent of the projects that ask for theirs, and
for the cloud's own policy that everyone is told."""

from __future__ import annotations

from collections.abc import Iterable

from andromede.http.context import Context
from andromede.services.identity import api as identity
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.consent import customers, rules
from andromede.sovereignty.consent.rules import Kind
from andromede.sovereignty.consent.settings import Settings, settings
from andromede.sovereignty.findings import notices
from andromede.sovereignty.policy.model import CLOUD
from andromede.sovereignty.words import text

TOLD = {
    "operator_access": text(
        "Operators of this cloud no longer have to ask for your consent (operator_access: open), "
        "except where a policy of your own asks for it.",
        "Les opérateurs de ce nuage n'ont plus à demander votre consentement (operator_access : open), "
        "sauf là où votre propre politique l'exige.",
    ),
    "second_factor": text(
        "Operators of this cloud log in with one factor from now on (second_factor: off).",
        "Les opérateurs de ce nuage se connectent désormais avec un seul facteur "
        "(second_factor : off).",
    ),
}


class Before:
    """What a scope's policy made operators ask for, before it is changed."""

    def __init__(self, context: Context, scope: str) -> None:
        self._context = context
        self._cloud: Settings | None = settings(context.conn) if scope == CLOUD else None
        self._asking: list[str] = []
        if scope != CLOUD and rules.operator(context.caller):
            below = customers.among(context.conn, _projects(context, scope))
            self._asking = [each for each in sorted(below) if rules.needed(context.conn, each)]

    def settle(self) -> None:
        """Once it is changed: tell of what is no longer asked for.

        Errors: Refused, for want of a project's consent to that.
        """
        context = self._context
        if self._cloud is not None:
            _tell(context, self._cloud, settings(context.conn))
        for project in self._asking:
            if not rules.needed(context.conn, project):
                _require(context, project)


def _projects(context: Context, scope: str) -> Iterable[str]:
    kind, _, key = scope.partition("/")
    return identity.projects_of(context.conn, key) if kind == "domain" else [key]


def _require(context: Context, project: str) -> None:
    user_id = context.caller.user_id
    used = rules.found(context.conn, user_id, Kind.ACCESS, project, project)
    if used is not None:
        context.notes["consent"] = used
        return
    context.concerns(context.subject, project)
    raise Refused(
        Decision(
            allowed=False,
            rule=rules.RULE,
            set_at=context.subject,
            accepted=("consent", "emergency"),
            reason=(
                f"Project {project} asks operators for its consent by a policy set on "
                f"{context.subject}, which an operator does not take away without that consent "
                f"(rule {rules.RULE}). Accepted: a consent of the project for "
                f"{Kind.ACCESS.value!r}, asked for with POST /sovereignty/v1/consents."
            ),
        )
    )


def _tell(context: Context, before: Settings, after: Settings) -> None:
    for field, loose in (("operator_access", "open"), ("second_factor", "off")):
        if getattr(before, field) != loose and getattr(after, field) == loose:
            notices.open(context.conn, "policy", None, TOLD[field].fr, TOLD[field].en)
