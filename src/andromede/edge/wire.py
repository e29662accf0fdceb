"""HTTP/1.1 over asyncio streams, within bounds of size and time: the serving and the asking side.

Source: RFC 9112, as h11 implements it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import h11
from msgspec import Struct

HEAD_BYTES = 16 * 1024
PIECE = 16 * 1024
IDLE = 15.0  # seconds for a request to arrive whole
ANSWERING = 30.0  # seconds for an answer to leave


class Request(Struct, frozen=True, kw_only=True):
    """What was asked. `target` is path and query; headers are dropped: nothing here heeds them."""

    method: str
    target: str
    body: bytes = b""


class Response(Struct, frozen=True, kw_only=True):
    """What is answered."""

    status: int
    body: bytes = b""
    media_type: str = "text/plain; charset=UTF-8"


class TooLongError(Exception):
    """A body passes its bound."""


Handler = Callable[[Request], Awaitable[Response]]


def plain(status: int, say: str = "") -> Response:
    """A refusal in words."""
    return Response(status=status, body=f"{say or HTTPStatus(status).phrase}\n".encode())


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while True:
        event = connection.next_event()
        if event is not h11.NEED_DATA:
            return event
        connection.receive_data(await reader.read(PIECE))


async def _body(connection: h11.Connection, reader: asyncio.StreamReader, most: int) -> bytes:
    """The rest of a message.

    Errors: TooLongError; h11.RemoteProtocolError when the peer leaves.
    """
    parts: list[bytes] = []
    size = 0
    while isinstance(event := await _event(connection, reader), h11.Data):
        size += len(event.data)
        if size > most:
            raise TooLongError(f"more than {most} bytes")
        parts.append(bytes(event.data))
    if not isinstance(event, h11.EndOfMessage):
        raise h11.RemoteProtocolError("the message ended early")
    return b"".join(parts)


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler, *, most: int
) -> None:
    """Answer the requests of one connection until it ends; bodies have at most `most` bytes."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    try:
        while await _serve_one(connection, reader, writer, handler, most):
            connection.start_next_cycle()
    except (OSError, TimeoutError, h11.ProtocolError):
        pass  # the peer left, was too slow, or does not speak HTTP; there is nobody to tell
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _serve_one(
    connection: h11.Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    handler: Handler,
    most: int,
) -> bool:
    """Whether another request may follow."""
    try:
        async with asyncio.timeout(IDLE):
            head = await _event(connection, reader)
            if not isinstance(head, h11.Request):
                return False
            if connection.they_are_waiting_for_100_continue:
                await _send(
                    connection, writer, h11.InformationalResponse(status_code=100, headers=[])
                )
            body = await _body(connection, reader, most)
    except TooLongError:
        response, method = plain(413), "GET"
    except h11.RemoteProtocolError as error:
        if connection.our_state is not h11.IDLE:
            return False
        response, method = plain(error.error_status_hint), "GET"
    else:
        method = head.method.decode("ascii")
        target = head.target.decode("latin-1")
        response = await handler(Request(method=method, target=target, body=body))
    async with asyncio.timeout(ANSWERING):
        await _answer(connection, writer, response, method)
    return connection.our_state is h11.DONE and connection.their_state is h11.DONE


async def _answer(
    connection: h11.Connection, writer: asyncio.StreamWriter, response: Response, method: str
) -> None:
    headers = [
        ("Content-Type", response.media_type),
        ("Content-Length", str(len(response.body))),
    ]
    await _send(connection, writer, h11.Response(status_code=response.status, headers=headers))
    if method != "HEAD":
        await _send(connection, writer, h11.Data(data=response.body))
    await _send(connection, writer, h11.EndOfMessage())


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, event: Any) -> None:
    data = connection.send(event)
    if data:
        writer.write(data)
        await writer.drain()


async def ask(
    path: Path, method: str, target: str, body: bytes, *, most: int, seconds: float
) -> Response:
    """One request to a server on a unix socket.

    Errors: OSError, TimeoutError, h11.ProtocolError, TooLongError.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_unix_connection(str(path))
        try:
            return await _ask(reader, writer, method, target, body, most)
        finally:
            writer.close()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    target: str,
    body: bytes,
    most: int,
) -> Response:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    headers = [("Host", "internal"), ("Connection", "close")]
    if body:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    await _send(connection, writer, h11.Request(method=method, target=target, headers=headers))
    if body:
        await _send(connection, writer, h11.Data(data=body))
    await _send(connection, writer, h11.EndOfMessage())
    head = await _event(connection, reader)
    while isinstance(head, h11.InformationalResponse):
        head = await _event(connection, reader)
    if not isinstance(head, h11.Response):
        raise h11.RemoteProtocolError("no response came")
    media = next((value for name, value in head.headers if name == b"content-type"), b"text/plain")
    answer = await _body(connection, reader, most)
    return Response(status=head.status_code, body=answer, media_type=media.decode("latin-1"))
