"""Handlers of PUT and GET …/file: data stream through, in pieces, off the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import structlog

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Forbidden, UnsupportedMediaType
from andromede.http.operation import Reply
from andromede.services.image import access, info, store
from andromede.services.image.data import files, ranges
from andromede.services.image.data.incoming import Incoming, Staging

log = structlog.get_logger("image")

MEDIA = "application/octet-stream"
PIECE = 1 << 20  # bytes hashed and written, or read, at a time
IDLE = 120.0  # seconds without a byte after which an upload is given up


class TimedOut(ApiError):
    status = 408


async def upload(context: Context) -> Reply:
    """Store the body as the image's data; 204 once they are inspected, durable and active.

    Errors: those of Incoming; UnsupportedMediaType; TimedOut. After each the image is queued.
    """
    return await _receive(context, Incoming)


async def stage(context: Context) -> Reply:
    """Keep the body until POST …/import has it inspected and makes it the image's data.

    Errors: as upload.
    """
    return await _receive(context, Staging)


async def _receive(context: Context, kind: type[Incoming]) -> Reply:
    media = context.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != MEDIA:
        raise UnsupportedMediaType(f"Image data are accepted as {MEDIA}, not {media or 'nothing'}.")
    info.require_store(context.headers.get("x-image-meta-store"))
    incoming = kind(context, _declared(context))
    await asyncio.to_thread(incoming.begin)
    try:
        async for piece in _pieces(context):
            await asyncio.to_thread(incoming.write, piece)
        await asyncio.to_thread(incoming.finish)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(_undo, incoming))
        raise
    return Reply(204)


def _undo(incoming: Incoming) -> None:
    """Leave nothing; what cannot be undone now, the next start or upload undoes."""
    try:
        incoming.abandon()
    except Exception:
        log.exception("upload not undone", image=incoming.id)


def _declared(context: Context) -> int | None:
    """The size that the client announced."""
    sizes = set()
    for name in ("content-length", "x-openstack-image-size"):
        value = context.headers.get(name)
        if value is None:
            continue
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise BadRequest(f"The header {name} is {value!r}; a number of bytes is accepted.")
        sizes.add(int(value))
    if len(sizes) > 1:
        raise BadRequest("Content-Length and X-OpenStack-Image-Size announce different sizes.")
    return sizes.pop() if sizes else None


async def _pieces(context: Context) -> AsyncIterator[bytes]:
    """The body, in pieces large enough to be worth a thread."""
    held: list[bytes] = []
    size = 0
    chunks = aiter(context.chunks) if context.chunks is not None else _nothing()
    while True:
        try:
            async with asyncio.timeout(IDLE):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            raise TimedOut(f"No data arrived for {IDLE:.0f} seconds; nothing was kept.") from error
        if chunk is None:
            break
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def download(context: Context) -> Reply:
    """The image's data, or the one range of them that is asked for; 204 while there are none.

    Errors: Forbidden when it is deactivated; Refused for an operator without consent; BadRequest
    for several ranges; RangeNotSatisfiable.
    """
    image = access.find_shown(context)
    context.reveal(None if image.visibility in access.OPEN else image.project_id, image.id)
    if image.status == "deactivated" and not context.caller.admin:
        raise Forbidden(f"The requested image {image.id} has been deactivated. Image data download "
                        f"is forbidden.")  # fmt: skip
    if image.size is None or image.status not in store.STORED:
        return Reply(204)
    asked = ranges.read(context.headers, image.size)
    first, last = asked or (0, image.size - 1)
    headers = {
        "Content-Length": str(last - first + 1),
        "Content-MD5": image.checksum or "",
        "Accept-Ranges": "bytes",
    }
    try:
        descriptor = os.open(
            files.whole(context.cloud.paths.images, image.id), os.O_RDONLY | os.O_CLOEXEC
        )
    except FileNotFoundError as error:
        raise ApiError(
            f"The data of image {image.id} are missing from this cloud's storage; its operator "
            f"finds out why."
        ) from error
    if asked is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{image.size}"
    body = Pieces(descriptor, first, last + 1)
    return Reply(200 if asked is None else 206, body, headers, media_type=MEDIA)


class Pieces(Iterator[bytes]):
    """A stretch of an open file, piece by piece; closing it closes the file."""

    def __init__(self, descriptor: int, at: int, end: int) -> None:
        self.descriptor, self.at, self.end = descriptor, at, end

    def __next__(self) -> bytes:
        piece = os.pread(self.descriptor, min(PIECE, self.end - self.at), self.at)
        if not piece:
            raise StopIteration
        self.at += len(piece)
        return piece

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
