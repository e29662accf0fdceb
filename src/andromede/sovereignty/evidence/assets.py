"""The packaged files of the evidence pages, read once.

Roles run as users who may not read the program's folder: `html.warm` reads all before the fork.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources


@cache
def text(name: str) -> str:
    """A packaged file's text by its path below this package."""
    at = resources.files("andromede.sovereignty.evidence")
    return at.joinpath(*name.split("/")).read_text(encoding="utf-8")


@cache
def style_hash(name: str) -> str:
    """What a Content-Security-Policy names a style sheet by."""
    digest = hashlib.sha256(text(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
