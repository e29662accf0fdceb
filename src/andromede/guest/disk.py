"""Makes the disk: MBR, a FAT partition with the boot loader, an ext4 root; no mounts, no root.

The same inputs give the same bytes: identifiers are fixed, times come from the epoch, and files
enter in sorted order.
"""

import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from andromede.guest.errors import GuestBuildError, run
from andromede.guest.tree import Node, Tree

SECTOR = 512
MIB = 1024 * 1024
BOOT_START = 1 * MIB
MBR_CODE = Path("/usr/lib/syslinux/mbr/mbr.bin")

_FAT16 = 0x0E
_LINUX = 0x83


@dataclass(frozen=True)
class Identity:
    """What tells a disk from others: its signature and its boot volume's number are one, `root` is
    the UUID of its root file system, with a `seed` for the hashes there."""

    number: int
    root: str
    seed: str


TINY = Identity(
    number=0x416E6472,
    root="616e6472-6f6d-4564-8e00-74696e790001",
    seed="616e6472-6f6d-4564-8e00-74696e790002",
)
DEBIAN = Identity(
    number=0x44656269,
    root="616e6472-6f6d-4564-8e00-646562690001",
    seed="616e6472-6f6d-4564-8e00-646562690002",
)


def partition_entry(kind: int, start: int, size: int, *, active: bool) -> bytes:
    """One entry of an MBR partition table; `start` and `size` in bytes, addressed by LBA."""
    beyond = b"\xfe\xff\xff"
    head = struct.pack("<B3sB3s", 0x80 if active else 0, beyond, kind, beyond)
    return head + struct.pack("<II", start // SECTOR, size // SECTOR)


def boot_record(code: bytes, boot_size: int, root_size: int, number: int = TINY.number) -> bytes:
    """Sector 0: the boot code, the disk signature, the boot and root partitions."""
    if len(code) > 440:
        raise GuestBuildError(f"boot code has {len(code)} bytes, an MBR has room for 440")
    table = partition_entry(_FAT16, BOOT_START, boot_size, active=True)
    table += partition_entry(_LINUX, BOOT_START + boot_size, root_size, active=False)
    head = code.ljust(440, b"\0") + struct.pack("<IH", number, 0)
    return (head + table).ljust(510, b"\0") + b"\x55\xaa"


def write_boot(
    disk: Path, size: int, files: Mapping[str, Path], epoch: int, identity: Identity = TINY
) -> None:
    """Make the FAT partition of `size` bytes inside `disk`, with `files` and syslinux."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    image = disk.with_suffix(".boot")
    with image.open("wb") as file:
        file.truncate(size)
    run(
        [
            *("mkfs.fat", "--invariant", "-F", "16", "-s", "8", "-n", "BOOT"),
            *("-i", f"{identity.number:08x}", "-h", str(BOOT_START // SECTOR), str(image)),
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


def write_root(
    disk: Path,
    offset: int,
    size: int,
    tree: Tree,
    epoch: int,
    identity: Identity = TINY,
    journal: int = 4,
) -> None:
    """Make the ext4 file system of `size` bytes inside `disk`, with the files of `tree` and a
    journal of so many MiB."""
    image = disk.with_suffix(".root")
    image.unlink(missing_ok=True)
    env = {**os.environ, "E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch)}
    run(
        [
            *("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-i", "16384", "-m", "1"),
            *("-L", "andromede-root", "-U", identity.root, "-J", f"size={journal}"),
            *("-O", "has_journal,resize_inode"),
            *("-E", f"hash_seed={identity.seed},lazy_itable_init=0,lazy_journal_init=0,nodiscard"),
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
    times: dict[str, int] = {"/": epoch, "/lost+found": epoch}
    for number, (path, node) in enumerate(tree.sorted()):
        lines += _debugfs_create(f"/{path}", node, staging / str(number))
        times[f"/{path}"] = epoch if node.mtime is None else node.mtime
    for path, mtime in times.items():
        where = _word(path)
        lines += [f"sif {where} {name} @{epoch}" for name in ("atime", "ctime", "crtime")]
        lines.append(f"sif {where} mtime @{mtime}")
    return lines


def _debugfs_create(path: str, node: Node, staged: Path) -> list[str]:
    parent, _, name = path.rpartition("/")
    lines, where = [f"cd {_word(parent or '/')}"], _word(path)
    if stat.S_ISDIR(node.mode):
        lines.append(f"mkdir {_word(name)}")
    elif stat.S_ISLNK(node.mode):
        lines.append(f"symlink {_word(name)} {_word(node.data.decode())}")
    elif stat.S_ISREG(node.mode):
        if node.source is None:
            staged.write_bytes(node.data)
        lines.append(f"write {node.source or staged} {_word(name)}")
    else:
        raise GuestBuildError(f"{path}: only directories, files and links go on the root disk")
    lines.append(f"sif {where} mode 0{node.mode:o}")
    if node.uid or node.gid:
        lines += [f"sif {where} uid {node.uid}", f"sif {where} gid {node.gid}"]
    if node.capability:
        attribute = staged.with_suffix(".capability")
        attribute.write_bytes(node.capability)
        lines.append(f"ea_set -f {attribute} {where} security.capability")
    return lines


def _word(text: str) -> str:
    """A word as debugfs splits its lines: in quotes, which are doubled inside, where it must be."""
    if text and not set(text) & set(' \t"'):
        return text
    return '"' + text.replace('"', '""') + '"'


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


def to_qcow2(disk: Path, image: Path, *, compressed: bool = False) -> None:
    """Convert the raw `disk`; one coroutine, so that clusters lie in one order."""
    more = ["-c"] if compressed else []
    kinds = ["-f", "raw", "-O", "qcow2"]
    run(["qemu-img", "convert", "-m", "1", *more, *kinds, str(disk), str(image)])
