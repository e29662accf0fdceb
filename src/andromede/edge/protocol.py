"""What worker and edge say to each other: one JSON document a packet, with at most one descriptor.

    {"kind": "metadata", "id": network}  and a TCP socket that listens inside the network
    {"kind": "console", "id": server}    and a readable descriptor on its console log
    {"kind": "forget", "what": "metadata" | "console", "id": …}
    {"kind": "list", "what": …, "after": id}   the next ids held, in order

Each packet is answered by {"error": text or null, "ids": [...]}.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Annotated, Literal

from msgspec import Meta, Struct

PACKET = 64 * 1024
LISTED = 1000  # ids in one answer
What = Literal["metadata", "console"]
Id = Annotated[str, Meta(pattern=r"^[0-9a-zA-Z-]{1,64}$")]


class Metadata(Struct, tag="metadata", tag_field="kind", forbid_unknown_fields=True):
    id: Id


class Console(Struct, tag="console", tag_field="kind", forbid_unknown_fields=True):
    id: Id


class Forget(Struct, tag="forget", tag_field="kind", forbid_unknown_fields=True):
    what: What
    id: Id


class List(Struct, tag="list", tag_field="kind", forbid_unknown_fields=True):
    what: What
    after: str = ""


Message = Metadata | Console | Forget | List


class Answer(Struct, kw_only=True):
    error: str | None = None
    ids: list[str] = []


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end of a unix socket, as the kernel knows it."""
    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", raw)[1])


def listens(descriptor: int) -> bool:
    """Whether a descriptor is a TCP socket that listens."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as held:
            return (
                held.family in (socket.AF_INET, socket.AF_INET6)
                and held.type == socket.SOCK_STREAM
                and held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
            )
    except OSError:
        return False
