"""Makes the host ready for the first network: kernel modules, folders that dnsmasq can pass."""

from __future__ import annotations

import subprocess
from pathlib import Path

from andromede.config import Paths
from andromede.engine.protocol import EngineError

BRIDGE_SETTINGS = Path("/proc/sys/net/bridge")


def prepare(paths: Paths, root: Path) -> None:
    """Idempotent, and nearly free when all is ready.

    Errors: EngineError when bridged traffic cannot be filtered on this host.
    """
    root.mkdir(parents=True, exist_ok=True)
    for folder in (paths.state, paths.run, root, root / "networks"):
        folder.mkdir(exist_ok=True)
        mode = folder.stat().st_mode & 0o777
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
    if not BRIDGE_SETTINGS.is_dir():
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    if not BRIDGE_SETTINGS.is_dir():
        raise EngineError(
            "filtering bridged traffic: this kernel has no br_netfilter; `modprobe br_netfilter` "
            "failed"
        )
