"""What is sent to ask for, give, and end consents, and what is shown of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from andromede.sovereignty.consent.rules import DAY, Kind

Kinds = Annotated[list[Kind], Meta(min_length=1, max_length=len(Kind))]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000)]


class NewConsent(Struct, forbid_unknown_fields=True, kw_only=True):
    """A customer gives it for its own project; an operator asks a project for it.

    `operator` None: any operator (a customer's only; an operator asks for itself). `resource`
    None: all of the project's. `seconds`: how long it lasts from the moment it is granted.
    """

    kinds: Kinds
    reason: Reason
    project_id: Id | None = None
    operator: Id | None = None
    resource: Id | None = None
    seconds: int = DAY


class NewConsentBody(Struct, forbid_unknown_fields=True):
    consent: NewConsent


class Grant(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a customer grants of a request: the same kinds or fewer, as long or shorter."""

    kinds: Kinds | None = None
    seconds: int | None = None


class GrantBody(Struct, forbid_unknown_fields=True):
    grant: Grant


class NewEmergency(Struct, forbid_unknown_fields=True, kw_only=True):
    """An operator's call for access that a second operator may approve."""

    project_id: Id
    kinds: Kinds
    reason: Reason
    resource: Id | None = None
    seconds: int = 3600


class NewEmergencyBody(Struct, forbid_unknown_fields=True):
    emergency: NewEmergency


class Shown(Struct, frozen=True, kw_only=True):
    """A consent, or an emergency, as the API shows it; moments are ISO 8601, UTC."""

    id: str
    status: str
    project_id: str
    operator: str | None
    kinds: list[str]
    resource: str | None
    reason: str
    emergency: bool
    seconds: int
    requested_by: str | None
    created_at: str
    granted_by: str | None
    since: str | None
    until: str | None
    ended_by: str | None
    ended_at: str | None


class ConsentAnswer(Struct, frozen=True):
    consent: Shown


class Link(Struct, frozen=True):
    rel: str
    href: str


class ConsentsAnswer(Struct, frozen=True, omit_defaults=True):
    consents: list[Shown]
    consents_links: list[Link] = []


class EmergencyAnswer(Struct, frozen=True):
    emergency: Shown


class EmergenciesAnswer(Struct, frozen=True, omit_defaults=True):
    emergencies: list[Shown]
    emergencies_links: list[Link] = []


class CountAnswer(Struct, frozen=True):
    """How many emergency accesses operators ever had."""

    emergencies: int


class Scope(Struct, frozen=True):
    """What roles are held on: a project, a domain, or the system."""

    kind: str
    id: str


class Bearer(Struct, frozen=True, kw_only=True):
    """Somebody as logged in to one scope. `operator`: on the private listener only, and with a
    second factor where `second_factor` says so. `consents` names those in force by action;
    `needs_consent` are the actions that are refused for want of one."""

    scope: Scope
    roles: list[str]
    operator: bool
    second_factor: bool
    allowed: list[str]
    consents: dict[str, str]
    needs_consent: list[str]


class Person(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    bearers: list[Bearer]


class Resource(Struct, frozen=True, kw_only=True):
    """`everyone`: it is seen by every project."""

    kind: str
    id: str
    project_id: str
    everyone: bool


class ReachAnswer(Struct, frozen=True, omit_defaults=True):
    resource: Resource
    users: list[Person]
    users_links: list[Link] = []


class UserAnswer(Struct, frozen=True, omit_defaults=True):
    user: Person
    bearers_links: list[Link] = []
