"""The flavors a new cloud offers: small ones that are useful at once, and those that the Sovereign
Cloud Stack's flavor standard (SCS-0103, v1) makes mandatory, with the names and specs it asks for.
"""

from __future__ import annotations

from typing import Any

SMALL = (  # name, vCPUs, MiB of memory, GiB of disk
    ("t1.nano", 1, 64, 1),
    ("t1.tiny", 1, 128, 1),
    ("t1.small", 1, 256, 2),
    ("t1.medium", 1, 512, 5),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
)
SHARED = (  # vCPUs, GiB of memory, GiB of disk
    (1, 2, 0), (1, 4, 0), (1, 8, 0), (2, 4, 0), (2, 8, 0), (2, 16, 0), (4, 8, 0), (4, 16, 0),
    (4, 32, 0), (8, 16, 0), (8, 32, 0), (16, 32, 0), (2, 4, 20), (4, 16, 100),
)  # fmt: skip
CROWDED = ((1, 1, 0),)


def rows() -> list[dict[str, Any]]:
    """Every seed as a row of the store."""
    small = [_row(name, vcpus, ram, disk, {}) for name, vcpus, ram, disk in SMALL]
    shared = [_scs("V", "shared-core", *size) for size in SHARED]
    crowded = [_scs("L", "crowded-core", *size) for size in CROWDED]
    return [*small, *shared, *crowded]


def _scs(letter: str, cpu: str, vcpus: int, memory: int, disk: int) -> dict[str, Any]:
    """A flavor of the standard; its disks are solid-state where it has one."""
    suffix = f"-{disk}s" if disk else ""
    name = f"SCS-{vcpus}{letter}-{memory}{suffix}"
    specs = {
        "scs:cpu-type": cpu,
        "scs:name-v1": f"SCS-{vcpus}{letter}:{memory}{suffix.replace('-', ':')}",
        "scs:name-v2": name,
    }
    if disk:
        specs["scs:disk0-type"] = "ssd"
    return _row(name, vcpus, memory * 1024, disk, specs)


def _row(name: str, vcpus: int, ram: int, disk: int, specs: dict[str, str]) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "vcpus": vcpus,
        "ram": ram,
        "disk": disk,
        "ephemeral": 0,
        "swap": 0,
        "rxtx_factor": 1.0,
        "is_public": True,
        "description": None,
        "extra_specs": specs,
    }
