"""An nftables table as a value, and the text that turns one table into another at once. Pure."""

from __future__ import annotations

from msgspec import Struct


class Set(Struct, frozen=True, kw_only=True):
    """A named set, or a map when `kind` says so."""

    declaration: str
    elements: tuple[str, ...]
    kind: str = "set"


class Chain(Struct, frozen=True, kw_only=True):
    """A chain: its hook (empty for one that others jump to) and its rules in order."""

    hook: str = ""
    rules: tuple[str, ...]


class Table(Struct, frozen=True, kw_only=True):
    """A table with its sets and chains by name."""

    family: str
    name: str
    sets: dict[str, Set] = {}
    chains: dict[str, Chain] = {}

    @property
    def address(self) -> str:
        return f"{self.family} {self.name}"


def replacing(table: Table) -> str:
    """Text that makes the table whole, whatever was there under its name."""
    empty = Table(family=table.family, name=table.name)
    at = table.address
    return f"add table {at}\ndelete table {at}\nadd table {at}\n" + changing(empty, table)


def removing(table: Table) -> str:
    """Text that makes the table absent."""
    return f"add table {table.address}\ndelete table {table.address}\n"


def changing(old: Table, new: Table) -> str:
    """Text that turns `old` into `new`, touching only what differs; empty when nothing does."""
    at = new.address
    chains, sets = _differing(old.chains, new.chains), _differing(old.sets, new.sets)
    lines = [f"flush chain {at} {name}" for name in chains if name in old.chains]
    lines += [f"flush {old.sets[n].kind} {at} {n}" for n in sets if n in old.sets]
    lines += [
        f"add {new.sets[name].kind} {at} {name} {{ {new.sets[name].declaration} }}"
        for name in sets
        if name in new.sets and name not in old.sets
    ]
    lines += [
        f"add chain {at} {name}"
        + (f" {{ {new.chains[name].hook} }}" if new.chains[name].hook else "")
        for name in chains
        if name in new.chains and name not in old.chains
    ]
    lines += [
        f"add element {at} {name} {{ {', '.join(new.sets[name].elements)} }}"
        for name in sets
        if name in new.sets and new.sets[name].elements
    ]
    for name in chains:
        if name in new.chains:
            lines += [f"add rule {at} {name} {rule}" for rule in new.chains[name].rules]
    lines += [f"delete chain {at} {name}" for name in chains if name not in new.chains]
    lines += [f"delete {old.sets[n].kind} {at} {n}" for n in sets if n not in new.sets]
    return "\n".join(lines) + "\n" if lines else ""


def _differing(
    old: dict[str, Set] | dict[str, Chain], new: dict[str, Set] | dict[str, Chain]
) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
