"""Command line of the image builder: python -m andromede.guest NAME --out DIR --cache DIR."""

import argparse
import sys
import time
from pathlib import Path

from andromede.guest.builders import BUILDERS
from andromede.guest.errors import GuestBuildError


def main() -> int:
    """Build the image that the arguments name; status 1 when that fails."""
    parser = argparse.ArgumentParser(prog="andromede.guest", description=__doc__)
    parser.add_argument("image", choices=sorted(BUILDERS))
    parser.add_argument("--out", type=Path, required=True, help="folder for the image")
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloads")
    arguments = parser.parse_args()
    start = time.monotonic()

    def progress(message: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - start:5.1f}s] {message}\n")

    try:
        build = BUILDERS[arguments.image]
        built = build(arguments.out, cache_dir=arguments.cache, progress=progress)
    except GuestBuildError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    progress("done")
    sys.stdout.write(f"{built.qcow2} {built.size} bytes sha256:{built.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
