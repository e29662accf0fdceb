"""Bodies of regions, services, endpoints and endpoint groups. Source: the identity API v3 and its
extension OS-EP-FILTER."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255, Text, Text255

RegionId = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00/]*$")]
Url = Annotated[str, Meta(max_length=225, pattern=r"^[a-zA-Z0-9+.-]+:[^\x00]+$")]
Interface = Literal["public", "internal", "admin"]


class NewRegion(Struct):
    id: RegionId | None = None
    description: Text255 | None = None
    parent_region_id: RegionId | None = None


class NewRegionBody(Struct):
    region: NewRegion


class RegionChange(Struct):
    description: Text255 | UnsetType | None = UNSET
    parent_region_id: RegionId | UnsetType | None = UNSET


class RegionChangeBody(Struct, forbid_unknown_fields=True):
    region: RegionChange


class NewService(Struct):
    type: Name255
    name: Name255 | None = None
    enabled: bool = True


class NewServiceBody(Struct):
    service: NewService


class ServiceChange(Struct):
    type: Name255 | UnsetType = UNSET
    name: Name255 | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class ServiceChangeBody(Struct, forbid_unknown_fields=True):
    service: ServiceChange


class NewEndpoint(Struct):
    interface: Interface
    service_id: Id
    url: Url
    region_id: RegionId | None = None
    region: RegionId | None = None
    enabled: bool = True


class NewEndpointBody(Struct, forbid_unknown_fields=True):
    endpoint: NewEndpoint


class EndpointChange(Struct):
    interface: Interface | UnsetType = UNSET
    service_id: Id | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET
    region: RegionId | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class EndpointChangeBody(Struct, forbid_unknown_fields=True):
    endpoint: EndpointChange


class Filters(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What endpoints have to be for an endpoint group to hold them."""

    interface: Interface | UnsetType = UNSET
    service_id: Id | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET

    def document(self) -> dict[str, Any]:
        sent = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in sent.items() if value is not UNSET}


class NewGroup(Struct, forbid_unknown_fields=True):
    name: Name255
    filters: Filters
    description: Text | None = None


class NewGroupBody(Struct, forbid_unknown_fields=True):
    endpoint_group: NewGroup


class GroupChange(Struct, forbid_unknown_fields=True):
    name: Name255 | UnsetType = UNSET
    filters: Filters | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class GroupChangeBody(Struct, forbid_unknown_fields=True):
    endpoint_group: GroupChange
