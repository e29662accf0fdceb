"""The one error of the image builder, and the one way it runs programs."""

import subprocess
from collections.abc import Mapping, Sequence


class GuestBuildError(Exception):
    """An image could not be built; the message says what was tried and what to do."""


def run(
    command: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a program and return its standard output; raise GuestBuildError when it fails."""
    try:
        done = subprocess.run(
            command, input=stdin, env=env, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise GuestBuildError(
            f"cannot run {command[0]}: not found on this host; "
            f"install the packages of andromede.guest.DEBIAN_PACKAGES, and {command[0]}"
        ) from error
    if done.returncode != 0:
        raise GuestBuildError(
            f"{' '.join(command[:6])} failed with status {done.returncode}: "
            f"{(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return done.stdout
