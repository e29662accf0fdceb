"""What a customer's project is told of who was given a way into it, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from andromede.http.context import Context
from andromede.services.identity.grants import operators, store
from andromede.services.identity.grants.reached import managers
from andromede.services.identity.grants.store import Target
from andromede.services.identity.projects import store as projects
from andromede.sovereignty.consent import rules
from andromede.sovereignty.findings import notices
from andromede.sovereignty.words import Text, text


class Act(StrEnum):
    """What was done, which is the kind of the notice."""

    ROLE = "membership"
    PASSWORD = "password"  # noqa: S105 (a kind of notice)
    ENABLED = "account"
    CREDENTIAL = "credential"


DONE = {
    Act.ROLE: text("widened what the roles allow of", "a étendu ce que permettent les rôles de"),
    Act.PASSWORD: text("set the password of", "a changé le mot de passe de"),
    Act.ENABLED: text("enabled again the account of", "a rouvert le compte de"),
    Act.CREDENTIAL: text("changed a credential of", "a changé un moyen de connexion de"),
}


def _by(context: Context) -> Text:
    """Who did it, and by which consent."""
    user, consent = context.caller.user_id, context.notes.get("consent")
    who = text("User {user}", "L'utilisateur {user}", user=user)
    if rules.operator(context.caller):
        who = text("Operator {user}", "L'opérateur {user}", user=user)
    if consent is None:
        return who
    return text(
        "{who}, by consent {consent},",
        "{who}, avec le consentement {consent},",
        who=who,
        consent=consent,
    )


def of_roles(context: Context, project: str, users: Iterable[str], *, first: bool) -> None:
    """Users were given roles. `first`: nobody was there before to see who comes in."""
    told = text(
        "{by} gave a role on your project to: {who}.",
        "{by} a donné un rôle sur votre projet à : {who}.",
        by=_by(context), who=", ".join(sorted(users)),
    )  # fmt: skip
    if first:
        others = ", ".join(_others(context, project, set(users))) or "—"
        told = text(
            "{told} These also come in, or can let others in: {others}. Change a password that "
            "you have from an operator before you place anything in it.",
            "{told} Y entrent aussi, ou peuvent en faire entrer d'autres : {others}. Changez "
            "tout mot de passe que vous tenez d'un opérateur avant d'y placer quoi que ce soit.",
            told=told, others=others,
        )  # fmt: skip
    notices.open(context.conn, Act.ROLE, project, told.fr, told.en)


def _others(context: Context, project: str, users: set[str]) -> list[str]:
    """Who else holds a role on a project without being an operator, or manages its domain."""
    connection = context.conn
    around = store.actors(connection, Target(kind="project", id=project), [])
    found = {each for each in around if not operators.holds(connection, each)}
    row = projects.get(connection, project)
    assert row is not None, "what is opened is there"
    return sorted((found | managers(connection, row.domain_id)) - users)


def of_account(context: Context, project: str, users: Iterable[str], act: Act) -> None:
    """An operator changed what users of the project log in with, or what their roles are worth."""
    told = text(
        "{by} {done}: {who}.", "{by} {done} : {who}.",
        by=_by(context), done=DONE[act], who=", ".join(sorted(users)),
    )  # fmt: skip
    notices.open(context.conn, act, project, told.fr, told.en)
