"""Verifies what was downloaded of a log: checkpoints, proofs, bundles. Offline, from bytes alone.

Nothing is believed but the keys that the examiner is given; without any, the key that a bundle
names is used, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import rfc8785

from andromede import clock
from andromede.sovereignty.log import mirror as mirrors
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.bundle import Bundle, Link, Proven, from_text
from andromede.sovereignty.log.commitment import commitment
from andromede.sovereignty.log.compare import compare
from andromede.sovereignty.log.note import COSIGNATURE, ED25519, Checkpoint, Note, Verifier
from andromede.sovereignty.log.proof import ProofError, Tree, verify_inclusion
from andromede.sovereignty.log.tree import leaf_hash
from andromede.sovereignty.log.verdicts import FALSE, NOT_SHOWN, TRUE, Head, Line

MOST_FALSE = 20  # false leaves named one by one


class NoKeyError(notes.NoteError):
    """No key is known that should have signed."""


class Examination:
    """Collects what files say; `conclude` compares them with each other.

    `key` is the log's verifier key, `witnesses` those whose cosignatures count.
    """

    def __init__(self, key: Verifier | None = None, witnesses: Sequence[Verifier] = ()) -> None:
        self.key = key
        self.witnesses = list(witnesses)
        self.lines: list[Line] = []
        self.heads: list[Head] = []
        self.links: list[tuple[str, Link]] = []
        self.mirrors: list[tuple[str, Checkpoint, Tree]] = []
        self.cosigned: dict[tuple[str, str], int] = {}  # origin, witness -> largest size

    @property
    def verdict(self) -> str:
        """False when anything is, not shown when anything is not, else verified."""
        said = {line.verdict for line in self.lines}
        return next((each for each in (FALSE, NOT_SHOWN) if each in said), TRUE)

    def say(self, file: str, verdict: str, text: str) -> None:
        self.lines.append(Line(file, verdict, text))

    def checkpoint(
        self,
        file: str,
        text: bytes | str,
        claimed: str | None = None,
        witnesses: Sequence[str] = (),
    ) -> Checkpoint | None:
        """A checkpoint; `claimed` and `witnesses` are keys that its bundle names. None if false."""
        try:
            key = self._key(file, claimed)
            note = notes.parse(text)
            head = notes.read_checkpoint(note.text)
            notes.check(note, key)
            if head.origin != key.name:
                raise notes.NoteError(f"its origin is {head.origin}, and its key {key.name}")
        except notes.NoteError as error:
            verdict = NOT_SHOWN if isinstance(error, NoKeyError) else FALSE
            self.say(file, verdict, f"checkpoint: {error}")
            return None
        self.say(file, TRUE, f"checkpoint of {head.size} leaves, signed by {key.name}")
        self.heads.append(Head(file, str(key), head))
        self._cosignatures(file, note, witnesses)
        return head

    def _key(self, file: str, claimed: str | None) -> Verifier:
        """Whose signature to ask for.

        Errors: NoteError when none is known, it is no log's key, or the file is of another log.
        """
        named = notes.verifier(claimed) if claimed is not None else None
        if self.key is not None and named is not None and named != self.key:
            raise notes.NoteError(f"it names the key {named}, and {self.key} was given")
        key = self.key or named
        if key is None:
            raise NoKeyError("give the log's verifier key, which it does not name, with --key")
        if key.kind != ED25519:
            raise notes.NoteError(f"{key} is no log's key")
        if self.key is None and not any(line.text.startswith("the key") for line in self._of(file)):
            self.say(file, TRUE, f"the key is the one it names itself: {key}")
        return key

    def _of(self, file: str) -> Iterable[Line]:
        return (line for line in self.lines if line.file == file)

    def _cosignatures(self, file: str, note: Note, claimed: Sequence[str]) -> None:
        """The witnesses' signatures on a checkpoint: of those given, or else of those it names."""
        try:
            keys = self.witnesses or [notes.verifier(text) for text in claimed]
            for key in notes.signed_by(note, keys):
                if key.kind != COSIGNATURE:
                    raise notes.NoteError(f"{key} is no witness's key")
                time = notes.check(note, key) or 0
                when = clock.iso(time * clock.SECOND)
                self.say(file, TRUE, f"cosigned by the witness {key.name} at {when}")
                head = notes.read_checkpoint(note.text)
                at = (head.origin, str(key))
                self.cosigned[at] = max(head.size, self.cosigned.get(at, 0))
        except (notes.NoteError, OverflowError) as error:
            self.say(file, FALSE, f"witness: {error}")

    def bundle(self, file: str, found: Bundle) -> None:
        """A bundle: its checkpoints, each leaf's commitment and place."""
        head = None
        if found.checkpoint is not None:
            head = self.checkpoint(file, found.checkpoint, found.log, found.witnesses)
            if head is None:
                return
        for text in found.earlier:
            self.checkpoint(file, text, found.log, found.witnesses)
        self.links += [(file, each) for each in found.consistency]
        self._leaves(file, found, head)

    def _leaves(self, file: str, found: Bundle, head: Checkpoint | None) -> None:
        proven, pending, wrong = 0, 0, 0
        at: dict[int, str] = {}
        for each in found.leaves:
            try:
                if each.leaf.get("project_id") not in (found.project_id, "*"):
                    raise ValueError(f"it is of project {each.leaf.get('project_id')}")
                if each.index is None:
                    pending += 1
                    continue
                if at.setdefault(each.index, each.salt) != each.salt:
                    raise ValueError(f"another leaf has its index {each.index}")
                _check_leaf(each, head)
                proven += 1
            except ValueError as error:
                wrong += 1
                if wrong <= MOST_FALSE:
                    self.say(file, FALSE, f"leaf {each.leaf.get('id')}: {error}")
        if wrong:
            self.say(file, FALSE, f"{wrong} of {len(found.leaves)} leaves do not verify")
        if proven or not found.leaves:
            self.say(file, TRUE, f"{proven} leaves of project {found.project_id} are in the log")
        if pending:
            self.say(file, NOT_SHOWN, f"{pending} leaves have no number yet: take a bundle later")
        if found.next is not None:
            self.say(file, TRUE, f"more leaves follow: take the bundle after marker {found.next}")

    def link(self, file: str, data: bytes) -> None:
        """A consistency proof as the log answers it."""
        try:
            self.links.append((file, msgspec.json.decode(data, type=Link)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.say(file, FALSE, f"it is no consistency proof: {error}")

    def mirror(self, file: str, folder: Path) -> None:
        """A copy of the whole log."""
        try:
            text = (folder / "checkpoint").read_bytes()
        except OSError as error:
            self.say(file, FALSE, f"it is no mirror: checkpoint: {error.strerror}")
            return
        head = self.checkpoint(file, text)
        if head is None:
            return
        try:
            self.mirrors.append((file, head, mirrors.verify(folder, head)))
            self.say(file, TRUE, f"{head.size} entries and their tiles have the checkpoint's root")
        except ProofError as error:
            self.say(file, FALSE, f"mirror: {error}")

    def conclude(self) -> None:
        """Compare all heads of each log: the same tree, or one the beginning of the other."""
        self.lines += compare(self.heads, self.links, self.mirrors)
        for origin in sorted({head.checkpoint.origin for head in self.heads}):
            for key in self.witnesses:
                self._witnessed(origin, key)

    def _witnessed(self, origin: str, key: Verifier) -> None:
        """How much of a log a witness has vouched for, of those that are asked for."""
        largest = max(
            (head for head in self.heads if head.checkpoint.origin == origin),
            key=lambda head: head.checkpoint.size,
        )
        seen = self.cosigned.get((origin, str(key)))
        if seen is None:
            self.say(largest.file, NOT_SHOWN, f"no checkpoint is cosigned by {key.name}")
        elif seen < largest.checkpoint.size:
            text = f"{key.name} has cosigned the first {seen} of {largest.checkpoint.size} leaves"
            self.say(largest.file, NOT_SHOWN, text)


def _check_leaf(each: Proven, head: Checkpoint | None) -> None:
    """Errors: ValueError."""
    if head is None or each.index is None or each.proof is None:
        raise ValueError("it has an index and no proof under a checkpoint")
    salt = bytes.fromhex(each.salt)
    hashed = leaf_hash(commitment(salt, rfc8785.dumps(each.leaf)))
    verify_inclusion(hashed, each.index, head.size, from_text(each.proof), head.root)
