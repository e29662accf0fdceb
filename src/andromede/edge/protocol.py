"""What worker and edge say to each other: one JSON document a packet, with at most one descriptor.

The worker says, and the edge answers with {"error": text or null, "ids": [...]}:

    {"kind": "metadata", "id": network}   and a TCP socket that listens inside the network
    {"kind": "forget", "id": network}     serve its metadata no more
    {"kind": "list", "after": network}    the next networks held, in order
    {"kind": "consoles"}                  from now on, on this connection, the edge asks

On such a connection the edge says {"id": server}, and the worker answers with {"id": server} and,
if there is one, a readable descriptor on the server's console log. With {"id": server, "what":
"figures"} it asks for a document of what the server's machine used: `figures.Figures` in
JSON, or null when the machine does not run; no descriptor: nobody could measure it. With "vnc" or
"serial" for a connected socket on its machine's screen or serial port.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import stat
import struct
from typing import Annotated, Literal

from msgspec import Meta, Struct

PACKET = 64 * 1024
DESCRIPTORS = 4  # taken from one packet; all but one that is due are closed
LISTED = 1000  # ids in one answer
ID = r"[0-9a-zA-Z-]{1,64}"
Id = Annotated[str, Meta(pattern=f"^{ID}$")]


class Metadata(Struct, tag="metadata", tag_field="kind", forbid_unknown_fields=True):
    id: Id


class Forget(Struct, tag="forget", tag_field="kind", forbid_unknown_fields=True):
    id: Id


class List(Struct, tag="list", tag_field="kind", forbid_unknown_fields=True):
    after: str = ""


class Consoles(Struct, tag="consoles", tag_field="kind", forbid_unknown_fields=True):
    pass


Message = Metadata | Forget | List | Consoles


class Answer(Struct, kw_only=True):
    error: str | None = None
    ids: list[str] = []


class Console(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Asked by the edge, and answered by the worker, with a descriptor if there is what was asked."""

    id: Id
    what: Literal["log", "figures", "vnc", "serial"] = "log"


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


def reads(descriptor: int) -> bool:
    """Whether a descriptor is a file's, and can be read."""
    mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and mode != os.O_WRONLY


def connected(descriptor: int) -> bool:
    """Whether a descriptor is a stream socket of this host, with somebody at its other end."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as held:
            held.getpeername()
            return (held.family, held.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError:
        return False


async def readable(connection: socket.socket) -> None:
    """Wait until something can be read."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
