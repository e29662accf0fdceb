"""Members of requests that several acts on servers share, checked. Pure."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from typing import Any

from msgspec import UNSET

from andromede.http.errors import BadRequest
from andromede.services.compute import values
from andromede.services.compute.servers import naming
from andromede.services.compute.servers.schema import Changes, Rebuild


def columns(asked: Changes | Rebuild) -> dict[str, Any]:
    """The columns that a request names of those that every change of a server may.

    Errors: BadRequest.
    """
    found: dict[str, Any] = {}
    if asked.name is not UNSET:
        found["name"] = values.printable(asked.name, "name")
    if asked.description is not UNSET:
        found["description"] = values.description(asked.description, 255)
    if asked.hostname is not UNSET:
        found["hostname"] = naming.check_hostname(asked.hostname)
    if asked.accessIPv4 is not UNSET:
        found["access_ip_v4"] = address(asked.accessIPv4, "accessIPv4", 4)
    if asked.accessIPv6 is not UNSET:
        found["access_ip_v6"] = address(asked.accessIPv6, "accessIPv6", 6)
    if asked.disk_config is not UNSET:
        found["disk_config"] = asked.disk_config
    return found


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
