"""A policy as it is written: one document for the cloud, for a domain, or for a project.

Every field may be left out. Pure values, shared by the API, the command line and the store.
"""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from andromede.sovereignty import countries
from andromede.sovereignty.world.model import Name

RETENTION_LEAST = 183  # days; SecNumCloud 3.2, 12.6.c: at least six months
CLOUD = "cloud"
# A cloud without a policy of its own is closed: operators need consent and a second factor.
DEFAULTS = "the cloud's defaults"

Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Percent = Annotated[Decimal, Meta(description="percent, 0 to 100, at most 6 decimals")]


class Keys(StrEnum):
    """Whose key data at rest are encrypted with. Later members are stricter."""

    NONE = "none"
    CLOUD = "cloud"
    CUSTOMER = "customer"


AT_REST = Keys.NONE  # what this cloud encrypts disks and images with: nothing yet


class OperatorAccess(StrEnum):
    OPEN = "open"
    CONSENT = "consent"


class SupplierAccess(StrEnum):
    """Who may be given a way to data: anybody, or suppliers of the European Union only."""

    ANY = "any"
    EU = "eu"


class Switch(StrEnum):
    OFF = "off"
    ON = "on"


class Ownership(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most of an operator that holders outside the European Union may have, each and together,
    in percent; and whether its owners must be shown to the end of every chain."""

    individual_percent: Percent | None = None
    together_percent: Percent | None = None
    shown_required: bool | None = None


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one scope demands. An empty list of countries or sites allows none at all."""

    allowed_countries: Annotated[tuple[Country, ...], Meta(max_length=300)] | None = None
    allowed_sites: Annotated[tuple[Name, ...], Meta(max_length=256)] | None = None
    refused_jurisdictions: Annotated[tuple[Country, ...], Meta(max_length=300)] | None = None
    ownership: Ownership | None = None
    required_keys: Keys | None = None
    backup_elsewhere: bool | None = None
    operator_access: OperatorAccess | None = None
    second_factor: Switch | None = None
    administration_from: (
        Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=256)] | None
    ) = None
    supplier_access: SupplierAccess | None = None
    retention_days: Annotated[int, Meta(ge=RETENTION_LEAST, le=36_500)] | None = None
    finding_days: Annotated[int, Meta(ge=1, le=365)] | None = None


FIELDS: tuple[str, ...] = Policy.__struct_fields__
CLOUD_ONLY = ("second_factor", "administration_from")  # of operators' logins, which are the cloud's
LISTS = ("allowed_countries", "allowed_sites", "refused_jurisdictions", "administration_from")
EMPTY = Policy()


def plain(policy: Policy) -> dict[str, Any]:
    """The document as JSON-able values; what was left out stays out."""
    built: dict[str, Any] = msgspec.to_builtins(policy)
    return built


def read(document: Any, *, lax: bool = False) -> Policy:
    """A policy from JSON-able values; `lax` also reads numbers and flags from text.

    Errors: ValueError naming the faulty field.
    """
    policy = msgspec.convert(document, Policy, strict=not lax)
    check(policy)
    return policy


def check(policy: Policy, scope: str = CLOUD) -> None:
    """Errors: ValueError for what the document's shape does not tell."""
    for name in CLOUD_ONLY:
        if scope != CLOUD and getattr(policy, name) is not None:
            raise ValueError(f"{name} concerns operators' logins: it is set on the cloud only")
    for name in ("allowed_countries", "refused_jurisdictions"):
        for code in getattr(policy, name) or ():
            if not countries.known(code):
                raise ValueError(f"{name}: {code} is no country: ISO 3166-1 alpha-2 is accepted")
    share = policy.ownership or Ownership()
    for name in ("individual_percent", "together_percent"):
        _check_percent(f"ownership.{name}", getattr(share, name))
    for each in policy.administration_from or ():
        if "/" in each or ":" in each:
            _check_network(each)


def _check_percent(name: str, value: Decimal | None) -> None:
    if value is None:
        return
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -6 or not 0 <= value <= 100:
        raise ValueError(f"{name} is {value}: 0 to 100 with at most 6 decimals is accepted")


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"administration_from: {text!r} is neither a site's name nor a network: {error}"
        ) from None


def assign(document: dict[str, Any], assignment: str) -> None:
    """Put one `field=value` of a command line into a document. Lists are separated by commas, and
    members of `ownership` are written `ownership.individual_percent=24`.

    Errors: ValueError saying what is accepted.
    """
    name, sign, text = assignment.partition("=")
    field, _, member = name.strip().partition(".")
    known = (*(each for each in FIELDS if each != "ownership"),
             *(f"ownership.{each}" for each in Ownership.__struct_fields__))  # fmt: skip
    if not sign or name.strip() not in known:
        raise ValueError(
            f"{assignment!r} is no setting: FIELD=VALUE is accepted, FIELD one of "
            f"{', '.join(known)}"
        )
    if member:
        document.setdefault("ownership", {})[member] = text.strip()
    elif field in LISTS:
        document[field] = [each.strip() for each in text.split(",") if each.strip()]
    else:
        document[field] = text.strip()


def project_scope(project_id: str) -> str:
    return f"project/{project_id}"


def domain_scope(domain_id: str) -> str:
    return f"domain/{domain_id}"
