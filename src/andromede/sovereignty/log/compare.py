"""Compares the signed heads of a log: two views of it are one, or one is the beginning of the other.

What shows that is a consistency proof, or a whole copy of the log. Two signed heads of one size with
different roots are a split view, which no proof can mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from andromede.sovereignty.log.bundle import Link, from_text
from andromede.sovereignty.log.note import Checkpoint
from andromede.sovereignty.log.proof import ProofError, Tree, verify_consistency
from andromede.sovereignty.log.verdicts import FALSE, NOT_SHOWN, TRUE, Head, Line

Mirrors = Sequence[tuple[str, Checkpoint, Tree]]
Links = Sequence[tuple[str, Link]]


def compare(heads: Sequence[Head], links: Links, mirrors: Mirrors) -> list[Line]:
    """What can be said of the heads of each log together."""
    found: list[Line] = []
    for origin in sorted({head.checkpoint.origin for head in heads}):
        mine = [head for head in heads if head.checkpoint.origin == origin]
        keys = sorted({head.key for head in mine})
        if len(keys) > 1:
            text = f"{origin} is signed by different keys: {', '.join(keys)}"
            found.append(Line(mine[0].file, FALSE, text))
        splits = list(_splits(mine))
        found += splits
        if not splits:
            copies = [each for each in mirrors if each[1].origin == origin]
            found += _Views(mine, links, copies).lines()
    if not heads and links:
        found.append(Line(links[0][0], NOT_SHOWN, "a proof alone shows nothing: give checkpoints"))
    return found


def _splits(heads: Sequence[Head]) -> Iterator[Line]:
    """Heads of one size whose roots differ."""
    first: dict[int, Head] = {}
    for head in heads:
        other = first.setdefault(head.checkpoint.size, head)
        if other.checkpoint.root != head.checkpoint.root:
            yield Line(
                head.file,
                FALSE,
                f"split view: {head.checkpoint.origin} signed another tree of "
                f"{head.checkpoint.size} leaves in {other.file}; keep both as evidence",
            )


class _Views:
    """The heads of one log, by size, and which of them are tied together."""

    def __init__(self, heads: Sequence[Head], links: Links, mirrors: Mirrors) -> None:
        self.heads = {head.checkpoint.size: head for head in heads}
        self.links, self.mirrors = links, mirrors
        self.group = {size: size for size in self.heads}

    def lines(self) -> Iterator[Line]:
        for file, head, tree in self.mirrors:
            yield from self._mirror(file, head, tree)
        for file, link in self.links:
            if link.first in self.heads and link.second in self.heads:
                yield self._link(file, link)
        yield from self._untied()

    def _tie(self, first: int, second: int) -> None:
        kept, gone = self.group[first], self.group[second]
        self.group = {size: kept if of == gone else of for size, of in self.group.items()}

    def _mirror(self, file: str, head: Checkpoint, tree: Tree) -> Iterator[Line]:
        for size, other in self.heads.items():
            if size >= head.size:
                continue
            if tree.at(size).root() == other.checkpoint.root:
                self._tie(size, head.size)
                yield Line(file, TRUE, f"it begins with the {size} leaves of {other.file}")
            else:
                text = f"it does not begin with the {size} leaves of {other.file}: a forked log"
                yield Line(file, FALSE, text)
                self._tie(size, head.size)  # said once

    def _link(self, file: str, link: Link) -> Line:
        first, second = (self.heads[each].checkpoint for each in (link.first, link.second))
        self._tie(first.size, second.size)
        try:
            proof = from_text(link.proof)
            verify_consistency(first.size, first.root, second.size, second.root, proof)
        except (ProofError, ValueError) as error:
            return Line(file, FALSE, f"consistency: {error}")
        text = f"the tree of {second.size} leaves begins with the one of {first.size}"
        return Line(file, TRUE, text)

    def _untied(self) -> Iterator[Line]:
        """Heads that nothing ties to the largest one."""
        largest = max(self.heads)
        for size, head in sorted(self.heads.items()):
            if self.group[size] != self.group[largest]:
                yield Line(
                    head.file,
                    NOT_SHOWN,
                    f"nothing shows that the tree of {largest} leaves begins with the one of "
                    f"{size}: add what the log answers at "
                    f"/sovereignty/v1/log/consistency?first={size}&second={largest}",
                )
