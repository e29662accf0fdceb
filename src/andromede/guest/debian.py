"""Builds the Debian guest: Debian's packages as they are, with cloud-init, on a disk that boots itself.

Nobody has a password in it: cloud-init gives its user `debian` the keys of the server.
"""

import fnmatch
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from andromede.guest import bootstrap, contents, disk
from andromede.guest.build import boot_code
from andromede.guest.errors import GuestBuildError
from andromede.guest.packages import download
from andromede.guest.provenance import BuiltImage, describe, source_date_epoch
from andromede.guest.tree import Tree

BOOT_SIZE = 128 * disk.MIB
ROOT_SIZE = 1536 * disk.MIB
JOURNAL = 32  # MiB
PACKAGES = (
    "cloud-guest-utils",
    "cloud-init",
    "curl",
    "iproute2",
    "iputils-ping",
    "less",
    "libpam-systemd",
    "linux-image-cloud-amd64",
    "nano",
    "netbase",
    "openssh-server",
    "qemu-guest-agent",
    "rng-tools5",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "zstd",
)
BASE = ("?essential", "?priority(required)", "apt", "usr-is-merged")  # what mmdebstrap begins with
SETUP = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d"',
    'printf "RESUME=none\\nCOMPRESS=zstd\\n" >"$1/etc/initramfs-tools/conf.d/andromede"',
)
KERNEL_COMMAND_LINE = f"root=UUID={disk.DEBIAN.root} ro console=tty0 console=ttyS0,115200"

# What only this build left behind, what each guest is to have of its own, and what is made anew.
REMOVED = (
    "dev/*",
    "etc/.pwd.lock",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/apt/sources.list.d/*",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/ssh/ssh_host_*",
    "proc/*",
    "run/*",
    "sys/*",
    "tmp/*",
    "var/cache/apt/*.bin",
    "var/cache/apt/archives/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/apt/lists/*",
    "var/lib/cloud/*",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/*-old",
    "var/lib/systemd/random-seed",
    "var/log/*",
)
# Directories below those that programs expect to find.
KEPT = ("var/log/apt", "var/log/journal", "var/log/private")
UNITS = {
    "dbus-org.freedesktop.network1.service": "systemd-networkd.service",
    "multi-user.target.wants/systemd-networkd.service": "systemd-networkd.service",
    "sockets.target.wants/systemd-networkd.socket": "systemd-networkd.socket",
    "network-online.target.wants/systemd-networkd-wait-online.service": (
        "systemd-networkd-wait-online.service"
    ),
}


def build_debian(
    out_dir: Path, *, cache_dir: Path, progress: Callable[[str], None] = lambda message: None
) -> BuiltImage:
    """Write debian.qcow2 and debian.provenance.json to `out_dir`; downloads are kept in `cache_dir`.

    The same packages give the same bytes. Needs the host's DEBIAN_PACKAGES, mmdebstrap and its apt
    sources; root or user namespaces, and no mount outlives it. Raises GuestBuildError.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    cache_dir.mkdir(parents=True, exist_ok=True)
    archives = download((*BASE, *PACKAGES), cache_dir.resolve(), progress)
    epoch = source_date_epoch(archives)
    image = out_dir / "debian.qcow2"
    with tempfile.TemporaryDirectory(dir=out_dir, prefix=".debian-") as name:
        work = Path(name)
        work.chmod(0o755)
        progress(f"installing {len(archives)} Debian packages in a folder")
        tarball = bootstrap.install(archives, PACKAGES, work, epoch, SETUP)
        progress("assembling files")
        tree = bootstrap.read(tarball, work / "files", wanted)
        tarball.unlink()
        finish(tree)
        progress("making the disk")
        raw = _raw_disk(work, tree, epoch)
        progress("compressing it")
        disk.to_qcow2(raw, work / image.name, compressed=True)
        (work / image.name).replace(image)
    return describe(image, archives, epoch)


def wanted(path: str) -> bool:
    """Whether a file of the installed system goes into the image."""
    kept = path in KEPT
    return kept or not any(fnmatch.fnmatchcase(path, pattern) for pattern in REMOVED)


def finish(tree: Tree) -> None:
    """Make of an installed system one that a guest begins from."""
    contents.add_scripts(tree, contents.ROOTFS / "debian")
    tree.directory("boot/loader")
    tree.file("etc/machine-id", b"")
    tree.file("etc/apt/sources.list", b"")  # cloud-init writes it
    tree.link("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf")
    for name, unit in UNITS.items():
        tree.link(f"etc/systemd/system/{name}", f"/lib/systemd/system/{unit}")


def _only(tree: Tree, pattern: str) -> bytes:
    found = [
        node
        for path, node in tree.nodes.items()
        if fnmatch.fnmatchcase(path, pattern) and stat.S_ISREG(node.mode)
    ]
    if len(found) != 1:
        raise GuestBuildError(f"expected one {pattern} in the system, found {len(found)}")
    return found[0].content()


def _raw_disk(work: Path, tree: Tree, epoch: int) -> Path:
    raw = work / "disk.raw"
    with raw.open("wb") as file:
        file.write(disk.boot_record(boot_code(), BOOT_SIZE, ROOT_SIZE, disk.DEBIAN.number))
        file.truncate(disk.BOOT_START + BOOT_SIZE + ROOT_SIZE)
    config = (
        "DEFAULT debian\nPROMPT 0\nTIMEOUT 0\nLABEL debian\n"
        f"KERNEL vmlinuz\nINITRD initrd\nAPPEND {KERNEL_COMMAND_LINE}\n"
    )
    boot_files = {
        "vmlinuz": _only(tree, "boot/vmlinuz-*"),
        "initrd": _only(tree, "boot/initrd.img-*"),
        "syslinux.cfg": config.encode(),
    }
    sources = {}
    for name, data in boot_files.items():
        sources[name] = work / name
        sources[name].write_bytes(data)
    disk.write_boot(raw, BOOT_SIZE, sources, epoch, disk.DEBIAN)
    start = disk.BOOT_START + BOOT_SIZE
    disk.write_root(raw, start, ROOT_SIZE, tree, epoch, disk.DEBIAN, JOURNAL)
    return raw
