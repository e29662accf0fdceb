"""Bodies of limits. Source: the identity API v3, "Unified Limits"."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255, Text255
from andromede.services.identity.catalog.schema import RegionId

Number = Annotated[int, Meta(ge=-1, le=2_147_483_647)]


class NewRegistered(Struct, forbid_unknown_fields=True):
    service_id: Id
    resource_name: Name255
    default_limit: Number
    region_id: RegionId | None = None
    description: Text255 | None = None


class NewRegisteredBody(Struct, forbid_unknown_fields=True):
    registered_limits: Annotated[list[NewRegistered], Meta(min_length=1, max_length=1000)]


class RegisteredChange(Struct, forbid_unknown_fields=True):
    service_id: Id | UnsetType = UNSET
    resource_name: Name255 | UnsetType = UNSET
    default_limit: Number | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET
    description: Text255 | UnsetType | None = UNSET


class RegisteredChangeBody(Struct, forbid_unknown_fields=True):
    registered_limit: RegisteredChange


class NewLimit(Struct, forbid_unknown_fields=True):
    """Exactly one of the project and the domain is named."""

    service_id: Id
    resource_name: Name255
    resource_limit: Number
    region_id: RegionId | None = None
    project_id: Id | UnsetType | None = UNSET
    domain_id: Id | UnsetType | None = UNSET
    description: Text255 | None = None


class NewLimitBody(Struct, forbid_unknown_fields=True):
    limits: Annotated[list[NewLimit], Meta(min_length=1, max_length=1000)]


class LimitChange(Struct, forbid_unknown_fields=True):
    resource_limit: Number | UnsetType = UNSET
    description: Text255 | UnsetType | None = UNSET


class LimitChangeBody(Struct, forbid_unknown_fields=True):
    limit: LimitChange
