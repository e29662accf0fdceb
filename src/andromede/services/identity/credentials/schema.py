"""The body of an application credential. Source: the identity API v3."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255, Text


class RoleRef(Struct, forbid_unknown_fields=True):
    id: Id | UnsetType = UNSET
    name: Name255 | UnsetType = UNSET


class RuleRef(Struct, forbid_unknown_fields=True):
    """The id of one of the user's access rules, or what makes one."""

    id: Id | UnsetType = UNSET
    service: Name255 | UnsetType = UNSET
    method: Literal["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"] | UnsetType = UNSET
    path: Annotated[str, Meta(max_length=225, pattern=r"^/[^\x00]*$")] | UnsetType = UNSET


class NewCredential(Struct, forbid_unknown_fields=True):
    name: Name255
    secret: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    description: Text | None = None
    expires_at: str | None = None
    roles: list[RoleRef] = []
    unrestricted: bool | None = False
    project_id: Id | None = None
    access_rules: Annotated[list[RuleRef], Meta(max_length=100)] | None = None


class NewCredentialBody(Struct, forbid_unknown_fields=True):
    application_credential: NewCredential
