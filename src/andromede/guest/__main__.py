"""Command line of the image builder: python -m andromede.guest tiny --out DIR --cache DIR."""

import argparse
import sys
import time
from pathlib import Path

from andromede.guest.build import build_tiny
from andromede.guest.errors import GuestBuildError


def main() -> int:
    """Build the image that the arguments name; status 1 when that fails."""
    parser = argparse.ArgumentParser(prog="andromede.guest", description=__doc__)
    parser.add_argument("image", choices=["tiny"])
    parser.add_argument("--out", type=Path, required=True, help="folder for the image")
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    arguments = parser.parse_args()
    start = time.monotonic()

    def progress(message: str) -> None:
        print(f"[{time.monotonic() - start:5.1f}s] {message}", file=sys.stderr)

    try:
        built = build_tiny(arguments.out, cache_dir=arguments.cache, progress=progress)
    except GuestBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    progress("done")
    print(f"{built.qcow2} {built.size} bytes sha256:{built.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
