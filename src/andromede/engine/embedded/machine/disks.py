"""Servers' disks: overlays on bases, bases from stored images, and the quarantine.

A base is the image's own file under a second name, made root's and read-only, so that deleting the
image does not take it from under a server. Nothing here opens a file by what an image says in its
header. Touches the bases, servers and quarantine folders.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import threading
from pathlib import Path

from andromede import clock
from andromede.config import Config, Paths, role_uid
from andromede.engine.embedded.machine import record, tool
from andromede.engine.protocol import DiskSpec, EngineError, RescueSpec
from andromede.inspect import formats

DISK = "disk.qcow2"
RESCUE = "rescue.qcow2"
KEPT = "kept.qcow2"  # the disk as it was before a change that may be taken back
STATE = "memory.state"  # a suspended machine's memory
FORGOTTEN = ".forgotten"
QUARANTINE = 7 * 24 * 3600 * clock.SECOND
FICLONE = 0x40049409
BOOTABLE = ("qcow2", "raw")
QEMU_IMG = "/usr/bin/qemu-img"
CP = "/bin/cp"


class Disks:
    """The disks of one cloud on this host. Methods are safe to call from several threads."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self._config = config
        self._paths = paths
        self._bases = threading.Lock()  # what stands on a base, and its removal

    def ensure(self, folder: Path, spec: DiskSpec, held: record.Record) -> Path | None:
        """Make the disk in a server's folder if there is none; the base it stands on, or None.

        `held` is the server's record: its base is set and saved before the disk appears.
        Errors: EngineError.
        """
        disk = folder / DISK
        if disk.exists():
            if spec.image_id and not held.base:  # the record was lost
                held.base = f"{spec.image_id}.{spec.image_format}"
            return self._paths.bases / held.base if held.base else None
        base: Path | None = None
        if spec.image_id:
            base = self._stand_on(folder, spec, held, "base")
        elif held.base:
            held.base = None
            record.save(folder, held)
        _make_overlay(disk, spec.size, base)
        return base

    def _stand_on(self, folder: Path, spec: DiskSpec, held: record.Record, field: str) -> Path:
        """The base for a disk, noted in the record's `field` before the disk appears."""
        assert spec.image_id
        with self._bases:
            base = self._ensure_base(spec.image_id, spec.image_format or "")
            setattr(held, field, base.name)
            record.save(folder, held)
        virtual = virtual_size(base)
        if virtual > spec.size:
            raise EngineError(
                f"making a disk of {spec.size} bytes from image {spec.image_id}: the image holds a "
                f"disk of {virtual} bytes; a disk of at least that is needed",
                permanent=True,
            )
        return base

    def replace(self, folder: Path, spec: DiskSpec, held: record.Record) -> None:
        """Remove a disk of another generation than is wanted, with all that belongs to it."""
        if held.generation == spec.generation:
            return
        for name in (STATE, KEPT, DISK):
            (folder / name).unlink(missing_ok=True)
        held.generation, held.base = spec.generation, None
        record.save(folder, held)

    def ensure_rescue(
        self, folder: Path, spec: RescueSpec | None, held: record.Record
    ) -> Path | None:
        """Make the disk a server is rescued with, or remove the one of an earlier rescue; the base
        it stands on. Errors: EngineError."""
        disk = folder / RESCUE
        if spec is None:
            disk.unlink(missing_ok=True)
            if held.rescue_base:
                held.rescue_base = None
                record.save(folder, held)
            return None
        if disk.exists() and held.rescue_base:
            return self._paths.bases / held.rescue_base
        base = self._stand_on(folder, spec.disk, held, "rescue_base")
        _make_overlay(disk, spec.disk.size, base)
        return base

    def keep(self, folder: Path) -> None:
        """Copy a disk that nobody writes, unless it was. Errors: EngineError."""
        kept, disk = folder / KEPT, folder / DISK
        if disk.exists() and not kept.exists():
            words = [CP, "--reflink=auto", "--sparse=always", "--", str(disk)]
            tool.write(kept, f"keeping a copy of {disk}", lambda draft: [*words, draft])

    def restore(self, folder: Path) -> None:
        """Have the disk that was kept again. Errors: OSError."""
        with contextlib.suppress(FileNotFoundError):  # it is in its place already
            (folder / KEPT).rename(folder / DISK)
            tool.sync(folder)

    def forget(self, folder: Path) -> None:
        (folder / KEPT).unlink(missing_ok=True)

    def _ensure_base(self, image_id: str, form: str) -> Path:
        if form not in BOOTABLE:
            raise EngineError(
                f"booting image {image_id}: its format is {form or 'unknown'}; "
                f"{' and '.join(BOOTABLE)} can be booted",
                permanent=True,
            )
        base = self._paths.bases / f"{image_id}.{form}"
        self._paths.bases.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not base.exists():
            _adopt_file(self._paths.images / image_id, base, role_uid(self._config, "api"))
        return base

    def forget_base(self, image_id: str) -> None:
        """Remove an image's bases once nothing stands on them: now, or with the last that does."""
        with self._bases:
            for form in BOOTABLE:
                base = self._paths.bases / f"{image_id}.{form}"
                if base.exists():
                    base.with_name(base.name + FORGOTTEN).touch(mode=0o600)
        self.collect_bases()

    def collect_bases(self) -> None:
        """Remove every base that was forgotten and that no disk stands on."""
        with self._bases:
            marks = list(self._paths.bases.glob("*" + FORGOTTEN))
            used = self._used() if marks else set()
            for mark in marks:
                name = mark.name.removesuffix(FORGOTTEN)
                if name not in used:
                    mark.with_name(name).unlink(missing_ok=True)
                    mark.unlink(missing_ok=True)

    def _used(self) -> set[str]:
        folders = [*_folders(self._paths.servers), *_folders(self._paths.quarantine)]
        records = [held for folder in folders if (held := record.load(folder))]
        return {name for held in records for name in (held.base, held.rescue_base) if name}

    def remove(self, server_id: str) -> None:
        """Erase all files of a server. Errors: EngineError."""
        folder = self._paths.servers / server_id
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise EngineError(f"removing the files of server {server_id}: {error}") from error
        self.collect_bases()

    def quarantine(self, server_id: str) -> None:
        """Put a server's files aside, to be removed seven days later. Errors: EngineError."""
        self._paths.quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._paths.quarantine / f"{clock.now()}.{server_id}"
        with contextlib.suppress(FileNotFoundError):
            try:
                (self._paths.servers / server_id).rename(target)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    raise
                raise EngineError(f"putting disk {server_id} into quarantine: {error}") from error

    def purge_quarantine(self) -> frozenset[str]:
        """Remove what has been in quarantine for seven days; the ids of what went."""
        gone = set()
        for folder in _folders(self._paths.quarantine):
            moment, _, server_id = folder.name.partition(".")
            if moment.isdigit() and clock.now() - int(moment) >= QUARANTINE:
                shutil.rmtree(folder)
                gone.add(server_id)
        self.collect_bases()
        return frozenset(gone)

    def unused_bases(self) -> list[str]:
        """Bases of images that are gone, on which no disk stands: leaked, or about to go."""
        with self._bases:
            used = self._used()
            return sorted(
                each.name
                for each in self._paths.bases.glob("*.*")
                if each.suffix[1:] in BOOTABLE
                and each.name not in used
                and not (self._paths.images / each.stem).exists()
            )

    def overdue(self) -> list[str]:
        """What is in quarantine longer than it should be, with an hour's patience."""
        before = clock.now() - QUARANTINE - 3600 * clock.SECOND
        found = (
            (each.name, each.name.partition(".")[0]) for each in _folders(self._paths.quarantine)
        )
        return sorted(
            name for name, moment in found if not moment.isdigit() or int(moment) < before
        )

    def present(self) -> frozenset[str]:
        """Ids of the servers that have files."""
        return frozenset(folder.name for folder in _folders(self._paths.servers))


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return [Path(each.path) for each in entries if each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def virtual_size(base: Path) -> int:
    """Bytes of the disk a base holds, from its header alone.

    Errors: EngineError when the content is not what its name says, or could not be read.
    """
    form = base.suffix.lstrip(".")
    try:
        with base.open("rb") as file:
            verdict = formats.examine(file.fileno(), form)
    except OSError as error:
        raise EngineError(f"reading base {base.name}: {error}") from error
    if not verdict.ok:
        raise EngineError(f"booting base {base.name}: {verdict.reason}", permanent=True)
    return verdict.virtual_size


def _make_overlay(disk: Path, size: int, base: Path | None) -> None:
    words = [QEMU_IMG, "create", "-q", "-f", "qcow2"]
    if base:  # -u: the base is not opened, so nothing in it is obeyed
        words += ["-u", "-b", f"../../bases/{base.name}", "-F", base.suffix.lstrip(".")]
    tool.write(
        disk, f"making disk {disk} of {size} bytes", lambda draft: [*words, "--", draft, str(size)]
    )


def _adopt_file(image: Path, base: Path, owner: int) -> None:
    """Make `base` another name of the image's file, root's and read-only; a copy where it cannot."""
    try:
        source = os.open(image, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise EngineError(
            f"reading the data of image {image.name}: {error.strerror}; they must be in {image}",
            permanent=error.errno in (errno.ENOENT, errno.ELOOP),
        ) from error
    try:
        facts = os.fstat(source)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid not in (owner, os.geteuid()):
            raise EngineError(
                f"booting image {image.name}: {image} is not a file of user {owner}", permanent=True
            )
        _name(source, base)
    except OSError as error:
        raise EngineError(f"making the base of image {image.name}: {error}") from error
    finally:
        os.close(source)


def _name(source: int, base: Path) -> None:
    """Give an open file the name `base`, or its content where a second name cannot be given."""
    draft = base.with_name(base.name + ".new")
    draft.unlink(missing_ok=True)
    try:
        try:  # the folder descriptor, unused, is what makes link follow to the file
            os.link(f"/proc/self/fd/{source}", draft, src_dir_fd=source, follow_symlinks=True)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP):
                raise
            _copy(source, draft)
        _own(draft)
        draft.rename(base)
        tool.sync(base.parent)
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: int, target: Path) -> None:
    with target.open("wb") as file:
        try:
            fcntl.ioctl(file.fileno(), FICLONE, source)
        except OSError:
            with os.fdopen(os.dup(source), "rb") as content:
                content.seek(0)
                shutil.copyfileobj(content, file, 4 << 20)
        file.flush()
        os.fsync(file.fileno())


def _own(base: Path) -> None:
    descriptor = os.open(base, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchown(descriptor, os.geteuid(), os.getegid())
        os.fchmod(descriptor, 0o444)
    finally:
        os.close(descriptor)
