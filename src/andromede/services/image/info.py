"""What the image service says of itself: import methods and stores. There are none to choose."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.errors import NotFound


def imports(_: Context) -> object:
    """Ways to import besides PUT …/file."""
    return {
        "import-methods": {"description": "Import methods available.", "type": "array", "value": []}
    }


def stores(_: Context) -> object:
    """Errors: NotFound, as the API has it for a cloud with a single store."""
    raise NotFound("Multi backend is not supported at this site.")
