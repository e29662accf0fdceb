"""Who a caller is and which rules may be asked of one. Every operation names its rule; none is open
by omission."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from msgspec import Struct

PATTERN = re.compile(r"(\{[^}]*\}|\*\*|\*)")


class AccessRule(Struct, frozen=True):
    """One kind of request that an application credential is for: the catalog's type of a service, a
    method, and a pattern of its paths, in which `*` and `{name}` stand for one segment and `**` for
    any number. Source: the identity API v3, "Application credentials"."""

    service: str
    method: str
    path: str

    def permits(self, service: str, method: str, *paths: str) -> bool:
        """Whether it is for a request; its path may be spelled with the service's mount or without."""
        fits = _pattern(self.path).fullmatch
        return (self.service, self.method) == (service, method) and any(map(fits, paths))


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    parts = PATTERN.split(path)
    special = {"**": ".*"}
    return re.compile(
        "".join(
            special.get(part, "[^/]+") if at % 2 else re.escape(part)
            for at, part in enumerate(parts)
        ),
        re.DOTALL,
    )


class Caller(Struct, frozen=True, kw_only=True):
    """The bearer of a verified token. Exactly one scope is set, or none for an unscoped token."""

    user_id: str
    user_domain_id: str
    project_id: str | None = None
    project_domain_id: str | None = None
    domain_id: str | None = None
    system: bool = False
    roles: frozenset[str] = frozenset()
    audit_id: str = ""
    issued_at: int = 0
    expires_at: int = 0
    application_credential_id: str | None = None
    restricted: bool = False  # an application credential that may not make others
    methods: tuple[str, ...] = ()
    trust_id: str | None = None  # the trust by which it acts
    access_rules: tuple[AccessRule, ...] | None = None  # the requests it is for; None: any

    @property
    def admin(self) -> bool:
        """Holds the admin role, in whatever scope: an operator."""
        return "admin" in self.roles


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition on the caller; resources add their own ownership to it in their store."""

    name: str
    allows: Callable[[Caller], bool]


def _role(caller: Caller, role: str) -> bool:
    return role in caller.roles


def _in_project(caller: Caller, role: str) -> bool:
    return caller.project_id is not None and role in caller.roles


AUTHENTICATED = Rule("authenticated", lambda caller: True)
PROJECT = Rule("any role in a project", lambda c: c.admin or c.project_id is not None)
PROJECT_READER = Rule("project reader", lambda c: c.admin or _in_project(c, "reader"))
PROJECT_MEMBER = Rule("project member", lambda c: c.admin or _in_project(c, "member"))
PROJECT_MANAGER = Rule("project manager", lambda c: c.admin or _in_project(c, "manager"))
ADMIN = Rule("admin", lambda caller: caller.admin)
ADMIN_READER = Rule(
    "admin or system reader", lambda c: c.admin or (c.system and _role(c, "reader"))
)
