"""Builds the tiny guest: a Debian kernel, busybox and dropbear on a 64 MB disk that boots itself.

It is for tests and first light, as upstream's CirrOS is: user `cirros` logs in by SSH with a key,
and has sudo without a password. A variant for tests, `tiny-test`, takes the public password
`gocubsgo` on its console and over SSH; give that one no address that strangers reach.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from andromede.guest import contents, disk
from andromede.guest.errors import GuestBuildError
from andromede.guest.packages import Package, fetch
from andromede.guest.tree import Tree, cpio

BUILDER_VERSION = 2
BOOT_SIZE = 20 * disk.MIB
ROOT_SIZE = 60 * disk.MIB

# Each of no_timer_check, nokaslr, mitigations=off, cryptomgr.notests and one security module saves
# a visible time under TCG; scsi_mod.scan=sync makes disks visible when their driver has loaded.
KERNEL_COMMAND_LINE = (
    f"root=UUID={disk.ROOT_UUID} console=ttyS0 quiet loglevel=4 nokaslr no_timer_check "
    "mitigations=off cryptomgr.notests lsm=yama random.trust_cpu=on 8250.nr_uarts=1 "
    "scsi_mod.scan=sync rw"
)

NOTICE = "For tests and first light: user cirros, by SSH with a key; sudo without a password."
TEST_NOTICE = "For tests: user cirros, password gocubsgo, sudo without a password."


@dataclass(frozen=True)
class BuiltImage:
    """A built image: `size` is the qcow2's in bytes, `provenance` a JSON file."""

    qcow2: Path
    sha256: str
    size: int
    provenance: Path


def build_tiny(
    out_dir: Path,
    *,
    cache_dir: Path,
    public_password: bool = False,
    progress: Callable[[str], None] = lambda message: None,
) -> BuiltImage:
    """Write tiny.qcow2 and tiny.provenance.json to `out_dir`; downloads are kept in `cache_dir`.

    With `public_password` everybody can log in, and the files are called tiny-test. The same
    packages give the same bytes. Needs the host's DEBIAN_PACKAGES and its apt sources,
    no privileges and no mounts. Raises GuestBuildError.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    cache_dir.mkdir(parents=True, exist_ok=True)
    packages = fetch(contents.GUEST_PACKAGES, cache_dir.resolve(), progress)
    epoch = source_date_epoch(packages)
    progress("assembling files")
    files = contents.Files(packages)
    modules = contents.module_set(packages)
    root = contents.root_tree(files, modules, public_password=public_password)
    first_stage = cpio(contents.first_stage_tree(files, modules), epoch)
    progress("making the disk")
    image = out_dir / ("tiny-test.qcow2" if public_password else "tiny.qcow2")
    with tempfile.TemporaryDirectory(dir=out_dir, prefix=".tiny-") as name:
        work = Path(name)
        raw = _raw_disk(work, contents.kernel_image(packages), first_stage, root, epoch)
        disk.to_qcow2(raw, work / image.name)
        (work / image.name).replace(image)
    return _describe(image, packages, epoch, TEST_NOTICE if public_password else NOTICE)


def source_date_epoch(packages: Sequence[Package]) -> int:
    """SOURCE_DATE_EPOCH of the environment, else when the newest package was built."""
    value = os.environ.get("SOURCE_DATE_EPOCH")
    if value is None:
        return max(package.epoch for package in packages)
    if not value.isdigit():
        raise GuestBuildError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {value!r}")
    return int(value)


def _raw_disk(work: Path, kernel: Path, first_stage: bytes, root: Tree, epoch: int) -> Path:
    raw = work / "disk.raw"
    code = _boot_code()
    record = disk.boot_record(code, BOOT_SIZE, ROOT_SIZE)
    with raw.open("wb") as file:
        file.write(record)
        file.truncate(disk.BOOT_START + BOOT_SIZE + ROOT_SIZE)
    boot_files = {
        "vmlinuz": kernel.read_bytes(),
        "initrd": first_stage,
        "syslinux.cfg": _boot_config().encode(),
    }
    sources = {}
    for name, data in boot_files.items():
        sources[name] = work / name
        sources[name].write_bytes(data)
    disk.write_boot(raw, BOOT_SIZE, sources, epoch)
    disk.write_root(raw, disk.BOOT_START + BOOT_SIZE, ROOT_SIZE, root, epoch)
    return raw


def _boot_code() -> bytes:
    try:
        return disk.MBR_CODE.read_bytes()
    except FileNotFoundError as error:
        raise GuestBuildError(
            f"cannot read the boot code {disk.MBR_CODE}; install syslinux-common"
        ) from error


def _boot_config() -> str:
    return (
        "DEFAULT tiny\nPROMPT 0\nTIMEOUT 0\nLABEL tiny\n"
        f"KERNEL vmlinuz\nINITRD initrd\nAPPEND {KERNEL_COMMAND_LINE}\n"
    )


def _describe(image: Path, packages: Sequence[Package], epoch: int, notice: str) -> BuiltImage:
    with image.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = image.stat().st_size
    record = {
        "image": image.name,
        "sha256": sha256,
        "size": size,
        "builder": "andromede.guest",
        "builder_version": BUILDER_VERSION,
        "source_date_epoch": epoch,
        "notice": notice,
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
