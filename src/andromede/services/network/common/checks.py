"""Readers of attribute values: each takes what JSON gave, returns the canonical value or raises
ValueError with the reason that the client is told."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

Reader = Callable[[Any], Any]

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
TRUE = {"true", "1", "yes", "on", "t"}
FALSE = {"false", "0", "no", "off", "f"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def text(most: int) -> Reader:
    """A string of at most `most` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"'{value}' is not a valid string")
        if len(value) > most:
            raise ValueError(f"'{value}' exceeds maximum length of {most}")
        return value

    return read


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        word = str(value).lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
    raise ValueError(f"'{value}' cannot be converted to boolean")


def identifier(value: Any) -> str:
    """A UUID, in either spelling."""
    if isinstance(value, str):
        try:
            uuid.UUID(value)
        except ValueError:
            pass
        else:
            return value
    raise ValueError(f"'{value}' is not a valid UUID")


def integer(least: int, most: int) -> Reader:
    """A whole number, or its decimal text, from `least` to `most`."""

    def read(value: Any) -> int:
        try:
            if isinstance(value, (bool, float)):
                raise ValueError
            number = int(value)
        except (TypeError, ValueError):
            raise ValueError(f"'{value}' is not an integer") from None
        if not least <= number <= most:
            raise ValueError(f"'{value}' is not in range {least} through {most}")
        return number

    return read


def one_of(*words: Any) -> Reader:
    """One of some values, kept as it is."""

    def read(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"'{value}' is not in {list(words)}")
        return value

    return read


def optional(reader: Reader) -> Reader:
    """What `reader` reads, or null."""
    return lambda value: None if value is None else reader(value)


def ip(value: Any) -> str:
    try:
        if not isinstance(value, str):
            raise ValueError
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP address") from None


def cidr(value: Any) -> str:
    """A network in canonical form: host bits are cleared."""
    try:
        if not isinstance(value, str):
            raise ValueError
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP subnet") from None


def mac(value: Any) -> str:
    """A unicast MAC address, lower-case with colons."""
    word = value.lower().replace("-", ":") if isinstance(value, str) else ""
    if not MAC.fullmatch(word):
        raise ValueError(f"'{value}' is not a valid MAC address")
    if int(word[:2], 16) & 1 or word == "00:00:00:00:00:00":
        raise ValueError(f"'{value}' is not a unicast MAC address")
    return word


def host_name(value: Any) -> str:
    """A DNS name of labels, lower-case; empty for none."""
    word: str = text(255)(value).lower()
    if word and not all(LABEL.fullmatch(part) for part in word.rstrip(".").split(".")):
        raise ValueError(f"'{value}' is not a valid DNS name")
    return word


def domain_name(value: Any) -> str:
    """A DNS domain that ends with a dot; empty for none."""
    word = host_name(value)
    if word and not word.endswith("."):
        raise ValueError(f"'{value}' is not a FQDN: it ends with a dot")
    return word


def listing(reader: Reader, *, unique: str = "") -> Reader:
    """A list of what `reader` reads; null is the empty list. `unique` names what may not repeat."""

    def read(value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"'{value}' is not a list")
        items = [reader(each) for each in value]
        if unique and any(each in items[:at] for at, each in enumerate(items)):
            raise ValueError(f"duplicate {unique} in '{value}'")
        return items

    return read


def filled(reader: Reader) -> Reader:
    """What `reader` reads, but not null."""

    def read(value: Any) -> Any:
        if value is None:
            raise ValueError("'None' is not accepted: the attribute may be left out")
        return reader(value)

    return read


def document(required: dict[str, Reader], allowed: dict[str, Reader] | None = None) -> Reader:
    """An object with exactly these members; `allowed` ones may be absent and then are."""
    allowed = allowed or {}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"'{value}' is not a dictionary")
        unknown = value.keys() - required.keys() - allowed.keys()
        if unknown:
            raise ValueError(f"unexpected keys supplied: {', '.join(sorted(unknown))}")
        absent = required.keys() - value.keys()
        if absent:
            raise ValueError(f"expected keys not found: {', '.join(sorted(absent))}")
        return {key: (required.get(key) or allowed[key])(each) for key, each in value.items()}

    return read


host_routes = listing(document({"destination": cidr, "nexthop": ip}), unique="host route")
description = text(255)


def name(value: Any) -> str:
    """A name of at most 255 characters, each of them seen, and no space at either end."""
    word: str = text(255)(value)
    if word != word.strip() or any(_hidden(each) for each in word):
        raise ValueError(f"'{value}' is not a valid string")
    return word


def _hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")


def ordered_pool(value: Any) -> dict[str, str]:
    """An allocation pool: two addresses of one family, the first not after the last."""
    pool: dict[str, str] = document({"start": ip, "end": ip})(value)
    first, last = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
    if first.version != last.version or int(first) > int(last):
        raise ValueError(f"the pool {pool['start']}-{pool['end']} is not an ordered range")
    return pool
