"""The log bundle: a project's leaves with their proofs, as one JSON document (docs/formats/bundle.md).

Shapes only; `gather` makes bundles and `examine` verifies them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from andromede.sovereignty.log.note import unbase64
from andromede.sovereignty.log.tree import HASH

FORMAT = "andromede-log-bundle/1"


class Proven(Struct, kw_only=True):
    """A leaf, the salt of its commitment (hexadecimal), and the proof of its place in the tree.

    `index` and `proof` (base64 hashes, from the leaf up) are null while it waits for its number.
    """

    leaf: dict[str, Any]
    salt: str
    index: int | None = None
    proof: list[str] | None = None


class Link(Struct, kw_only=True):
    """The proof that the log's first leaves are the beginning of a later tree (base64 hashes)."""

    first: int
    second: int
    proof: list[str]


class Bundle(Struct, kw_only=True):
    """What a project was shown of the log at one moment.

    `log` is the log's verifier key and `witnesses` are those it is submitted to. Proofs lead to
    `checkpoint`; `earlier` are checkpoints before it, tied to it by `consistency`. `next` is the
    marker of the following bundle when there are more leaves.
    """

    format: str = FORMAT
    project_id: str
    made: str
    log: str
    witnesses: list[str]
    checkpoint: str | None
    earlier: list[str] = []
    consistency: list[Link] = []
    leaves: list[Proven]
    next: str | None = None


def to_text(hashes: Iterable[bytes]) -> list[str]:
    """The hashes of a proof, in base64."""
    return [base64.b64encode(each).decode() for each in hashes]


def from_text(proof: Sequence[str]) -> list[bytes]:
    """The hashes of a proof.

    Errors: NoteError (a ValueError) for one that is no base64 of 32 bytes.
    """
    found = [unbase64(each, "a proof's hash") for each in proof]
    for each in found:
        if len(each) != HASH:
            raise ValueError(f"a proof's hash has {len(each)} bytes; {HASH} are accepted")
    return found


def decode(data: bytes) -> Bundle:
    """Read a bundle.

    Errors: ValueError saying what is wrong with it.
    """
    try:
        found = msgspec.json.decode(data, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no log bundle: {error}") from error
    if found.format != FORMAT:
        raise ValueError(f"its format is {found.format!r}; {FORMAT} is accepted")
    return found
