"""Builds the tiny guest: a Debian kernel, busybox and dropbear on a 64 MB disk that boots itself.

It is for tests and first light, as upstream's CirrOS is: user `cirros` logs in by SSH with a key,
and has sudo without a password. A variant for tests, `tiny-test`, takes the public password
`gocubsgo` on its console and over SSH; give that one no address that strangers reach.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from andromede.guest import contents, disk
from andromede.guest.errors import GuestBuildError
from andromede.guest.packages import fetch
from andromede.guest.provenance import BuiltImage, describe, source_date_epoch
from andromede.guest.tree import Tree, cpio

__all__ = ["BuiltImage", "build_tiny"]

BOOT_SIZE = 20 * disk.MIB
ROOT_SIZE = 60 * disk.MIB

# Each of no_timer_check, nokaslr, mitigations=off, cryptomgr.notests and one security module saves
# a visible time under TCG; scsi_mod.scan=sync makes disks visible when their driver has loaded.
KERNEL_COMMAND_LINE = (
    f"root=UUID={disk.TINY.root} console=ttyS0 quiet loglevel=4 nokaslr no_timer_check "
    "mitigations=off cryptomgr.notests lsm=yama random.trust_cpu=on 8250.nr_uarts=1 "
    "scsi_mod.scan=sync rw"
)


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
    return describe(image, packages, epoch)


def _raw_disk(work: Path, kernel: Path, first_stage: bytes, root: Tree, epoch: int) -> Path:
    raw = work / "disk.raw"
    code = boot_code()
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


def boot_code() -> bytes:
    """What the firmware runs of the disk. Errors: GuestBuildError."""
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
