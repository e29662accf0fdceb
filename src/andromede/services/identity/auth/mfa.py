"""Rules of users that ask for several methods at once, and receipts for those already passed.

A receipt is sealed as tokens are, and is none. Source: the identity API's "Multi-Factor
Authentication" and its header Openstack-Auth-Receipt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from andromede import clock
from andromede.db import Connection
from andromede.http.operation import Reply
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens.seal import Broken, KeyRing

METHODS = ("password", "token", "application_credential", "totp")
HEADER = "Openstack-Auth-Receipt"
LIFETIME = 300  # seconds


class Receipt(Struct, frozen=True, array_like=True, tag="receipt"):
    """Who passed which methods, until when (seconds since the epoch), and at which epoch of
    revocations."""

    user_id: str
    methods: tuple[str, ...]
    expires_at: int
    epoch: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Receipt)


def missing(user: Row, methods: Iterable[str]) -> list[list[str]]:
    """The rules of which one has to be met; none when one is, or the user has none that can be."""
    rules = user.options.get("multi_factor_auth_rules") or []
    if user.options.get("multi_factor_auth_enabled") is False:
        return []
    known = [each for each in ([m for m in rule if m in METHODS] for rule in rules) if each]
    passed = set(methods)
    return [] if any(passed.issuperset(rule) for rule in known) else known


def challenge(
    connection: Connection, ring: KeyRing, user: Row, methods: list[str], rules: list[list[str]]
) -> Reply:
    """The answer that asks for the other methods: 401 with a receipt for those passed."""
    now = clock.now() // clock.SECOND
    receipt = Receipt(
        user.id, tuple(methods), now + LIFETIME, revocations.current_epoch(connection)
    )
    home = projects.get_domain(connection, user.domain_id)
    assert home is not None, "a user that logs in has a domain"
    body: dict[str, Any] = {
        "receipt": {
            "methods": methods,
            "user": {
                "id": user.id,
                "name": user.name,
                "domain": {"id": home.id, "name": home.name},
            },
            "expires_at": clock.iso_micro(receipt.expires_at * clock.SECOND),
            "issued_at": clock.iso_micro(now * clock.SECOND),
        },
        "required_auth_methods": rules,
    }
    return Reply(401, body, {HEADER: ring.seal(_encoder.encode(receipt))})


def read(connection: Connection, ring: KeyRing, text: str) -> Receipt | None:
    """A living receipt; None when it is none, is over, or its user's tokens were revoked since."""
    try:
        receipt = _decoder.decode(ring.open(text))
    except (Broken, msgspec.DecodeError):
        return None
    subject = revocations.user_subject(receipt.user_id)
    if receipt.expires_at <= clock.now() // clock.SECOND:
        return None
    if revocations.last_epoch(connection, [subject]) > receipt.epoch:
        return None
    return receipt
