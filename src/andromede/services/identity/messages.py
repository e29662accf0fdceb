"""Messages for bodies that do not fit their schema, in the identity API's manner."""

from __future__ import annotations

import re

PLACE = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`$", re.DOTALL)


def validation_message(message: str) -> str:
    """From the validator's words to `Invalid input for field 'user/name': …`.

    The validator names types, and never repeats what was given for a secret.
    """
    match = PLACE.match(message)
    if match is None or not match["path"]:
        return f"Invalid input: {message}"
    path = match["path"].replace(".", "/")
    return f"Invalid input for field '{path}': {match['what']}"
