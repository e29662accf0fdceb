"""Small worlds for tests: entities and holdings in a line each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from andromede.sovereignty.world.model import Entity, Holding, Kind, World

TODAY = date(2026, 1, 1)


def entity(key: str, country: str = "FR", kind: str = "company", **more: Any) -> Entity:
    return Entity(id=key, name=key.title(), kind=Kind(kind), country=country, **more)


def public(key: str, country: str = "FR") -> Entity:
    """One that ends a chain."""
    return entity(key, country, "public-body")


def holding(holder: str, held: str, capital: object = None, **more: Any) -> Holding:
    share = None if capital is None else Decimal(str(capital))
    return Holding(holder=holder, held=held, capital=share, **more)


def world(*parts: Any, **more: Any) -> World:
    """A world of these entities and holdings."""
    entities = {each.id: each for each in parts if isinstance(each, Entity)}
    holdings = [each for each in parts if isinstance(each, Holding)]
    return World(
        entities=entities, holdings={str(at): each for at, each in enumerate(holdings)}, **more
    )
