"""Members of requests that several acts on servers share, checked. Pure."""

from __future__ import annotations

import base64
import binascii
import ipaddress

from andromede.http.errors import BadRequest


def address(text: str | None, name: str, version: int) -> str | None:
    """An address a client declares, None for none, in its canonical form.

    Errors: BadRequest.
    """
    if text is None:
        return None
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError as error:
        raise BadRequest(f"Invalid input for field/attribute {name}. Value: {text}.") from error
    if parsed.version != version:
        raise BadRequest(f"{name} is {text}; an IPv{version} address is accepted.")
    return str(parsed)


def user_data(text: str | None) -> str | None:
    """What a guest is to be given, as a client encoded it.

    Errors: BadRequest.
    """
    try:
        base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(
            "Invalid input for field/attribute user_data: base64 is accepted."
        ) from error
    return text
