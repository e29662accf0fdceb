"""What microversions changed in the request for a console.

Source: the compute API's "REST API Version History": 2.8.
"""

from __future__ import annotations

from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.compute.versions import Conversion

SINCE_2_8 = ("mks", "webmks")


def _without_mks(body: Any) -> Any:
    asked = body.get("remote_console") if isinstance(body, dict) else None
    if isinstance(asked, dict) and any(each in SINCE_2_8 for each in asked.values()):
        raise BadRequest("Invalid input: protocol mks and type webmks are of microversion 2.8.")
    return body


CONVERSIONS = [
    Conversion(since=(2, 8), actions=frozenset({"compute:console:create"}), lift=_without_mks)
]
