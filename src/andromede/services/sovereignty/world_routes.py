"""Rows of the declared world: sites, entities, holdings, contracts, laws."""

from __future__ import annotations

from andromede.http.operation import Operation
from andromede.sovereignty.world import facts

__all__ = ["WORLD", "facts"]

WORLD: list[Operation] = []
