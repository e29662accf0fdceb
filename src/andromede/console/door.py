"""The WebSocket of consoles, `/console/socket?token=…`: knows who may come in, and passes bytes between
the browser and the edge. Touches the database through compute, and the edge's session socket.

Source: RFC 6455, which uvicorn and websockets speak; noVNC's and websockify's subprotocol `binary`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

from andromede import ids
from andromede.cloud import Cloud
from andromede.edge import sessions
from andromede.edge.sessions import PIECE, Streams
from andromede.http.errors import ApiError
from andromede.services.compute import api as compute
from andromede.services.compute.api import ConsoleCame, OpenedConsole

log = structlog.get_logger("api")

PATH = "/console/socket"
PROTOCOL = "binary"
LARGEST = 1 << 20  # bytes of one message of a browser
MOST = 128  # sessions of one process
RECHECK = 15.0  # seconds between looks at whether the bearer may still have it
LONGEST = 12 * 3600.0  # seconds of one session
# Close codes of RFC 6455, and of our own from 4000 on.
ENDED, NOT_BYTES, AWAY, REVOKED = 1000, 1003, 1013, 4403

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """The ASGI application of one listener: WebSockets are consoles, all else is `application`'s."""

    def __init__(
        self, cloud: Cloud, application: Application, *, listener: str, base_url: str = "",
        recheck: float = RECHECK,
    ) -> None:  # fmt: skip
        self._cloud = cloud
        self._application = application
        self._listener = listener
        self._base_url = base_url
        self._recheck = recheck
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._application(scope, receive, send)
            return
        request_id = f"req-{ids.new()}"
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await receive()  # that it would connect
            opened = await self._admitted(scope, request_id)
            if opened is None:
                await send({"type": "websocket.close"})  # before it was accepted: a 403
                return
            self._open += 1
            try:
                await self._session(opened, scope, receive, send)
            finally:
                self._open -= 1

    async def _admitted(self, scope: Scope, request_id: str) -> OpenedConsole | None:
        """The console that a WebSocket opens; None, and a line in the log, when it opens none."""
        remote = (scope.get("client") or ("",))[0]
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        try:
            if scope["path"] != PATH:
                raise ValueError(f"no WebSocket is at {scope['path']}")
            self._require_own(scope["scheme"], headers)
            if self._open >= MOST:
                raise ValueError(f"{MOST} sessions are open")
            query = parse_qs(scope["query_string"].decode("latin-1"))
            token = query.get("token", [""])[0]
            came = ConsoleCame(
                listener=self._listener, remote=remote, request_id=request_id,
                cookies=_cookies(headers.get("cookie", "")),
            )  # fmt: skip
            return await asyncio.to_thread(compute.redeem_console, self._cloud, token, came)
        except (ValueError, ApiError) as error:
            log.warning("console refused", remote=remote, reason=str(error))
            return None

    def _require_own(self, scheme: str, headers: Mapping[str, str]) -> None:
        """A browser says from which page it comes, and that is one of ours. Errors: ValueError."""
        origin = headers.get("origin")
        if origin is None:  # no browser: nobody's page makes it come
            return
        page = urlsplit(origin)
        own = {("https" if scheme == "wss" else "http", headers.get("host", ""))}
        if self._base_url:
            base = urlsplit(self._base_url)
            own.add((base.scheme, base.netloc))
        if (page.scheme, page.netloc) not in own:
            raise ValueError(f"a page of {origin} asked for it")

    async def _session(
        self, opened: OpenedConsole, scope: Scope, receive: Receive, send: Send
    ) -> None:
        chosen = PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None
        accept = {
            "type": "websocket.accept", "subprotocol": chosen, "headers": self._kept(opened, scope)
        }  # fmt: skip
        try:
            streams = await sessions.join(
                self._cloud.paths.run / "session.sock", opened.server_id, opened.kind
            )
        except ConnectionError as error:
            log.warning("console refused", server=opened.server_id, reason=str(error))
            await send(accept)
            await _end(send, AWAY, str(error))
            return
        try:
            await send(accept)
            log.info("console opened", server=opened.server_id, kind=opened.kind)
            code, reason = await self._until_ended(opened, streams, receive, send)
            log.info("console ended", server=opened.server_id, kind=opened.kind, reason=reason)
            await _end(send, code, reason)
        finally:
            streams[1].close()
            with contextlib.suppress(OSError):
                await streams[1].wait_closed()

    def _kept(self, opened: OpenedConsole, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What a browser is to keep so that it may load its page again: nobody else reads it."""
        if opened.cookie is None:
            return []
        secure = scope["scheme"] == "wss" or self._base_url.startswith("https:")
        cookie = f"{opened.cookie}; Path={PATH}; HttpOnly; SameSite=Strict"
        return [(b"set-cookie", f"{cookie}{'; Secure' if secure else ''}".encode())]

    async def _until_ended(
        self, opened: OpenedConsole, streams: Streams, receive: Receive, send: Send
    ) -> tuple[int, str]:
        """Pass bytes on until one of these is over; the close code and reason of the first."""
        reader, writer = streams
        parts = [
            asyncio.create_task(_to_browser(reader, send)),
            asyncio.create_task(_to_machine(receive, writer)),
            asyncio.create_task(self._watch(opened)),
        ]
        try:
            async with asyncio.timeout(LONGEST):
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            return next(each for each in parts if each in done).result()
        except TimeoutError:
            return ENDED, "it was open for as long as one may be"
        finally:
            for each in parts:
                each.cancel()
            await asyncio.wait(parts)

    async def _watch(self, opened: OpenedConsole) -> tuple[int, str]:
        never = asyncio.Event()
        while await asyncio.to_thread(compute.still_opened, self._cloud, opened):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._recheck):
                    await never.wait()
        return REVOKED, "what let you open it was revoked, or the server is no more"


def _cookies(header: str) -> dict[str, str]:
    """The cookies of a request by their names (RFC 6265, section 4.2.1)."""
    parts = (each.strip().partition("=") for each in header.split(";"))
    return {name: value for name, _, value in parts}


async def _to_browser(reader: asyncio.StreamReader, send: Send) -> tuple[int, str]:
    with contextlib.suppress(OSError):
        while data := await reader.read(PIECE):
            await send({"type": "websocket.send", "bytes": data})
    return ENDED, "the machine's end was closed"


async def _to_machine(receive: Receive, writer: asyncio.StreamWriter) -> tuple[int, str]:
    with contextlib.suppress(OSError):
        while (message := await receive())["type"] == "websocket.receive":
            data = message.get("bytes")
            if data is None:
                return NOT_BYTES, "binary messages are accepted, and text is none"
            writer.write(data)
            await writer.drain()
    return ENDED, "the browser left"


async def _end(send: Send, code: int, reason: str) -> None:
    """Close with a reason of at most 123 bytes; a browser that left hears nothing."""
    with contextlib.suppress(OSError):
        text = reason.encode()[:123].decode(errors="ignore")
        await send({"type": "websocket.close", "code": code, "reason": text})
