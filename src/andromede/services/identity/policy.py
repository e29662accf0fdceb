"""Who may do what in identity: upstream's personas as conditions on a caller and a target.

Source: the default policies of the identity service (admin, system reader, domain reader, domain
manager, owner).
"""

from __future__ import annotations

from andromede.http.access import Caller, Rule
from andromede.http.context import Context
from andromede.http.errors import Forbidden

MANAGED_ROLES = frozenset({"manager", "member", "reader"})  # what a domain manager may grant
ACTING = frozenset({*MANAGED_ROLES, "admin", "service"})  # the roles that rules ask for


def system_reader(caller: Caller) -> bool:
    """May read everything."""
    return caller.admin or (caller.system and "reader" in caller.roles)


def domain_reader(caller: Caller, domain_id: str | None) -> bool:
    """May read what lies in the domain."""
    return system_reader(caller) or (
        domain_id is not None and caller.domain_id == domain_id and "reader" in caller.roles
    )


def domain_manager(caller: Caller, domain_id: str | None) -> bool:
    """May manage users, groups and projects of the domain."""
    return caller.admin or (
        domain_id is not None and caller.domain_id == domain_id and "manager" in caller.roles
    )


def lent(caller: Caller) -> bool:
    """Whether the bearer acts by what it was lent, a trust or an EC2 credential, rather than by a
    login or an application credential of its own."""
    return caller.trust_id is not None or "ec2credential" in caller.methods


def require_whole(context: Context, act: str) -> None:
    """Errors: Forbidden for a bearer who acts by what it was lent: it makes nothing that outlives
    that."""
    if lent(context.caller):
        raise Forbidden(
            f"You are not authorized to perform the requested action: cannot {act} with a token "
            "issued via delegation."
        )


def refuse(context: Context) -> Forbidden:
    return Forbidden(
        f"You are not authorized to perform the requested action: {context.operation.action}."
    )


def require(context: Context, allowed: bool) -> None:
    """Errors: Forbidden, in upstream's words, when the caller is not allowed."""
    if not allowed:
        raise refuse(context)


DOMAIN_READER = Rule(
    "admin, system reader or domain reader",
    lambda c: system_reader(c) or (c.domain_id is not None and "reader" in c.roles),
)
DOMAIN_MANAGER = Rule(
    "admin or domain manager",
    lambda c: c.admin or (c.domain_id is not None and "manager" in c.roles),
)
