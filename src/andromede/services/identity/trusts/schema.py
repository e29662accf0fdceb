"""The body of a trust. Source: the identity API's extension OS-TRUST."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255

Count = Annotated[int, Meta(ge=0, le=2_147_483_647)]
Uses = Annotated[int, Meta(ge=1, le=2_147_483_647)]


class RoleRef(Struct, forbid_unknown_fields=True):
    """Exactly one of the two."""

    id: Id | UnsetType = UNSET
    name: Name255 | UnsetType = UNSET


class NewTrust(Struct):
    trustor_user_id: Id
    trustee_user_id: Id
    impersonation: bool
    project_id: Id | None = None
    roles: list[RoleRef] = []
    expires_at: str | None = None
    remaining_uses: Uses | None = None
    allow_redelegation: bool | None = None
    redelegation_count: Count | None = None
    redelegated_trust_id: str | None = None  # the server's to set, whatever is sent


class NewTrustBody(Struct, forbid_unknown_fields=True):
    trust: NewTrust
