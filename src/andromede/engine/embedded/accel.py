"""Which accelerator servers run under: found by really booting once, then remembered.

A host may offer /dev/kvm and yet not run a guest with it. Runs QEMU on a kernel of ours or on a
boot sector; writes the verdict beside the cloud's configuration.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from andromede.config import Paths

QEMU = "/usr/bin/qemu-system-x86_64"
KVM = Path("/dev/kvm")
PATIENCE = 15.0  # seconds within which a kernel must come as far as to miss its root file system
REACHED = b"Unable to mount root fs"
SECTOR_SAYS = b"RP"
KERNELS = ("boot/vmlinuz-*", "usr/boot/vmlinuz-*")  # below each package that was unpacked

# Writes R to the first serial port in real mode, enters protected mode, uses the FPU and CPUID,
# writes P and leaves through QEMU's exit port: what a host with a poor emulation fails at.
SECTOR = bytes.fromhex(
    "fa31c08ed88ed0bc007cbaf803b052ee660f0116607c0f20c00c010f22c0ea237c080066b810008ed88ec08e"
    "d0dbe331c00fa266baf803b050ee66baf40031c0eef4eb"
    "fd8d742600"
    "0000000000000000ffff0000009acf00ffff00000092cf001700487c00000000"
)


class Verdict(Struct, frozen=True, kw_only=True):
    """The accelerator to use and why. `proof` is what was booted: "kernel", "sector" or "none"."""

    name: str  # "kvm" | "tcg"
    reason: str
    proof: str = "none"


class _Kept(Struct, frozen=True):
    fingerprint: list[str]
    verdict: Verdict


_lock = threading.Lock()
_known: dict[Path, Verdict] = {}  # by state folder: the host does not change under a process


def accelerator(paths: Paths, kernel: Path | None = None, *, fresh: bool = False) -> Verdict:
    """The accelerator of this host. With a kernel, a verdict taken without one is taken again.

    Without `kernel`, one that was unpacked for a guest is booted, if there is any. `fresh` probes
    whatever is remembered. Blocks for up to half a minute when it probes.
    """
    kept = paths.accelerator
    with _lock:
        known = _known.get(kept)
        if kernel is None and (fresh or known is None or known.proof == "sector"):
            kernel = unpacked_kernel(paths)
        if fresh or known is None or _weaker(known, kernel):
            current = fingerprint()
            known = None if fresh else _read(kept, current)
            if known is None or _weaker(known, kernel):
                known = probe(kernel)
                _write(kept, _Kept(current, known))
            _known[kept] = known
        return known


def unpacked_kernel(paths: Paths) -> Path | None:
    """A kernel that was unpacked for a guest, to boot for proof; None when none was."""
    trees = paths.cache / "trees"
    found = [each for pattern in KERNELS for each in trees.glob(f"*/{pattern}")]
    return max(found, key=lambda each: each.stat().st_mtime, default=None)


def _weaker(known: Verdict, kernel: Path | None) -> bool:
    return kernel is not None and known.proof == "sector"


def fingerprint() -> list[str]:
    """What the verdict depends on: processor, kernel, QEMU, and how /dev/kvm is offered."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line for line in lines if line.startswith("model name")), "")
    flags = next((line for line in lines if line.startswith("flags")), "")
    found = [model, flags, os.uname().release, os.uname().version]
    try:
        facts = os.stat(QEMU)
        found.append(f"{facts.st_size} {int(facts.st_mtime)}")
    except OSError as error:
        found.append(f"{QEMU}: {error.strerror}")
    return [*found, f"{KVM} {os.access(KVM, os.R_OK | os.W_OK)}"]


def _read(kept: Path, current: list[str]) -> Verdict | None:
    try:
        found = msgspec.json.decode(kept.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
    return found.verdict if found.fingerprint == current else None


def _write(kept: Path, content: _Kept) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(content))
    draft.replace(kept)


def probe(kernel: Path | None) -> Verdict:
    """Boot under KVM and say whether it may be used."""
    if not os.access(KVM, os.R_OK | os.W_OK):
        return Verdict(name="tcg", reason=f"{KVM} is missing or may not be opened")
    if kernel is None:
        reached, said = _boot_sector()
        what, proof = "a boot sector (weaker proof than a kernel)", "sector"
    else:
        arguments = ["-m", "256", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
        reached, said = _boot(arguments, REACHED)
        what, proof = f"the kernel {kernel.name}", "kernel"
    if reached:
        return Verdict(name="kvm", reason=f"{what} booted under KVM", proof=proof)
    return Verdict(name="tcg", reason=f"{what} did not boot under KVM: {said}", proof=proof)


def _boot_sector(accelerator: str = "kvm") -> tuple[bool, str]:
    with tempfile.NamedTemporaryFile(suffix=".img") as image:
        image.write(SECTOR.ljust(510, b"\0") + b"\x55\xaa")
        image.flush()
        disk = ["-drive", f"file={image.name},format=raw,if=ide", "-snapshot"]
        exit_port = ["-device", "isa-debug-exit,iobase=0xf4"]
        return _boot(["-m", "16", *exit_port, *disk], SECTOR_SAYS, accelerator)


def _boot(arguments: list[str], awaited: bytes, accelerator: str = "kvm") -> tuple[bool, str]:
    """Run QEMU until the guest is done; whether it said what was awaited, or why not."""
    processor = "host" if accelerator == "kvm" else "max"
    command = [QEMU, "-accel", accelerator, "-cpu", processor, "-nodefaults", "-no-user-config"]
    command += ["-display", "none", "-no-reboot", "-serial", "stdio", *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"it did not get there within {PATIENCE:.0f} s"
    except OSError as error:
        return False, f"{QEMU}: {error.strerror}"
    if awaited in done.stdout:
        return True, ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return False, said[0] if said else f"QEMU ended with {done.returncode}"
