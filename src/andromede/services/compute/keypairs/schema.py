"""What key pair requests say, before and since 2.92, when generating them ended."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

UserId = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9-]+$")]
NAMED = Meta(min_length=1, max_length=255)
OldName = Annotated[str, NAMED, Meta(pattern=r"^[_\- a-zA-Z0-9]+$")]
Name = Annotated[str, NAMED, Meta(pattern=r"^[_\-@. a-zA-Z0-9]+$")]


class NewKeypair(Struct, forbid_unknown_fields=True, kw_only=True):
    """A key pair to import."""

    name: Name
    public_key: str
    type: Literal["ssh", "x509"] = "ssh"
    user_id: UserId | None = None


class NewKeypairBody(Struct, forbid_unknown_fields=True):
    keypair: NewKeypair


class OldKeypair(Struct, forbid_unknown_fields=True, kw_only=True):
    """A key pair to import, or without `public_key` to generate."""

    name: OldName
    public_key: str | None = None
    type: Literal["ssh", "x509"] = "ssh"
    user_id: UserId | None = None


class OldKeypairBody(Struct, forbid_unknown_fields=True):
    keypair: OldKeypair
