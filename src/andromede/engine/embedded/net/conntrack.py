"""Reads and cuts tracked connections of the calling thread's namespace, through ctnetlink.

Structures are those of linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from msgspec import Struct

from andromede.engine.embedded.net.rules import Flow
from andromede.engine.protocol import EngineError

NETLINK_NETFILTER = 12
_SUBSYSTEM = 1 << 8
_NEW, _GET, _DELETE = _SUBSYSTEM | 0, _SUBSYSTEM | 1, _SUBSYSTEM | 2
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_ORIGINAL, _REPLY = 1, 2
_NESTED = 0x8000
_ENOENT = 2


class Entry(Struct, frozen=True, kw_only=True):
    """A tracked connection: how it began, whom its answers go between, and its kernel name."""

    flow: Flow
    reply_source: str
    reply_destination: str
    family: int
    original: bytes

    def touches(self, address: str) -> bool:
        """Whether either direction has the address at either end."""
        flow = self.flow
        ends = (flow.source, flow.destination, self.reply_source, self.reply_destination)
        return address in ends


def cut(unwanted: Callable[[Entry], bool]) -> int:
    """Forget every connection the callable names; how many there were.

    Errors: EngineError when the kernel refuses.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as link:
        chosen = [entry for entry in _dump(link) if unwanted(entry)]
        for entry in chosen:
            _delete(link, entry)
    return len(chosen)


def _dump(link: socket.socket) -> Iterator[Entry]:
    header = struct.pack("=LHHLL", 20, _GET, _REQUEST | _DUMP, 1, 0)
    link.send(header + struct.pack("=BBH", socket.AF_UNSPEC, 0, 0))
    while True:
        data = link.recv(1 << 18)
        offset = 0
        while offset < len(data):
            length, kind = struct.unpack_from("=LH", data, offset)
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise EngineError("listing tracked connections: the kernel refused")
            entry = _parse(data[offset + 16 : offset + length])
            if entry is not None:
                yield entry
            offset += (length + 3) & ~3


def _delete(link: socket.socket, entry: Entry) -> None:
    tuple_ = struct.pack("=HH", len(entry.original) + 4, _ORIGINAL | _NESTED) + entry.original
    body = struct.pack("=BBH", entry.family, 0, 0) + tuple_
    link.send(struct.pack("=LHHLL", 16 + len(body), _DELETE, _REQUEST | _ACK, 2, 0) + body)
    answer = link.recv(1 << 16)
    code = -struct.unpack_from("=i", answer, 16)[0]
    if code not in (0, _ENOENT):
        raise EngineError(f"cutting connection {entry.flow}: the kernel answered error {code}")


def _parse(body: bytes) -> Entry | None:
    parts = _attributes(body[4:])
    if _ORIGINAL not in parts or _REPLY not in parts:
        return None
    original, reply = _attributes(parts[_ORIGINAL]), _attributes(parts[_REPLY])
    source, destination = _addresses(original[1])
    reply_source, reply_destination = _addresses(reply[1])
    transport = _attributes(original[2])
    protocol = transport[1][0]
    low, code = _low(transport)
    return Entry(
        flow=Flow(source=source, destination=destination, protocol=protocol, low=low, code=code),
        reply_source=reply_source,
        reply_destination=reply_destination,
        family=body[0],
        original=parts[_ORIGINAL],
    )


def _low(transport: dict[int, bytes]) -> tuple[int | None, int | None]:
    for kind, code in ((5, 6), (8, 9)):  # ICMP, ICMPv6: type and code
        if kind in transport:
            return transport[kind][0], transport[code][0]
    if 3 in transport:
        return int.from_bytes(transport[3], "big"), None
    return None, None


def _addresses(nested: bytes) -> tuple[str, str]:
    ends = _attributes(nested)
    source, destination = (ends[1], ends[2]) if 1 in ends else (ends[3], ends[4])
    return str(ip_address(source)), str(ip_address(destination))


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found
