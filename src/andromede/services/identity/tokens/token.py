"""What a token says, and its short binary spelling."""

from __future__ import annotations

import functools
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from enum import IntEnum

import msgspec
from msgspec import Struct

from andromede.services.identity.tokens.seal import LONGEST, TAG, Broken

HEX, TEXT = b"h", b"t"
HEXADECIMAL = re.compile(r"[0-9a-f]{32}")
LIFETIME = 3600  # seconds
COMMON_ROLES = ("reader", "member", "manager", "admin", "service")
METHODS = ("password", "token", "application_credential", "totp", "ec2credential")
ROOM = LONGEST * 3 // 4 - TAG - 12  # bytes for the payload, with a key id of up to ten


class ScopeKind(IntEnum):
    """What a token's roles are held on."""

    UNSCOPED = 0
    PROJECT = 1
    DOMAIN = 2
    SYSTEM = 3


class Token(Struct, frozen=True, kw_only=True):
    """A token's content. Moments are whole seconds since the epoch.

    `roles` None: the names do not fit into a token; they are read when it is verified. `epoch` is
    the revocation epoch the token was issued at.
    """

    user_id: str
    user_domain_id: str
    kind: ScopeKind = ScopeKind.UNSCOPED
    scope_id: str | None = None
    scope_domain_id: str | None = None
    roles: tuple[str, ...] | None = ()
    methods: tuple[str, ...] = ()
    issued_at: int = 0
    expires_at: int = 0
    epoch: int = 0
    audit_id: str = ""
    parent_audit_id: str | None = None
    credential_id: str | None = None
    restricted: bool = False
    trust_id: str | None = None


class _Wire(Struct, frozen=True, array_like=True):
    user: bytes
    user_domain: bytes
    kind: int
    scope: bytes | None
    scope_domain: bytes | None
    common_roles: int
    other_roles: list[str] | None
    methods: int
    issued: int
    life: int
    epoch: int
    audit: bytes
    parent: bytes | None
    credential: bytes | None
    restricted: bool


class _Lent(_Wire, frozen=True, array_like=True):
    """The content of a token got by a trust: others have no such member."""

    trust: bytes | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Lent)


def new_audit_id() -> str:
    """128 random bits in 22 characters, as upstream's audit ids."""
    return _audit_text(os.urandom(16))


def pack(token: Token) -> bytes:
    """The payload to seal; role names are left out when they do not fit."""
    roles = token.roles
    payload = _encoder.encode(_wire(token, roles))
    if len(payload) > ROOM:
        payload = _encoder.encode(_wire(token, None))
    return payload


def _wire(token: Token, roles: tuple[str, ...] | None) -> _Wire:
    others = None if roles is None else sorted(set(roles) - set(COMMON_ROLES))
    plain = _Wire(
        user=_short(token.user_id),
        user_domain=_short(token.user_domain_id),
        kind=int(token.kind),
        scope=_maybe_short(token.scope_id),
        scope_domain=_maybe_short(token.scope_domain_id),
        common_roles=_bits(COMMON_ROLES, roles or ()),
        other_roles=others,
        methods=_bits(METHODS, token.methods),
        issued=token.issued_at,
        life=token.expires_at - token.issued_at,
        epoch=token.epoch,
        audit=_audit_bytes(token.audit_id),
        parent=_audit_bytes(token.parent_audit_id) if token.parent_audit_id else None,
        credential=_maybe_short(token.credential_id),
        restricted=token.restricted,
    )
    if token.trust_id is None:
        return plain
    return _Lent(**msgspec.structs.asdict(plain), trust=_short(token.trust_id))


def unpack(payload: bytes) -> Token:
    """The content of an opened token.

    Errors: Broken when a token of another layout was sealed by the same key.
    """
    try:
        wire = _decoder.decode(payload)
        kind = ScopeKind(wire.kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise Broken("the token's content is of no layout this cloud knows") from error
    others = wire.other_roles
    roles = None if others is None else (*_names(COMMON_ROLES, wire.common_roles), *others)
    return Token(
        user_id=_long(wire.user),
        user_domain_id=_long(wire.user_domain),
        kind=kind,
        scope_id=_maybe_long(wire.scope),
        scope_domain_id=_maybe_long(wire.scope_domain),
        roles=roles,
        methods=_names(METHODS, wire.methods),
        issued_at=wire.issued,
        expires_at=wire.issued + wire.life,
        epoch=wire.epoch,
        audit_id=_audit_text(wire.audit),
        parent_audit_id=_audit_text(wire.parent) if wire.parent else None,
        credential_id=_maybe_long(wire.credential),
        restricted=wire.restricted,
        trust_id=_maybe_long(wire.trust),
    )


def _short(identifier: str) -> bytes:
    """A UUID in hexadecimal as its sixteen bytes, any other id as its text, after a mark."""
    if len(identifier) == 32 and HEXADECIMAL.fullmatch(identifier):
        return HEX + bytes.fromhex(identifier)
    return TEXT + identifier.encode()


def _long(short: bytes) -> str:
    return short[1:].hex() if short[:1] == HEX else short[1:].decode()


def _maybe_short(identifier: str | None) -> bytes | None:
    return None if identifier is None else _short(identifier)


def _maybe_long(short: bytes | None) -> str | None:
    return None if short is None else _long(short)


def _audit_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _audit_bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def _bits(names: tuple[str, ...], chosen: Iterable[str]) -> int:
    wanted = set(chosen)
    return sum(1 << at for at, name in enumerate(names) if name in wanted)


@functools.cache
def _names(names: tuple[str, ...], bits: int) -> tuple[str, ...]:
    return tuple(name for at, name in enumerate(names) if bits & 1 << at)
