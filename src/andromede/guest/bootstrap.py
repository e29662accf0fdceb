"""Installs Debian packages into a folder with mmdebstrap, from downloaded archives alone, and reads
what came of it. The archives stand in a repository of their own, so nothing is fetched meanwhile."""

import hashlib
import os
import shutil
import stat
import tarfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from andromede.guest.errors import GuestBuildError, run
from andromede.guest.packages import Archive
from andromede.guest.tree import Node, Tree

MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"
SUITE = "stable"  # a name only, by which mmdebstrap knows what is essential
CAPABILITY = "SCHILY.xattr.security.capability"
APT_OPTIONS = ('APT::Install-Recommends "false"', 'APT::Sandbox::User "root"')
# What is left out of every package, as images of containers do: pages to read, and translations.
LEFT_OUT = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
)


def install(
    archives: Sequence[Archive], names: Sequence[str], work: Path, epoch: int, setup: Sequence[str]
) -> Path:
    """A tar archive of a Debian with `names`, all of whose packages are among `archives`.

    /bin, /lib and their like are links to their namesakes in /usr: `usr-is-merged` must be among the
    archives. `setup` are commands for the shell that run when the essential packages are there and
    no others yet, with the folder as $1. Needs mmdebstrap, and root or user namespaces.

    Errors: GuestBuildError.
    """
    repository = work / "repository"
    publish(archives, repository, epoch)
    tarball, folder = work / "system.tar", work / "mmdebstrap"
    folder.mkdir(mode=0o755)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(names)}"]
    command += [f"--hook-dir={MERGED_USR}"]
    command += [f"--aptopt={option}" for option in APT_OPTIONS]
    command += [f"--dpkgopt={option}" for option in LEFT_OUT]
    command += [f"--essential-hook={line}" for line in setup]
    source = f"deb [trusted=yes] copy:{repository.resolve()} ./"
    run(
        [*command, "--format=tar", SUITE, str(tarball), source],
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(folder.resolve()),
            "SOURCE_DATE_EPOCH": str(epoch),
        },
    )
    shutil.rmtree(repository)
    return tarball


def publish(archives: Sequence[Archive], repository: Path, epoch: int) -> None:
    """Make a flat repository of the archives. Source: Debian, the repository format."""
    repository.mkdir()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        index = "\n".join(pool.map(_entry, archives)).encode()
    for archive in archives:
        shutil.copyfile(archive.path, repository / f"{archive.sha256}.deb")
    (repository / "Packages").write_bytes(index)
    date = time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(epoch))
    (repository / "Release").write_text(
        f"Suite: {SUITE}\nDate: {date}\nSHA256:\n"
        f" {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n"
    )


def _entry(archive: Archive) -> str:
    """The archive as a repository's index has it."""
    control = run(["dpkg-deb", "-f", str(archive.path)])
    size = archive.path.stat().st_size
    name = f"./{archive.sha256}.deb"
    return f"{control.rstrip()}\nFilename: {name}\nSize: {size}\nSHA256: {archive.sha256}\n"


def read(tarball: Path, staging: Path, wanted: Callable[[str], bool] = lambda path: True) -> Tree:
    """The files of a tar archive whose paths are `wanted`; their content is put into `staging`.

    Devices and sockets are left out: a running system makes its own.
    """
    tree = Tree()
    staging.mkdir()
    with tarfile.open(tarball) as archive:
        for number, member in enumerate(archive):
            path = os.path.normpath(member.name).lstrip("/")
            if path == "." or not wanted(path):
                continue
            node = _node(archive, member, staging / str(number), tree)
            if node is not None:
                tree.add(path, node)
    return tree


def _node(
    archive: tarfile.TarFile, member: tarfile.TarInfo, staged: Path, tree: Tree
) -> Node | None:
    if member.islnk():
        target = os.path.normpath(member.linkname).lstrip("/")
        if target not in tree.nodes:
            raise GuestBuildError(f"{member.name} is a link to {target}, which is left out")
        return tree.nodes[target]
    found = Node(0, uid=member.uid, gid=member.gid, mtime=int(member.mtime))
    if member.isdir():
        return replace(found, mode=stat.S_IFDIR | member.mode)
    if member.issym():
        return replace(found, mode=stat.S_IFLNK | 0o777, data=member.linkname.encode())
    if not member.isfile():
        return None
    content = archive.extractfile(member)
    assert content is not None, "a regular file has content"
    with content, staged.open("wb") as file:
        shutil.copyfileobj(content, file)
    said = member.pax_headers.get(CAPABILITY, "").encode("utf-8", "surrogateescape")
    return replace(found, mode=stat.S_IFREG | member.mode, source=staged, capability=said)
