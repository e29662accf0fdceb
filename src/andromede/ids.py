"""Identifiers: random, never reused, in the two spellings OpenStack uses."""

from __future__ import annotations

import os

VARIANT = "89ab"  # the first digit of the fourth group, by RFC 9562


def new() -> str:
    """A UUID (version 4) with dashes, as servers, images, networks and ports have."""
    text = new_hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_hex() -> str:
    """A UUID of 32 hexadecimal digits, as users, projects, domains and roles have."""
    raw = os.urandom(16)
    text = raw.hex()
    return f"{text[:12]}4{text[13:16]}{VARIANT[raw[8] & 3]}{text[17:]}"
