"""A copy of a whole log in a folder, laid out as it is served: read, and verified to its root."""

from __future__ import annotations

from pathlib import Path

from andromede.sovereignty.log.note import Checkpoint
from andromede.sovereignty.log.paths import TilePath, needed
from andromede.sovereignty.log.proof import ProofError, Tree
from andromede.sovereignty.log.tree import HASH, WIDTH, Frontier, leaf_hash, parts, root_of

PREFIX = 2  # bytes of an entry's length


def commitments(bundle: bytes, where: str) -> list[bytes]:
    """The entries of a bundle: each is 32 bytes, after its length.

    Errors: ProofError.
    """
    step = PREFIX + HASH
    if len(bundle) % step:
        raise ProofError(f"{where} has {len(bundle)} bytes, no multiple of {step}: it is truncated")
    found = []
    for at in range(0, len(bundle), step):
        if int.from_bytes(bundle[at : at + PREFIX]) != HASH:
            raise ProofError(f"{where} has an entry that is not of {HASH} bytes")
        found.append(bundle[at + PREFIX : at + step])
    return found


def as_bundle(entries: bytes) -> bytes:
    """A bundle of commitments that stand in one piece."""
    length = HASH.to_bytes(PREFIX)
    return b"".join(length + entries[at : at + HASH] for at in range(0, len(entries), HASH))


def verify(folder: Path, head: Checkpoint) -> Tree:
    """Compute the tree of a mirror from its entries, and compare its tiles and its root.

    Errors: ProofError naming the file that is missing, truncated or wrong.
    """
    frontier = Frontier()
    level: list[bytes] = []
    tiles: dict[tuple[int, int], bytes] = {}
    for path in needed(head.size):
        data = _read(folder, path)
        if path.level is None:
            entries = commitments(data, str(path))
            _require_width(path, len(entries))
            level += [leaf_hash(each) for each in entries]
            for hashed in level[frontier.size :]:
                frontier.add(hashed)
            continue
        if path.number == 0 and path.level:
            level = _above(tiles, path.level)
        wanted = b"".join(level[path.number * WIDTH : path.number * WIDTH + path.width])
        _require_width(path, len(data) // HASH)
        if data != wanted:
            raise ProofError(f"{path} is not made of the entries: it was changed")
        tiles[path.level, path.number] = data
    if frontier.root() != head.root:
        raise ProofError(
            f"the entries' root is not the one of the checkpoint of {head.size} leaves: "
            f"the log was forked or edited"
        )
    return Tree(head.size, lambda at, number: tiles.get((at, number), b""))


def _above(tiles: dict[tuple[int, int], bytes], level: int) -> list[bytes]:
    """The roots of the full tiles of the level below, in their order."""
    below = (data for (at, _), data in tiles.items() if at == level - 1)
    return [root_of(parts(data)) for data in below if len(data) == WIDTH * HASH]


def _require_width(path: TilePath, width: int) -> None:
    if width != path.width:
        raise ProofError(f"{path} has {width} hashes; {path.width} are needed: it is truncated")


def _read(folder: Path, path: TilePath) -> bytes:
    try:
        return (folder / str(path)).read_bytes()
    except OSError as error:
        raise ProofError(f"{path}: {error.strerror}") from error
