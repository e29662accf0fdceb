"""Moments as this part of the compute API writes them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from andromede import clock


def spoken(moment: int) -> str:
    """A moment without a zone, in UTC."""
    return datetime.fromtimestamp(moment / clock.SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
