"""Where placement says which versions it serves; asks for no token and reads no database."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.microversion import text
from andromede.http.operation import Operation, Transaction
from andromede.services.placement.versions import MICROVERSIONS


def show(_: Context) -> dict[str, Any]:
    return {
        "versions": [
            {
                "id": "v1.0",
                "status": "CURRENT",
                "min_version": text(MICROVERSIONS.lowest),
                "max_version": text(MICROVERSIONS.latest),
                "links": [{"rel": "self", "href": ""}],
            }
        ]
    }


OPERATIONS = [
    Operation(
        method="GET",
        path="/",
        handler=show,
        action="placement:version:list",
        allow=None,
        transaction=Transaction.NONE,
    )
]
