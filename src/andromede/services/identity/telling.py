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


class Act(StrEnum):
    """What was done, which is the kind of the notice."""

    ROLE = "membership"
    PASSWORD = "password"  # noqa: S105 (a kind of notice)
    ENABLED = "account"
    CREDENTIAL = "credential"


FRENCH = {
    Act.ROLE: "a étendu ce que permettent les rôles de",
    Act.PASSWORD: "a changé le mot de passe de",
    Act.ENABLED: "a rouvert le compte de",
    Act.CREDENTIAL: "a changé un moyen de connexion de",
}
ENGLISH = {
    Act.ROLE: "widened what the roles allow of",
    Act.PASSWORD: "set the password of",
    Act.ENABLED: "enabled again the account of",
    Act.CREDENTIAL: "changed a credential of",
}


def _by(context: Context) -> tuple[str, str]:
    """Who did it, and by which consent, in both languages."""
    user, consent = context.caller.user_id, context.notes.get("consent")
    fr, en = ("L'opérateur", "Operator") if rules.operator(context.caller) else (
        "L'utilisateur", "User"
    )  # fmt: skip
    leave = (f", par l'accord {consent},", f", by consent {consent},") if consent else ("", "")
    return f"{fr} {user}{leave[0]}", f"{en} {user}{leave[1]}"


def of_roles(context: Context, project: str, users: Iterable[str], *, first: bool) -> None:
    """Users were given roles. `first`: nobody was there before to see who comes in."""
    (fr, en), who = _by(context), ", ".join(sorted(users))
    text_fr = f"{fr} a donné un rôle sur votre projet à : {who}."
    text_en = f"{en} gave a role on your project to: {who}."
    if first:
        others = ", ".join(_others(context, project, set(users)))
        text_fr += (
            f" Y entrent aussi, ou peuvent y faire entrer : {others or '—'}. Un mot de passe que "
            "vous tenez d'un opérateur est à changer avant d'y placer quoi que ce soit."
        )
        text_en += (
            f" These also come in, or can let others in: {others or '—'}. Change a password that "
            "you have from an operator before you place anything in it."
        )
    notices.open(context.conn, Act.ROLE, project, text_fr, text_en)


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
    (fr, en), who = _by(context), ", ".join(sorted(users))
    notices.open(
        context.conn, act, project,
        f"{fr} {FRENCH[act]} : {who}.",
        f"{en} {ENGLISH[act]}: {who}.",
    )  # fmt: skip
