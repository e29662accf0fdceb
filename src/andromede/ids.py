"""Identifiers: random, never reused, in the two spellings OpenStack uses."""

from __future__ import annotations

import uuid


def new() -> str:
    """A UUID with dashes, as servers, images, networks and ports have."""
    return str(uuid.uuid4())


def new_hex() -> str:
    """A UUID of 32 hexadecimal digits, as users, projects, domains and roles have."""
    return uuid.uuid4().hex
