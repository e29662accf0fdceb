"""The machine half of the embedded engine: QEMU, servers' disks, consoles and config drives."""

from __future__ import annotations

from andromede.engine.embedded.machine.machines import Machines

DEBIAN_PACKAGES = ("qemu-system-x86", "qemu-utils", "genisoimage")

__all__ = ["DEBIAN_PACKAGES", "Machines"]
