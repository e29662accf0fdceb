"""The guest that tests log in to where none is given: the tiny image, built in a cache. Its variant
with a public password: SSH takes passwords there, as tests that change one ask for."""

from __future__ import annotations

import sys
from pathlib import Path

from andromede.guest.build import build_tiny


def tiny(cache: Path) -> Path:
    """Build the tiny image below a folder that keeps what it downloads; the qcow2 file.

    Errors: GuestBuildError.
    """
    print("building the tiny image", file=sys.stderr, flush=True)
    return build_tiny(cache, cache_dir=cache, public_password=True).qcow2
