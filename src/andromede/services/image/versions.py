"""Discovery: which versions of the image API are served, and where.

Source: the Image service API, "List API versions"; 2.15 is the last version of a cloud with named
stores, without a cache in front of them and without locations that customers add.
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.operation import Reply

CURRENT = 15


def _versions(context: Context) -> dict[str, object]:
    href = context.url("/v2/")
    return {
        "versions": [
            {
                "id": f"v2.{minor}",
                "status": "CURRENT" if minor == CURRENT else "SUPPORTED",
                "links": [{"rel": "self", "href": href}],
            }
            for minor in range(CURRENT, -1, -1)
            if minor != 14  # the image cache
        ]
    }


def choices(context: Context) -> Reply:
    """The versions at the root, as multiple choices."""
    return Reply(300, _versions(context))


def listing(context: Context) -> object:
    return _versions(context)
