"""Bodies of groups. Source: the identity API v3."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name64, Text


class NewGroup(Struct):
    name: Name64
    domain_id: Id | None = None
    description: Text | None = ""


class NewGroupBody(Struct, forbid_unknown_fields=True):
    group: NewGroup


class GroupChange(Struct):
    name: Name64 | UnsetType = UNSET
    domain_id: Id | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class GroupChangeBody(Struct, forbid_unknown_fields=True):
    group: GroupChange
