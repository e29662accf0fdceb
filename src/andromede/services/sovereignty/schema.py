"""Bodies of the sovereignty API's policies, findings, notices and plans."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from andromede.sovereignty.policy.model import Policy
from andromede.sovereignty.world.model import Slug


class Link(Struct, forbid_unknown_fields=True):
    rel: str
    href: str


class PolicyBody(Struct, forbid_unknown_fields=True):
    policy: Policy


class ScopedPolicy(Struct, forbid_unknown_fields=True):
    """One scope's own policy. `scope` is cloud, domain/ID or project/ID."""

    scope: str
    policy: Policy
    changed_at: str


class PolicyList(Struct, forbid_unknown_fields=True):
    policies: list[ScopedPolicy]
    policies_links: list[Link] | UnsetType = UNSET


class EffectiveField(Struct, forbid_unknown_fields=True):
    """A field's value in force, and the scopes that gave it."""

    value: Any
    set_at: list[str]


class EffectivePolicy(Struct, forbid_unknown_fields=True):
    project_id: str
    fields: dict[str, EffectiveField]
    scopes: list[str]


class AffiliationBody(Struct, forbid_unknown_fields=True):
    entity: Slug


class Affiliation(Struct, forbid_unknown_fields=True):
    """The entity that a user acts for."""

    user_id: str
    entity: str


class AffiliationList(Struct, forbid_unknown_fields=True):
    affiliations: list[Affiliation]
    affiliations_links: list[Link] | UnsetType = UNSET


class Finding(Struct, forbid_unknown_fields=True):
    """What is not where its policies let it be. Times are ISO 8601; `closed_at` null: it stands.
    `reason_fr` is empty where it was not kept."""

    id: str
    rule: str
    set_at: str
    kind: str
    resource: str
    project_id: str | None
    site: str
    opened_at: str
    deadline: str | None
    closed_at: str | None
    reason: str
    reason_fr: str


class FindingList(Struct, forbid_unknown_fields=True):
    """`evaluated_at`: when everything placed was last compared to its policies; null: never yet."""

    findings: list[Finding]
    evaluated_at: str | None
    findings_links: list[Link] | UnsetType = UNSET


class Notice(Struct, forbid_unknown_fields=True):
    """What customers are told. `project_id` null: everyone is; `read_at`: by the caller's project."""

    id: str
    kind: str
    project_id: str | None
    opened_at: str
    deadline: str | None
    text_fr: str
    text_en: str
    read_at: str | None


class NoticeList(Struct, forbid_unknown_fields=True):
    notices: list[Notice]
    notices_links: list[Link] | UnsetType = UNSET


class Move(Struct, forbid_unknown_fields=True):
    """Where a resource may go. `to` null: nowhere, and `why` says what each site lacks."""

    kind: str
    resource: str
    site: str
    to: str | None
    others: list[str]
    why: str
    why_fr: str


class Plan(Struct, forbid_unknown_fields=True):
    project_id: str
    moves: list[Move]
    moves_links: list[Link] | UnsetType = UNSET
