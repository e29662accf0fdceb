"""Where images may be fetched from: the rules of a URL, and of the addresses its name leads to.

A cloud that fetches what customers name could be made to reach what only it can: its own services,
its networks, a host's metadata address. So only http and https to ports 80 and 443 of public
addresses are fetched; what else an operator allows stands in the setting `image_sources`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

SCHEMES = {"http": 80, "https": 443}
LONGEST = 2048
Resolve = Callable[[str, int], list[str]]  # a host and a port to addresses; raises OSError
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class SourceError(Exception):
    """A URL that is not fetched, and why, for people."""


class Source(Struct, frozen=True):
    """A URL in its parts, as it may be asked for."""

    scheme: str
    host: str
    port: int
    target: str  # path and query


def parse(url: object) -> Source:
    """A URL's parts.

    Errors: SourceError saying what is accepted.
    """
    if not isinstance(url, str) or not 0 < len(url) <= LONGEST:
        raise SourceError(f"a URL of at most {LONGEST} characters is accepted")
    if any(not 0x20 < ord(each) < 0x7F for each in url):
        raise SourceError("only printable ASCII characters, without spaces, are accepted")
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES.get(parts.scheme, 0)
    except ValueError as error:
        raise SourceError(f"it is no URL: {error}") from error
    _check_parts(parts)
    host = (parts.hostname or "").rstrip(".")
    query = f"?{parts.query}" if parts.query else ""
    return Source(parts.scheme, host, port, f"{parts.path or '/'}{query}")


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme not in SCHEMES:
        raise SourceError(f"the scheme {parts.scheme!r} is not accepted; http and https are")
    if parts.username is not None or parts.password is not None:
        raise SourceError("a URL without user and password is accepted")
    if not (parts.hostname or "").rstrip("."):
        raise SourceError("it names no host")


def check(source: Source, allowed: Sequence[str]) -> None:
    """What can be said of a URL before its name is resolved.

    Errors: SourceError.
    """
    if named(source, allowed):
        return
    if source.port != SCHEMES[source.scheme]:
        raise SourceError(f"port {source.port} is not accepted; 80 for http and 443 for https are")
    try:
        literal = ipaddress.ip_address(source.host)
    except ValueError:
        return
    if not acceptable(literal, allowed):
        raise SourceError(f"{source.host} is no public address")


def named(source: Source, allowed: Sequence[str]) -> bool:
    """Whether the operator allowed the host by its name, HOST or HOST:PORT."""
    usual = source.port == SCHEMES[source.scheme]
    shown = f"[{source.host}]" if ":" in source.host else source.host
    return f"{shown}:{source.port}" in allowed or (usual and shown in allowed)


def acceptable(address: Address, allowed: Sequence[str]) -> bool:
    """Whether an address is public, or in a network the operator allowed."""
    if any(address in network for network in _networks(allowed)):
        return True
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return all(_public(each) for each in (mapped or address, *_inside(address)))


def _public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.sixtofour]
    found += address.teredo or ()
    if address in ipaddress.ip_network("64:ff9b::/96"):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]


def _networks(allowed: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(each) for each in allowed if "/" in each]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Errors: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def address_of(source: Source, allowed: Sequence[str], ask: Resolve = resolve) -> str:
    """The address to connect to, and to no other: a name that leads anywhere it must not is refused
    as a whole, whatever else it leads to.

    Errors: SourceError.
    """
    check(source, allowed)
    try:
        found = ask(source.host, source.port)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{source.host} does not resolve: {error}") from error
    if not found:
        raise SourceError(f"{source.host} does not resolve: it has no address")
    if not named(source, allowed):
        for each in found:
            if not acceptable(ipaddress.ip_address(each.partition("%")[0]), allowed):
                raise SourceError(f"{source.host} leads to {each}, which is no public address")
    return found[0]
