"""The names servers bear: what is accepted, and the host name a guest gets. Pure.

Source: RFC 1123 (labels of letters, digits and inner hyphens, at most 63 characters).
"""

from __future__ import annotations

import re
import unicodedata

from andromede.http.errors import BadRequest

LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
HOSTNAME = re.compile(LABEL)
FQDN = re.compile(rf"{LABEL}(\.{LABEL})*\.?")


def hostname_of(name: str, server_id: str) -> str:
    """A host name from a server's name; `Server-<id>` when nothing of the name can be kept."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[ _.]", "-", text)
    text = re.sub(r"[^\w-]+", "", text).lower().strip("-")[:63].strip("-")
    return text or f"Server-{server_id}"


def numbered(name: str, number: int) -> str:
    """The name of one of several servers made by one request."""
    return f"{name}-{number}"


def check_hostname(hostname: str) -> str:
    """A host name as a client gave it: one label, or several joined by dots.

    Errors: BadRequest.
    """
    if len(hostname) > 255 or FQDN.fullmatch(hostname) is None:
        raise BadRequest(
            f"Invalid input for field/attribute hostname. Value: {hostname}. Labels of letters, "
            f"digits and inner hyphens, joined by dots, are accepted."
        )
    return hostname


def is_label(hostname: object) -> bool:
    """Whether a host name is a single label, all that versions before 2.94 take."""
    return isinstance(hostname, str) and HOSTNAME.fullmatch(hostname) is not None
