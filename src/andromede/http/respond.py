"""Responses as ASGI messages: whole, streamed, or refused in the service's native shape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import Executor
from typing import Any

import msgspec

from andromede.http.errors import ApiError, NotFound
from andromede.http.operation import Reply, Service
from andromede.http.routing import Table

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def refusal(service: Service, error: ApiError, asked: Mapping[str, str], base_url: str) -> Reply:
    """An error in its service's own shape; a 401 says where to authenticate, and is JSON for everybody.
    `asked` are the request's headers."""
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", f'Keystone uri="{base_url}/identity/v3"')
    elif service.error_page is not None and "application/json" not in asked.get("accept", ""):
        page = service.error_page(error).encode()
        return Reply(error.status, page, headers, media_type="text/html; charset=UTF-8")
    return Reply(error.status, msgspec.json.encode(service.error_shape(error)), headers)


def unknown(tables: Mapping[str, Table], base_url: str, path: str) -> Reply:
    """The front page for `/`, and the answer to a path below no service."""
    if path.strip("/"):
        known = ", ".join(f"/{name}" for name in sorted(tables))
        error = NotFound(f"Nothing is served at {path}. Services are at: {known}.")
        return Reply(404, msgspec.json.encode({"error": {
            "code": 404, "title": "Not Found", "message": error.message}}))  # fmt: skip
    services = [
        {"name": table.service.name, "type": table.service.type, "url": f"{base_url}/{name}"}
        for name, table in sorted(tables.items())
    ]
    return Reply(200, msgspec.json.encode({"services": services}))


async def send_reply(reply: Reply, method: str, send: Send, pool: Executor) -> None:
    """Write a reply; iterators are drained chunk by chunk off the event loop."""
    body = reply.body
    whole = body if isinstance(body, bytes) else b""
    streamed = body is not None and not isinstance(body, bytes)
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in reply.headers.items()
    ]
    if not streamed and reply.status not in (204, 304):
        headers.append((b"content-length", str(len(whole)).encode()))
    if body is not None:
        headers.append((b"content-type", reply.media_type.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if streamed and method != "HEAD":
        await _send_chunks(body, send, pool)
    else:
        if streamed:
            _close(body)
        rest = b"" if method == "HEAD" else whole
        await send({"type": "http.response.body", "body": rest})


async def _send_chunks(chunks: Iterator[bytes], send: Send, pool: Executor) -> None:
    loop = asyncio.get_running_loop()
    try:
        while True:
            chunk = await loop.run_in_executor(pool, next, chunks, b"")
            if not chunk:
                break
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        _close(chunks)


def _close(chunks: Iterator[bytes]) -> None:
    """End an iterator that may hold a file."""
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
