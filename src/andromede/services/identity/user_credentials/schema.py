"""The body of a credential. Source: the identity API v3, "Credentials"."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255

Blob = Annotated[str, Meta(min_length=1, max_length=16_384, pattern=r"^[^\x00]*$")]


class NewCredential(Struct):
    """Without `user_id` it is the caller's own."""

    type: Name255
    blob: Blob
    user_id: Id | None = None
    project_id: Id | None = None


class NewCredentialBody(Struct):
    credential: NewCredential


class CredentialChange(Struct, forbid_unknown_fields=True):
    """`user_id` is the one that it has: credentials do not change hands."""

    id: Id | UnsetType = UNSET
    user_id: Id | UnsetType = UNSET
    type: Name255 | UnsetType = UNSET
    blob: Blob | UnsetType = UNSET
    project_id: Id | UnsetType | None = UNSET


class CredentialChangeBody(Struct):
    credential: CredentialChange
