"""What keeps operators from becoming customers: where consent is asked for, no operator is given a
role in a customer's project by another, and the customer is told of every role and password that an
operator gives in its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.identity.grants import operators, store
from andromede.services.identity.grants.store import SYSTEM, Target
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.consent import rules
from andromede.sovereignty.findings import notices

BELOW = None  # in place of a project: every project below a domain or a project


def opened(rows: Iterable[Any]) -> list[str | None]:
    """The projects whose resources grants open (their rows, or one Grant)."""
    found: list[str | None] = []
    for row in rows:
        if row.inherited:
            found.append(BELOW)
        elif row.target_kind == "project":
            found.append(row.target_id)
    return found


def customers(connection: Connection, project_id: str) -> bool:
    """Whether anybody who is no operator holds a role on the project."""
    around = store.actors(connection, Target(kind="project", id=project_id), [])
    return any(not operators.holds(connection, each) for each in around)


def require(context: Context, holders: Iterable[str], projects: Iterable[str | None]) -> None:
    """Let an operator give roles on customers' projects to others than operators, and tell them.

    Errors: Refused.
    """
    given = list(holders)
    for project in projects:
        if not _bound(context, project):
            continue
        for user_id in given:
            if user_id == context.caller.user_id or operators.holds(context.conn, user_id):
                context.concerns(context.subject, project)
                raise _refusal(context, user_id, project)
        if project is not None:
            _tell_of_roles(context, project, given)


def _bound(context: Context, project: str | None) -> bool:
    """Whether the act is an operator's on a customer's project that asks for consent."""
    if not rules.stranger(context.caller, project or SYSTEM):
        return False
    if not rules.needed(context.conn, project or ""):
        return False
    return project is None or customers(context.conn, project)


def _refusal(context: Context, user_id: str, project: str | None) -> Refused:
    place = f"project {project}" if project else "every project below, customers' among them"
    return Refused(
        Decision(
            allowed=False,
            rule=rules.RULE,
            set_at=rules.where(context.conn, project or ""),
            accepted=("consent", "emergency"),
            reason=(
                f"User {user_id} is an operator and gets no role on {place} (rule {rules.RULE}). "
                "Accepted: a consent of the project, asked for with POST /sovereignty/v1/consents."
            ),
        )
    )


def _tell_of_roles(context: Context, project: str, holders: list[str]) -> None:
    who, by = ", ".join(sorted(holders)), context.caller.user_id
    notices.open(
        context.conn, "membership", project,
        f"L'opérateur {by} a donné un rôle sur votre projet à : {who}.",
        f"Operator {by} gave a role on your project to: {who}.",
    )  # fmt: skip


def tell_of_password(context: Context, user_id: str) -> None:
    """Tell the projects of a user that an operator set its password."""
    if user_id == context.caller.user_id:
        return
    by = context.caller.user_id
    rows = store.of_user(context.conn, user_id)
    for project in sorted({each for each in opened(rows) if each is not None}):
        if rules.stranger(context.caller, project) and rules.needed(context.conn, project):
            notices.open(
                context.conn, "password", project,
                f"L'opérateur {by} a changé le mot de passe de l'utilisateur {user_id}.",
                f"Operator {by} set the password of user {user_id}.",
            )  # fmt: skip
