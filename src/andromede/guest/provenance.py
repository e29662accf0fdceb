"""What is told of a built image: its provenance, and the properties under which it is offered.

Source: the Sovereign Cloud Stack's image metadata standard (SCS-0102, v1).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from andromede.guest.errors import GuestBuildError


class Sourced(Protocol):
    """A Debian package as far as provenance names it."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def epoch(self) -> int: ...


@dataclass(frozen=True)
class BuiltImage:
    """A built image: `size` is the qcow2's in bytes, `provenance` a JSON file."""

    qcow2: Path
    sha256: str
    size: int
    provenance: Path


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An image that is built here. `min_ram` is MiB, `min_disk` GiB; `title` is the name that it is
    offered by."""

    title: str
    user: str
    min_ram: int
    min_disk: int
    description: str
    notice: str
    version: int  # of its builder


KINDS = {
    "tiny": Kind(
        title="tiny",
        user="cirros",
        min_ram=128,
        min_disk=1,
        description="Debian's kernel, busybox and dropbear; for tests and first light",
        notice="For tests and first light: user cirros, by SSH with a key; sudo without a password.",
        version=3,
    ),
    "tiny-test": Kind(
        title="tiny-test",
        user="cirros",
        min_ram=128,
        min_disk=1,
        description="The tiny image with a public password; for tests",
        notice="For tests: user cirros, password gocubsgo, sudo without a password.",
        version=3,
    ),
    "debian": Kind(
        title="Debian 12",
        user="debian",
        min_ram=512,
        min_disk=2,
        description="Debian 12 with cloud-init and openssh-server, installed from its packages",
        notice="Debian's packages as they are; nobody has a password.",
        version=2,
    ),
}


def source_date_epoch(packages: Sequence[Sourced]) -> int:
    """SOURCE_DATE_EPOCH of the environment, else when the newest package was built."""
    value = os.environ.get("SOURCE_DATE_EPOCH")
    if value is None:
        return max(package.epoch for package in packages)
    if not value.isdigit():
        raise GuestBuildError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {value!r}")
    return int(value)


def properties(kind: Kind, epoch: int) -> dict[str, Any]:
    """What an image is registered with, besides its name and format.

    Its build date is that of its sources, so that the same bytes have the same date.
    """
    return {
        "min_ram": kind.min_ram,
        "min_disk": kind.min_disk,
        "architecture": "x86_64",
        "hw_disk_bus": "virtio",
        "hw_qemu_guest_agent": "yes",
        "hw_rng_model": "virtio",
        "os_admin_user": kind.user,
        "os_distro": "debian",
        "os_version": "12",
        "image_original_user": kind.user,
        "image_description": kind.description,
        "image_source": "private",
        "image_build_date": time.strftime("%Y-%m-%d", time.gmtime(epoch)),
        "provided_until": "none",
        "replace_frequency": "never",
        "uuid_validity": "none",
    }


def describe(image: Path, packages: Sequence[Sourced], epoch: int) -> BuiltImage:
    """Write an image's provenance beside it."""
    kind = KINDS[image.stem]
    with image.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = image.stat().st_size
    record = {
        "image": image.name,
        "sha256": sha256,
        "size": size,
        "builder": "andromede.guest",
        "builder_version": kind.version,
        "source_date_epoch": epoch,
        "notice": kind.notice,
        "properties": properties(kind, epoch),
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "architecture": package.architecture,
                "sha256": package.sha256,
            }
            for package in packages
        ],
    }
    provenance = image.with_suffix(".provenance.json")
    provenance.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    return BuiltImage(image, sha256, size, provenance)
