"""`image build`: the guest images that are made here, from Debian packages."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from andromede.cli.errors import USAGE, CliError
from andromede.config import Paths

console = Console(stderr=True, highlight=False)
KNOWN = {"tiny": False, "tiny-test": True}  # whether everybody knows its password


def path(name: str, folder: Path) -> Path:
    """Where an image lies once it is built."""
    return folder / f"{name}.qcow2"


def build(name: str, state: Path, out: Path | None) -> None:
    """Build an image and say where it is and what it holds."""
    if name not in KNOWN:
        raise CliError(f"image build {name}: one of {', '.join(KNOWN)} is accepted", USAGE)
    from andromede.guest.build import build_tiny

    folder = out or Paths(state).guests
    built = build_tiny(
        folder,
        cache_dir=Paths(state).cache,
        public_password=KNOWN[name],
        progress=console.print,
    )
    console.print(f"{built.qcow2}  {built.size / 1e6:.1f} MB  sha256 {built.sha256}")
    console.print(f"provenance: {built.provenance}")


def build_quietly(name: str, state: Path) -> None:
    """Build an image below the state folder, without a word."""
    from andromede.guest.build import build_tiny

    if name not in KNOWN:
        raise CliError(f"image {name}: one of {', '.join(KNOWN)} is accepted", USAGE)
    build_tiny(Paths(state).guests, cache_dir=Paths(state).cache, public_password=KNOWN[name])
