"""C2SP signed notes, checkpoints and cosignatures: written, read, and verified with Ed25519.

Sources: C2SP signed-note, tlog-checkpoint and tlog-cosignature (the cosignature/v1 of Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from andromede.sovereignty.log.tree import HASH

ED25519, COSIGNATURE = 1, 4  # signature types
KEY_ID, SIGNATURE, TIMESTAMP = 4, 64, 8  # bytes
MOST_SIGNATURES = 64
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
NAME = re.compile(r"[^\s+\x00-\x20]{1,255}")


class NoteError(ValueError):
    """A note, a checkpoint or a key is malformed or not signed by whom it should be."""


class Signature(Struct, frozen=True):
    """One signature line: the key's name and id, and what that key made."""

    name: str
    key_id: bytes
    payload: bytes


class Note(Struct, frozen=True):
    """A note: its text with the last newline, and its signatures, none of them verified."""

    text: str
    signatures: tuple[Signature, ...]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The tree head that a checkpoint states."""

    origin: str
    size: int
    root: bytes


class Verifier(Struct, frozen=True):
    """A public key with its name and kind of signature (a vkey)."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:KEY_ID]

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


def verifier(text: str) -> Verifier:
    """Read a vkey, `name+id+base64`.

    Errors: NoteError.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not NAME.fullmatch(parts[0]):
        raise NoteError(f"{text!r} is no verifier key: NAME+ID+BASE64 is accepted")
    material = unbase64(parts[2], "the verifier key")
    if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
        raise NoteError(f"{parts[0]}: only Ed25519 keys (types 1 and 4) are accepted")
    found = Verifier(parts[0], material[0], material[1:])
    if found.key_id.hex() != parts[1].lower():
        raise NoteError(f"{parts[0]}: the key's id is {found.key_id.hex()}, not {parts[1]}")
    return found


def unbase64(text: str, what: str) -> bytes:
    """Errors: NoteError naming `what` is not standard base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{what} is not base64: {error}") from error


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def signature_line(name: str, payload: bytes) -> str:
    """A signature line; `payload` begins with the key's id."""
    return f"— {name} {base64.b64encode(payload).decode()}\n"


def cosigned(text: str, timestamp: int) -> bytes:
    """What a witness signs: a checkpoint's text, and when in seconds since the epoch."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def parse(data: bytes | str) -> Note:
    """Take a signed note apart.

    Errors: NoteError.
    """
    try:
        note = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if any(each < " " and each != "\n" for each in note):
        raise NoteError("the note has control characters")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise NoteError("it is no signed note: a text, an empty line and signatures are accepted")
    signatures = parse_signatures(lines)
    if not signatures:
        raise NoteError("the note is not signed")
    return Note(text + "\n", signatures)


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines.

    Errors: NoteError.
    """
    found = []
    for line in lines.removesuffix("\n").split("\n") if lines else ():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not NAME.fullmatch(name):
            raise NoteError(f"{line[:80]!r} is no signature line")
        payload = unbase64(encoded, f"the signature of {name}")
        if len(payload) <= KEY_ID:
            raise NoteError(f"the signature of {name} is too short")
        found.append(Signature(name, payload[:KEY_ID], payload[KEY_ID:]))
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"the note has {len(found)} signatures; {MOST_SIGNATURES} are accepted")
    return tuple(found)


def read_checkpoint(text: str) -> Checkpoint:
    """The tree head of a checkpoint's text; lines after the third are left alone.

    Errors: NoteError.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteError("it is no checkpoint: origin, size and root are accepted, a line each")
    if not NUMBER.fullmatch(lines[1]):
        raise NoteError(f"the checkpoint's size {lines[1]!r} is no decimal number")
    root = unbase64(lines[2], "the checkpoint's root")
    if len(root) != HASH:
        raise NoteError(f"the checkpoint's root has {len(root)} bytes; {HASH} are accepted")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def check(note: Note, key: Verifier) -> int | None:
    """Verify the signature of a key on a note: the time of a cosignature, None of a log's.

    Errors: NoteError when that key has not signed it, or its signature is false.
    """
    mine = [each for each in note.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
    if not mine:
        raise NoteError(f"it is not signed by {key.name} ({key.key_id.hex()})")
    times = [_check_one(note.text, each, key) for each in mine]
    return max((time for time in times if time is not None), default=None)


def _check_one(text: str, signature: Signature, key: Verifier) -> int | None:
    payload, signed, time = signature.payload, text.encode(), None
    if key.kind == COSIGNATURE:
        time = int.from_bytes(payload[:TIMESTAMP])
        payload, signed = payload[TIMESTAMP:], cosigned(text, time)
    if len(payload) != SIGNATURE or (time or 0) >= 1 << 63:
        raise NoteError(f"the signature of {key.name} is malformed")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(payload, signed)
    except InvalidSignature as error:
        raise NoteError(f"the signature of {key.name} is false: forged or altered") from error
    return time


def signed_by(note: Note, keys: Iterable[Verifier]) -> list[Verifier]:
    """Which of these keys signed the note.

    Errors: NoteError when the signature of one is false.
    """
    there = {(each.name, each.key_id) for each in note.signatures}
    found = [key for key in keys if (key.name, key.key_id) in there]
    for key in found:
        check(note, key)
    return found
