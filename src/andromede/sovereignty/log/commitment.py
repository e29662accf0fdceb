"""What the public tree holds of a leaf: a commitment, which says nothing without the leaf's salt."""

from __future__ import annotations

import hmac

SALT = 32  # bytes


def commitment(salt: bytes, content: bytes) -> bytes:
    """HMAC-SHA256 of a leaf's RFC 8785 JSON, keyed with its salt: 32 bytes."""
    return hmac.digest(salt, content, "sha256")
