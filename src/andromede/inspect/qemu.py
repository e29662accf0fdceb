"""A second opinion on a qcow2 file: qemu-img's, as whoever calls this, with bounds of time and memory.

The header must have been accepted before. Runs qemu-img on the given descriptor alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from andromede.inspect.verdict import PATIENCE, InspectionError

QEMU_IMG = Path("/usr/bin/qemu-img")
LIMITS = ("--as=1073741824", "--cpu=60", "--fsize=0", "--nofile=64", "--core=0")
LEAKS = 3  # qemu-img's exit code for unused space in the file, which harms nobody


def judge(descriptor: int, virtual_size: int) -> str | None:
    """What is wrong with a qcow2 file whose header says `virtual_size`; None: nothing, or no QEMU.

    Errors: InspectionError.
    """
    if not QEMU_IMG.exists():
        return None
    try:  # what qemu-img is about to do, tried here, where a refusal can be told from a bad image
        os.close(os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY))
    except OSError as error:
        raise InspectionError(f"opening the image again to read it: {error.strerror}") from error
    try:
        return _differs(descriptor, virtual_size) or _damaged(descriptor)
    except subprocess.TimeoutExpired:
        return f"checking it takes more than {PATIENCE:.0f} s"


def _differs(descriptor: int, virtual_size: int) -> str | None:
    """How QEMU's reading of the header differs from ours."""
    try:
        facts = msgspec.json.decode(_run(descriptor, "info")[1])
        size, more = facts["virtual-size"], facts["format-specific"]["data"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "QEMU cannot open it"
    if size != virtual_size:
        return f"QEMU finds a disk of {size} bytes, its header {virtual_size}"
    if "backing-filename" in facts or "data-file" in more:
        return "QEMU finds that it refers to another file; an image must stand alone"
    return None


def _damaged(descriptor: int) -> str | None:
    code, _, said = _run(descriptor, "check")
    if code in (0, LEAKS):
        return None
    return f"QEMU finds it damaged: {said.strip()[-300:] or f'its check ends with {code}'}"


def _run(descriptor: int, verb: str) -> tuple[int, bytes, str]:
    source = f"driver=qcow2,file.driver=file,file.filename=/proc/self/fd/{descriptor}"
    command = ["/usr/bin/prlimit", *LIMITS, str(QEMU_IMG), verb, "--output=json", "-U"]
    done = subprocess.run(
        [*command, "--image-opts", f"{source},file.locking=off"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=[descriptor],
        timeout=PATIENCE,
        env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")
