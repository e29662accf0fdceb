"""The whole declared world as one document, in JSON as in TOML, and back. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from andromede import ids
from andromede.sovereignty.world.check import Fault, FaultyWorld
from andromede.sovereignty.world.model import Contract, Entity, Holding, Site, World


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is declared. Holdings without an id keep the one of the same holder, held and
    beginning that is declared already, or are given one."""

    sites: tuple[Site, ...] = ()
    entities: tuple[Entity, ...] = ()
    holdings: tuple[Holding, ...] = ()
    contracts: tuple[Contract, ...] = ()


def of_world(world: World) -> Document:
    return Document(
        sites=tuple(world.sites.values()),
        entities=tuple(world.entities.values()),
        holdings=tuple(world.holdings.values()),
        contracts=tuple(world.contracts.values()),
    )


def to_world(document: Document, before: World) -> World:
    """The world that a document declares, in place of the one before.

    Errors: FaultyWorld when two declarations share a name or id, or one has none.
    """
    faults: list[Fault] = []
    known = {(each.holder, each.held, each.since): key for key, each in before.holdings.items()}
    holdings = [
        each
        if each.id
        else msgspec.structs.replace(
            each, id=known.get((each.holder, each.held, each.since)) or ids.new()
        )
        for each in document.holdings
    ]
    world = World(
        sites=_by("name", "site", document.sites, faults),
        entities=_by("id", "entity", document.entities, faults),
        holdings=_by("id", "holding", holdings, faults),
        contracts=_by("id", "contract", document.contracts, faults),
    )
    if faults:
        raise FaultyWorld(faults)
    return world


def _by(name: str, noun: str, parts: Iterable[Any], faults: list[Fault]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in parts:
        key = getattr(each, name)
        if not key:
            faults.append(Fault(text=f"a declared {noun} has no {name}"))
        elif key in found:
            faults.append(Fault(text=f"two declarations of {noun} {key}; one is accepted"))
        found[key] = each
    return dict(sorted(found.items()))


def read_toml(text: str) -> Document:
    """Read a document in TOML: tables `[[sites]]`, `[[entities]]`, `[[holdings]]`, `[[contracts]]`.

    Errors: ValueError naming the line, or the faulty member by its place.
    """
    plain = tomllib.loads(text, parse_float=Decimal)
    return msgspec.convert(plain, Document)  # its errors are ValueErrors


def write_toml(document: Document) -> str:
    """The document in TOML, without what is as by default."""
    return "\n".join(_lines(document)).lstrip("\n") + "\n"


def _lines(document: Document) -> Iterator[str]:
    for noun in Document.__struct_fields__:
        for each in getattr(document, noun):
            yield f"\n[[{noun}]]"
            for key, value in _told(each).items():
                yield f"{key} = {_value(value)}"


def _told(part: Struct) -> dict[str, Any]:
    """The members that differ from their defaults; what has no default is always told."""
    found: dict[str, Any] = {}
    for each in msgspec.structs.fields(part):
        value = getattr(part, each.name)
        if each.required or value != each.default:
            found[each.name] = value
    return found


def _value(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Struct):
        return _value(_told(value))
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(each) for each in value)}]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
