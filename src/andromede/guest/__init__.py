"""Builds guest images from Debian packages; imports nothing else of Andromède."""

from andromede.guest.errors import GuestBuildError

__all__ = ["DEBIAN_PACKAGES", "GuestBuildError"]

# Of the host; `mmdebstrap` besides, for the Debian image.
DEBIAN_PACKAGES = (
    "dosfstools",
    "e2fsprogs",
    "mtools",
    "qemu-utils",
    "syslinux",
    "syslinux-common",
)
