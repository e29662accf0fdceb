"""What keeps operators from becoming customers. Every act that opens a project to a user passes here:
a role, a group, what a role implies, a password, a credential, the end of a suspension.

Where consent is asked for, an operator opens a customer's project with its consent of the kind
`access` only, or in an emergency; and a project that no customer was ever in as its first step. The
project is told of each. What customers do among themselves is noted, and told as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.identity import telling
from andromede.services.identity.grants import operators, store
from andromede.services.identity.grants.reached import by_role, reached
from andromede.services.identity.grants.store import Grant, Target
from andromede.services.identity.rows import Row
from andromede.services.identity.telling import Act
from andromede.services.identity.trusts import store as trusts
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.consent import customers, rules
from andromede.sovereignty.consent.rules import Kind

Openings = Mapping[str, set[str]]  # by project: the users that it would be opened to


def give(context: Context, holders: Iterable[str], given: Iterable[Grant | Row]) -> None:
    """Let users be given what grants give.

    Errors: Refused.
    """
    context.admitted = True
    users, rows = set(holders), list(given)
    if not users or not rows:
        return
    connection = context.conn
    if operators.makes(connection, rows):
        hired = users
    else:
        hired = {each for each in users if operators.holds(connection, each)}
    if hired and any(row.inherited for row in rows):
        _refuse_heirs(context, sorted(hired)[0])
    direct = {row.target_id for row in rows if row.target_kind == "project" and not row.inherited}
    opened = reached(connection, rows)
    known = customers.among(connection, opened)
    own = operators.own(connection) if opened - known else set()
    told: set[str] = set()
    for project in sorted(opened):
        bound = _binds(context, project)
        if project in known:
            if bound:
                _require(context, project, users, hired)
        elif users == hired or (project in own and project not in direct):
            continue  # it stays the operators' own
        elif bound and (project in own or hired):
            raise _mixed(context, project)
        told.add(project)
    customers.mark(connection, told)
    for project in sorted(told):
        if rules.needed(connection, project):
            telling.of_roles(context, project, users, first=project not in known)


def widen(context: Context, role_id: str) -> None:
    """Let a role, as it is now, give its holders more than it did.

    Errors: Refused.
    """
    context.admitted = True
    wanted: dict[str, set[str]] = {}
    for row, users in by_role(context.conn, role_id):
        for project in reached(context.conn, [row]):
            wanted.setdefault(project, set()).update(users)
    _ask(context, wanted, Act.ROLE)


def take(context: Context, user_id: str, act: Act) -> None:
    """Let the caller act on what a user logs in with, which opens to it what the user can reach.

    Errors: Refused.
    """
    context.admitted = True
    if user_id == context.caller.user_id or not rules.operator(context.caller):
        return
    opened = reached(context.conn, store.of_user(context.conn, user_id))
    opened |= {str(row.project_id) for row in trusts.lent_to(context.conn, user_id)}
    _ask(context, {each: {user_id} for each in opened}, act)


def reopen(context: Context, user_ids: Iterable[str], inside: set[str]) -> None:
    """Let users of a domain log in again; its own projects (`inside`) come back with them.

    Errors: Refused.
    """
    context.admitted = True
    wanted: dict[str, set[str]] = {}
    for user_id in user_ids:
        for project in reached(context.conn, store.of_user(context.conn, user_id)) - inside:
            wanted.setdefault(project, set()).add(user_id)
    _ask(context, wanted, Act.ENABLED)


def born(connection: Connection, project_id: str) -> None:
    """Note whose a new project is, into which grants above it lead."""
    around = store.actors(connection, Target(kind="project", id=project_id), [])
    if any(not operators.holds(connection, each) for each in around):
        customers.mark(connection, [project_id])


def _binds(context: Context, project: str) -> bool:
    """Whether the act is an operator's, and the project's policies ask for consent."""
    return rules.operator(context.caller) and rules.needed(context.conn, project)


def _ask(context: Context, openings: Openings, act: Act) -> None:
    """Ask every customer's project for its consent, and tell it."""
    asked = customers.among(context.conn, openings)
    asked = {each for each in asked if _binds(context, each)}
    for project in sorted(asked):
        _require(context, project, openings[project], set())
        telling.of_account(context, project, openings[project], act)


def _require(context: Context, project: str, users: set[str], hired: set[str]) -> None:
    """Errors: Refused, for operators among the users, and where a consent is missing."""
    for user_id in sorted(users):
        used = rules.found(context.conn, context.caller.user_id, Kind.ACCESS, project, user_id)
        if user_id in hired or used is None:
            context.concerns(context.subject, project)
            why = _of_operator if user_id in hired else _without_consent
            raise Refused(why(context.conn, user_id, project))
        context.notes["consent"] = used
    context.concerns(context.subject, project)


def _without_consent(connection: Connection, user_id: str, project: str) -> Decision:
    set_at = rules.where(connection, project)
    return _decision(
        set_at,
        ("consent", "emergency"),
        f"Operators open project {project} to user {user_id}, or what that user logs in with, only "
        f"with the project's consent, and none is in force (rule {rules.RULE}, set by {set_at}). "
        f"Accepted: a consent of the project for {Kind.ACCESS.value!r}, asked for with POST "
        "/sovereignty/v1/consents; where nobody can give it, one that two operators open with "
        "POST /sovereignty/v1/emergencies.",
    )


def _of_operator(connection: Connection, user_id: str, project: str) -> Decision:
    set_at = rules.where(connection, project)
    return _decision(
        set_at,
        ("consent", "emergency"),
        f"User {user_id} is an operator, or would be one, and gets no role on project {project} "
        f"(rule {rules.RULE}, set by {set_at}). Accepted: consents of the project for what the "
        "operator has to see, asked for with POST /sovereignty/v1/consents.",
    )


def _mixed(context: Context, project: str) -> Refused:
    set_at = rules.where(context.conn, project)
    context.concerns(context.subject, project)
    return Refused(
        _decision(
            set_at,
            ("another project",),
            f"Project {project} is the operators' own: who has a role there is an operator, and "
            f"no customer joins them (rule {rules.RULE}, set by {set_at}). Accepted: another "
            "project; or this one once no operator holds a role on it.",
        )
    )


def _refuse_heirs(context: Context, user_id: str) -> None:
    """Errors: Refused, for an operator that would inherit a role on projects yet to come."""
    if rules.operator(context.caller) and rules.needed(context.conn, ""):
        set_at = rules.where(context.conn, "")
        raise Refused(
            _decision(
                set_at,
                ("consent", "emergency"),
                f"User {user_id} is an operator, or would be one, and gets no role on every "
                f"project below, customers' among them (rule {rules.RULE}, set by {set_at}). "
                "Accepted: consents of the projects for what the operator has to see, asked for "
                "with POST /sovereignty/v1/consents.",
            )
        )


def _decision(set_at: str, accepted: tuple[str, ...], reason: str) -> Decision:
    return Decision(allowed=False, rule=rules.RULE, set_at=set_at, accepted=accepted, reason=reason)
