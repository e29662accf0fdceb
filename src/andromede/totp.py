"""Time-based one-time passwords. Pure. Source: RFC 6238 with its defaults: HMAC-SHA-1, steps of 30
seconds since the epoch, six digits (RFC 4226, section 5.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DIGITS = 6
SHORTEST = 16  # bytes; RFC 4226, section 4, R6: at least 128 bits
DRIFT = 1  # steps that a clock may be off, either way
PASSCODE = re.compile(r"[0-9]{6}")


def secret_of(text: str) -> bytes:
    """The shared secret that base32 text spells, with or without its padding.

    Errors: ValueError saying what is accepted.
    """
    plain = text.strip().upper().rstrip("=")
    try:
        secret = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError) as error:
        raise ValueError("the secret is not base32 (RFC 4648)") from error
    if len(secret) < SHORTEST:
        raise ValueError(f"the secret has {len(secret)} bytes; at least {SHORTEST} are accepted")
    return secret


def code(secret: bytes, step: int) -> str:
    """The passcode of one step."""
    digest = hmac.digest(secret, struct.pack(">Q", step), hashlib.sha1)
    at = digest[-1] & 0x0F
    (value,) = struct.unpack(">I", digest[at : at + 4])
    return str((value & 0x7FFF_FFFF) % 10**DIGITS).zfill(DIGITS)


def matching(secret: bytes, passcode: str, seconds: int) -> int | None:
    """The step near a moment (seconds since the epoch) whose passcode this is, or None."""
    now, found = seconds // STEP, None
    for step in range(max(0, now - DRIFT), now + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), passcode.encode()):
            found = step
    return found


def uri(secret: str, user: str, issuer: str) -> str:
    """What authenticator apps read as a QR code: the Key URI Format that they share."""
    label = quote(f"{issuer}:{user}", safe=":")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"
