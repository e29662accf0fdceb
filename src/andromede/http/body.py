"""Request bodies: read within bounds, parsed once, validated against the operation's schema."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec

from andromede.http.context import Context
from andromede.http.errors import BadRequest, TooLarge, UnsupportedMediaType

LARGEST = 1024 * 1024
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The whole body.

    Errors: TooLarge past one MiB.
    """
    declared = headers.get("content-length")
    if declared is None:
        if "transfer-encoding" not in headers:
            return b""  # Source: RFC 9112, section 6.3
    elif declared.isascii() and declared.isdigit() and int(declared[:20]) > LARGEST:
        raise TooLarge(f"The body has {declared} bytes; at most {LARGEST} are accepted.")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The client left before the body was complete.")
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST:
            raise TooLarge(f"The body is too large; at most {LARGEST} bytes are accepted.")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives, for operations that stream it.

    Errors: BadRequest when the client leaves before its end.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The client left before the body was complete.")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


def parse(raw: bytes, headers: Mapping[str, str]) -> Any:
    """JSON to plain values.

    Errors: BadRequest when it is not JSON; UnsupportedMediaType when it says so.
    """
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not (media == "application/json" or media.endswith("+json") or media.startswith(
        "application/openstack-images-")):  # fmt: skip
        raise UnsupportedMediaType(
            f"The body is declared as {media}; application/json is accepted."
        )
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error
    if b"\\u0000" in raw:
        refuse_nul(value)
    return value


def refuse_nul(value: Any) -> None:
    """Refuse text with the character U+0000, which no database stores alike.

    Errors: BadRequest.
    """
    if isinstance(value, str) and "\x00" in value:
        raise BadRequest("The character U+0000 is not accepted in any text.")
    if isinstance(value, dict):
        refuse_nul([*value, *value.values()])
    elif isinstance(value, (list, tuple)):
        for each in value:
            refuse_nul(each)


def validate(context: Context) -> None:
    """Lift the body to the latest version and check it against the operation's schema.

    Errors: BadRequest naming the faulty member, or for a body where none is taken.
    """
    operation, service = context.operation, context.service
    if operation.stream:
        return
    if operation.body is None:
        if service.exact_bodies and context.raw_body:
            raise BadRequest(f"{operation.method} {operation.path} takes no body, and got one.")
        return
    if context.body is None and not operation.optional_body:
        raise BadRequest(f"{operation.method} {operation.path} needs a JSON body.")
    if context.body is None:
        return
    if service.upgrade is not None and service.microversions is not None:
        context.body = service.upgrade(operation, context.version, context.body)
    try:
        context.body = msgspec.convert(context.body, operation.body)
    except msgspec.ValidationError as error:
        say = service.validation_message or _plain_message
        raise BadRequest(say(str(error))) from error


def refuse_null(context: Context, key: str | None, *names: str) -> None:
    """Refuse members that may be left out of what stands at `key`, or of the whole body, and are null.

    Errors: BadRequest naming the member.
    """
    sent = msgspec.json.decode(context.raw_body)
    sent = sent if key is None else sent[key]
    null = [name for name in names if isinstance(sent, dict) and sent.get(name, "") is None]
    if null:
        raise BadRequest(
            f"Invalid input for field/attribute {null[0]}. Value: None. None is not accepted; the "
            f"member may be left out."
        )


def _plain_message(message: str) -> str:
    return f"Invalid input: {message}"
