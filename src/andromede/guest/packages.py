"""Resolves, downloads and unpacks Debian packages through the host's apt sources."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from andromede.guest.errors import GuestBuildError, run

# What maintainer scripts need and no file of the image comes from: the resolver is told that
# these are installed, so that a build fetches a third of what it would.
PLACEHOLDERS = (
    "adduser",
    "coreutils",
    "debconf",
    "dpkg",
    "init-system-helpers",
    "initramfs-tools",
    "kmod",
    "libpam-modules-bin",
    "linux-base",
    "passwd",
    "perl-base",
    "tar",
    "udev",
    "usrmerge",
    "usr-is-merged",
    "util-linux-extra",
)

ANY_ARCHITECTURE = ("perl",)

_INST = re.compile(r"^Inst (\S+) \((\S+) .*\[(\S+)\]\)")


@dataclass(frozen=True)
class Archive:
    """One downloaded binary package; `epoch` is when Debian built it."""

    name: str
    version: str
    architecture: str
    sha256: str
    epoch: int
    path: Path


@dataclass(frozen=True)
class Package:
    """One unpacked binary package; `tree` holds its files, `epoch` is when Debian built it."""

    name: str
    version: str
    architecture: str
    sha256: str
    epoch: int
    tree: Path

    @property
    def filename(self) -> str:
        return archive_name(self.name, self.version, self.architecture)


def archive_name(name: str, version: str, architecture: str) -> str:
    """The name apt gives to an archive in its cache: epochs' colons are escaped."""
    return f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"


def parse_simulation(text: str) -> list[tuple[str, str, str]]:
    """(name, version, architecture) of each package that `apt-get -s install` would unpack."""
    found = []
    for line in text.splitlines():
        if match := _INST.match(line):
            name, version, architecture = match.groups()
            found.append((name.split(":")[0], version, architecture))
    return sorted(found)


def placeholder_status(names: Sequence[str]) -> str:
    """A dpkg status file in which packages that do not exist stand for `names`, and for perl."""
    provides = ", ".join(f"{name} (= 999:0)" for name in names)
    return (
        "Package: andromede-placeholder\n"
        "Status: install ok installed\n"
        "Priority: optional\nSection: misc\nMaintainer: none\n"
        "Architecture: all\nVersion: 1\nMulti-Arch: foreign\n"
        f"Provides: {provides}, linux-initramfs-tool\n"
        "Description: stands for what the image does without\n\n"
    ) + "".join(_placeholder_of_any(name) for name in ANY_ARCHITECTURE)


def _placeholder_of_any(name: str) -> str:
    """A package that satisfies `name:any`, which nothing that is merely provided does."""
    return (
        f"Package: {name}\n"
        "Status: install ok installed\n"
        "Priority: optional\nSection: misc\nMaintainer: none\n"
        "Architecture: amd64\nVersion: 999:0\nMulti-Arch: allowed\n"
        "Description: stands for what the image does without\n\n"
    )


def archive_epoch(archive: Path) -> int:
    """The time in the first member's header of a .deb: the package's own source date."""
    with archive.open("rb") as file:
        head = file.read(68)
    if head[:8] != b"!<arch>\n":
        raise GuestBuildError(f"{archive} is no Debian archive; remove it and build again")
    return int(head[24:36])


def fetch(names: Sequence[str], cache_dir: Path, progress: Callable[[str], None]) -> list[Package]:
    """Bring `names` and what they depend on into `cache_dir`, unpacked; sorted by name."""
    archives = download(names, cache_dir, progress, placeholders=PLACEHOLDERS)
    progress(f"unpacking {len(archives)} Debian packages")
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        jobs = [pool.submit(_unpack, archive, cache_dir / "trees") for archive in archives]
        return [job.result() for job in jobs]


def download(
    names: Sequence[str],
    cache_dir: Path,
    progress: Callable[[str], None],
    *,
    placeholders: Sequence[str] = (),
) -> list[Archive]:
    """Bring the archives of `names`, which may be apt's patterns, and of what they depend on into
    `cache_dir`; sorted by name. `placeholders` are taken to be installed, and nothing else is.

    Errors: GuestBuildError.
    """
    apt = cache_dir / "apt"
    archives = apt / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    status = apt / ("status" if placeholders else "status-bare")
    status.write_text(placeholder_status(placeholders) if placeholders else "")
    options = _apt_options(apt, status)
    selection = parse_simulation(run(["apt-get", "-s", *options, "install", *names]))
    if not selection:
        raise GuestBuildError(
            f"apt-get found nothing to install for {', '.join(names)}; run apt-get update"
        )
    missing = [entry for entry in selection if not (archives / archive_name(*entry)).exists()]
    if missing:
        progress(f"downloading {len(missing)} Debian packages")
        wanted = [f"{name}={version}" for name, version, _ in missing]
        run(["apt-get", "-q", "-y", *options, "--download-only", "install", *names, *wanted])
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        return list(pool.map(lambda entry: _archive(entry, archives), selection))


def _apt_options(apt: Path, status: Path) -> list[str]:
    settings = (
        f"Dir::State::status={status}",
        f"Dir::State::extended_states={apt / 'extended_states'}",
        f"Dir::Cache={apt}",
        "APT::Install-Recommends=false",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=true",
    )
    return [part for setting in settings for part in ("-o", setting)]


def _archive(entry: tuple[str, str, str], archives: Path) -> Archive:
    path = archives / archive_name(*entry)
    if not path.exists():
        raise GuestBuildError(f"apt-get did not download {path.name}; run apt-get update")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Archive(*entry, sha256, archive_epoch(path), path)


def _unpack(archive: Archive, trees: Path) -> Package:
    tree = trees / archive.sha256
    if not tree.exists():
        staging = trees / f"{archive.sha256}.{os.getpid()}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        run(["dpkg-deb", "-x", str(archive.path), str(staging)])
        staging.rename(tree)
    return Package(
        archive.name, archive.version, archive.architecture, archive.sha256, archive.epoch, tree
    )
