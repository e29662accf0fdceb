"""Bodies of projects and domains. Source: the identity API v3."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name64, Options, Tags, Text, Text255


class NewProject(Struct):
    name: Name64
    domain_id: Id | None = None
    parent_id: Id | None = None
    is_domain: bool = False
    enabled: bool = True
    description: Text | None = ""
    tags: Tags = []
    options: Options = Options()


class NewProjectBody(Struct, forbid_unknown_fields=True):
    project: NewProject


class ProjectChange(Struct):
    name: Name64 | UnsetType = UNSET
    domain_id: Id | UnsetType | None = UNSET
    parent_id: Id | UnsetType | None = UNSET
    is_domain: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    options: Options | UnsetType = UNSET


class ProjectChangeBody(Struct, forbid_unknown_fields=True):
    project: ProjectChange


class NewDomain(Struct):
    name: Name64
    enabled: bool = True
    description: Text255 | None = ""
    tags: Tags = []
    options: Options = Options()
    explicit_domain_id: Id | None = None


class NewDomainBody(Struct, forbid_unknown_fields=True):
    domain: NewDomain


class DomainChange(Struct):
    name: Name64 | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    description: Text255 | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    options: Options | UnsetType = UNSET


class DomainChangeBody(Struct, forbid_unknown_fields=True):
    domain: DomainChange


class TagsBody(Struct, forbid_unknown_fields=True):
    tags: Tags
