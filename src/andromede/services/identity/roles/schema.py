"""Bodies of roles. Source: the identity API v3."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255, Options, Text


class NewRole(Struct):
    name: Name255
    domain_id: Id | None = None
    description: Text | None = None
    options: Options = Options()


class NewRoleBody(Struct, forbid_unknown_fields=True):
    role: NewRole


class RoleChange(Struct):
    name: Name255 | UnsetType = UNSET
    domain_id: Id | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    options: Options | UnsetType = UNSET


class RoleChangeBody(Struct, forbid_unknown_fields=True):
    role: RoleChange
