"""The API's own description, computed from its routing table."""

from __future__ import annotations

import msgspec

from andromede import __version__
from andromede.http import openapi
from andromede.http.context import Context
from andromede.http.operation import Reply

TITLE = "Andromède: the sovereignty API"
ABOUT = (
    "Places, owners, laws, policies, the transparency log, consents and evidence. Lists are paged by "
    "`marker` and `limit`; days are ISO 8601, moments ISO 8601 in UTC unless a field says otherwise."
)


_kept: dict[str, bytes] = {}


def document(context: Context) -> Reply:
    """This document: every operation of the sovereignty API with the structs of its bodies."""
    service = context.service
    if service.name not in _kept:
        described = openapi.document(service, TITLE, __version__, ABOUT)
        _kept[service.name] = msgspec.json.encode(described)
    return Reply(200, _kept[service.name])
