"""Makes the disk: MBR, a FAT partition with the boot loader, an ext4 root; no mounts, no root.

The same inputs give the same bytes: identifiers are fixed, times come from the epoch, and files
enter in sorted order.
"""

import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

from andromede.guest.errors import GuestBuildError, run
from andromede.guest.tree import Node, Tree

SECTOR = 512
MIB = 1024 * 1024
BOOT_START = 1 * MIB
DISK_SIGNATURE = 0x416E6472
BOOT_VOLUME = 0x416E6472
ROOT_UUID = "616e6472-6f6d-4564-8e00-74696e790001"
HASH_SEED = "616e6472-6f6d-4564-8e00-74696e790002"
MBR_CODE = Path("/usr/lib/syslinux/mbr/mbr.bin")

_FAT16 = 0x0E
_LINUX = 0x83


def partition_entry(kind: int, start: int, size: int, *, active: bool) -> bytes:
    """One entry of an MBR partition table; `start` and `size` in bytes, addressed by LBA."""
    beyond = b"\xfe\xff\xff"
    head = struct.pack("<B3sB3s", 0x80 if active else 0, beyond, kind, beyond)
    return head + struct.pack("<II", start // SECTOR, size // SECTOR)


def boot_record(code: bytes, boot_size: int, root_size: int) -> bytes:
    """Sector 0: the boot code, the disk signature, the boot and root partitions."""
    if len(code) > 440:
        raise GuestBuildError(f"boot code has {len(code)} bytes, an MBR has room for 440")
    table = partition_entry(_FAT16, BOOT_START, boot_size, active=True)
    table += partition_entry(_LINUX, BOOT_START + boot_size, root_size, active=False)
    head = code.ljust(440, b"\0") + struct.pack("<IH", DISK_SIGNATURE, 0)
    return (head + table).ljust(510, b"\0") + b"\x55\xaa"


def write_boot(disk: Path, size: int, files: Mapping[str, Path], epoch: int) -> None:
    """Make the FAT partition of `size` bytes inside `disk`, with `files` and syslinux."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    image = disk.with_suffix(".boot")
    with image.open("wb") as file:
        file.truncate(size)
    run(
        [
            *("mkfs.fat", "--invariant", "-F", "16", "-s", "8", "-n", "BOOT"),
            *("-i", f"{BOOT_VOLUME:08x}", "-h", str(BOOT_START // SECTOR), str(image)),
        ],
        env=env,
    )
    for name, source in sorted(files.items()):
        os.utime(source, (epoch, epoch))
        run(["mcopy", "-m", "-i", str(image), str(source), f"::{name}"], env=env)
    if not Path("/proc/self/fd").is_dir():
        raise GuestBuildError(
            "syslinux reaches its image through /proc, which is not mounted here: "
            "mount -t proc proc /proc, then build again"
        )
    run(["syslinux", "--install", str(image)], env=env)
    _place(image, disk, BOOT_START)


def write_root(disk: Path, offset: int, size: int, tree: Tree, epoch: int) -> None:
    """Make the ext4 file system of `size` bytes inside `disk`, with the files of `tree`."""
    image = disk.with_suffix(".root")
    image.unlink(missing_ok=True)
    env = {**os.environ, "E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch)}
    run(
        [
            *("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-i", "16384", "-m", "1"),
            *("-L", "andromede-root", "-U", ROOT_UUID, "-J", "size=4"),
            *("-O", "has_journal,resize_inode"),
            *("-E", f"hash_seed={HASH_SEED},lazy_itable_init=0,lazy_journal_init=0,nodiscard"),
            *(str(image), str(size // 4096)),
        ],
        env=env,
    )
    staging = disk.with_suffix(".files")
    staging.mkdir(exist_ok=True)
    script = "\n".join(_debugfs_script(tree, staging, epoch)) + "\n"
    errors = run(["debugfs", "-w", "-f", "-", str(image)], stdin=script, env=env)
    _check_debugfs(errors)
    _place(image, disk, offset)


def _debugfs_script(tree: Tree, staging: Path, epoch: int) -> list[str]:
    lines = [f"set_current_time @{epoch}"]
    paths = ["/", "/lost+found"]
    for number, (path, node) in enumerate(tree.sorted()):
        lines += _debugfs_create(f"/{path}", node, staging / str(number))
        paths.append(f"/{path}")
    for path in paths:
        lines += [f"sif {path} {name} @{epoch}" for name in ("atime", "ctime", "mtime", "crtime")]
    return lines


def _debugfs_create(path: str, node: Node, staged: Path) -> list[str]:
    parent, _, name = path.rpartition("/")
    lines = [f"cd {parent or '/'}"]
    if stat.S_ISDIR(node.mode):
        lines.append(f"mkdir {name}")
    elif stat.S_ISLNK(node.mode):
        lines.append(f"symlink {name} {node.data.decode()}")
    elif stat.S_ISREG(node.mode):
        staged.write_bytes(node.data)
        lines.append(f"write {staged} {name}")
    else:
        raise GuestBuildError(f"{path}: only directories, files and links go on the root disk")
    lines.append(f"sif {path} mode 0{node.mode:o}")
    if node.uid or node.gid:
        lines += [f"sif {path} uid {node.uid}", f"sif {path} gid {node.gid}"]
    return lines


def _check_debugfs(output: str) -> None:
    """debugfs ends with status 0 whatever happened; what it says tells."""
    harmless = ("debugfs:", "Allocated inode:", "Setting current time")
    bad = [line for line in output.splitlines() if line and not line.startswith(harmless)]
    if bad:
        raise GuestBuildError(f"debugfs could not fill the root file system: {bad[0]}")


def _place(part: Path, disk: Path, offset: int) -> None:
    """Copy `part` into `disk` at `offset`, leaving its zeros as holes."""
    with part.open("rb") as source, disk.open("r+b") as target:
        while block := source.read(65536):
            if block.strip(b"\0"):
                target.seek(offset)
                target.write(block)
            offset += len(block)
    part.unlink()


def to_qcow2(disk: Path, image: Path) -> None:
    """Convert the raw `disk`; one coroutine, so that clusters lie in one order."""
    run(["qemu-img", "convert", "-m", "1", "-f", "raw", "-O", "qcow2", str(disk), str(image)])
