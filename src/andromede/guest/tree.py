"""The files of an image as a sorted list of nodes in memory, and how they are written to cpio."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from andromede.guest.errors import GuestBuildError


@dataclass(frozen=True)
class Node:
    """One file: `mode` has the type bits; a link's `data` is its target, a device has `rdev`.

    `source` is where a large file's content lies instead of in `data`; `mtime` None is the image's
    own date; `capability` is the extended attribute `security.capability`.
    """

    mode: int
    data: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    uid: int = 0
    gid: int = 0
    source: Path | None = None
    mtime: int | None = None
    capability: bytes = b""

    def content(self) -> bytes:
        """The bytes of a regular file, or a link's target."""
        return self.data if self.source is None else self.source.read_bytes()


@dataclass
class Tree:
    """Paths without a leading slash to their nodes; parents are made as needed."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def directory(self, path: str, mode: int = 0o755, *, uid: int = 0, gid: int = 0) -> None:
        self.add(path, Node(stat.S_IFDIR | mode, uid=uid, gid=gid))

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        self.add(path, Node(stat.S_IFREG | mode, data))

    def link(self, path: str, target: str) -> None:
        self.add(path, Node(stat.S_IFLNK | 0o777, target.encode()))

    def device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        self.add(path, Node(stat.S_IFCHR | mode, rdev=(major, minor)))

    def copy(self, source: Path, path: str, mode: int | None = None) -> None:
        """Add a regular file of the host, with its permissions unless `mode` says otherwise."""
        bits = source.stat().st_mode & 0o7777 if mode is None else mode
        self.file(path, source.read_bytes(), bits)

    def sorted(self) -> list[tuple[str, Node]]:
        """Every node, parents before children, in one order on every host."""
        return sorted(self.nodes.items(), key=lambda item: item[0].split("/"))

    def add(self, path: str, node: Node) -> None:
        """Put a node in the place of what was there."""
        if path.startswith("/") or ".." in path.split("/"):
            raise GuestBuildError(f"path in image must be relative and plain: {path!r}")
        for parent in reversed(PurePosixPath(path).parents):
            if str(parent) != ".":
                self.nodes.setdefault(str(parent), Node(stat.S_IFDIR | 0o755))
        self.nodes[path] = node


def cpio(tree: Tree, epoch: int) -> bytes:
    """The tree as a `newc` archive, as the kernel unpacks it; inode numbers follow the order."""
    parts: list[bytes] = []
    for number, (path, node) in enumerate(tree.sorted(), start=1):
        links = 2 if stat.S_ISDIR(node.mode) else 1
        parts.extend(_cpio_member(path, node, number, links, epoch))
    parts.extend(_cpio_member("TRAILER!!!", Node(0), 0, 1, 0))
    return b"".join(parts)


def _cpio_member(path: str, node: Node, inode: int, links: int, epoch: int) -> Iterable[bytes]:
    name = path.encode() + b"\0"
    fields = (
        inode,
        node.mode,
        node.uid,
        node.gid,
        links,
        epoch,
        len(node.data),
        0,
        0,
        *node.rdev,
        len(name),
        0,
    )
    yield b"070701" + b"".join(b"%08X" % value for value in fields)
    yield name + b"\0" * (-(110 + len(name)) % 4)
    yield node.data + b"\0" * (-len(node.data) % 4)
