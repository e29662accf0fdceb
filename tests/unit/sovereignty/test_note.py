"""Signed notes and keys: read strictly, and signatures agree with an independent library's."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.note import NoteError, Verifier

KEY = SigningKey(bytes(range(32)))
LOG = Verifier("example.com/log", notes.ED25519, bytes(KEY.verify_key))
WITNESS = Verifier("witness.example/w", notes.COSIGNATURE, bytes(KEY.verify_key))
TEXT = notes.checkpoint_text("example.com/log", 7, bytes(range(32)))


def signed(text: str = TEXT, key: Verifier = LOG) -> str:
    payload = key.key_id + KEY.sign(text.encode()).signature
    return f"{text}\n{notes.signature_line(key.name, payload)}"


def cosignature(text: str = TEXT, time: int = 1_700_000_000) -> str:
    made = KEY.sign(f"cosignature/v1\ntime {time}\n{text}".encode()).signature
    return notes.signature_line(WITNESS.name, WITNESS.key_id + time.to_bytes(8) + made)


def test_a_checkpoint_signed_by_an_independent_library_verifies() -> None:
    note = notes.parse(signed().encode())
    assert note.text == TEXT
    assert notes.check(note, LOG) is None
    head = notes.read_checkpoint(note.text)
    assert (head.origin, head.size, head.root) == ("example.com/log", 7, bytes(range(32)))


def test_a_cosignature_binds_its_time() -> None:
    note = notes.parse(signed() + cosignature())
    assert notes.check(note, WITNESS) == 1_700_000_000
    assert notes.signed_by(note, [LOG, WITNESS]) == [LOG, WITNESS]
    line = cosignature().split(" ")[2]
    payload = bytearray(base64.b64decode(line))
    payload[11] ^= 1
    later = notes.parse(signed() + notes.signature_line(WITNESS.name, bytes(payload)))
    with pytest.raises(NoteError, match="false"):
        notes.check(later, WITNESS)


@given(st.data())
def test_a_changed_character_of_the_text_is_seen(data: st.DataObject) -> None:
    whole = signed()
    at = data.draw(st.integers(0, len(TEXT) - 2))
    other = data.draw(st.sampled_from("0123456789abcXYZ/+=").filter(lambda c: c != whole[at]))
    forged = whole[:at] + other + whole[at + 1 :]
    try:
        note = notes.parse(forged)
    except NoteError:
        return
    with pytest.raises(NoteError):
        notes.check(note, LOG)


def test_unknown_signatures_are_ignored_and_a_false_known_one_is_refused() -> None:
    stranger = notes.signature_line("else.example", b"abcd" + bytes(64))
    note = notes.parse(signed() + stranger)
    assert notes.check(note, LOG) is None
    assert notes.signed_by(note, [WITNESS]) == []
    with pytest.raises(NoteError, match="not signed by witness"):
        notes.check(note, WITNESS)
    false = notes.signature_line(LOG.name, LOG.key_id + bytes(64))
    with pytest.raises(NoteError, match="forged or altered"):
        notes.check(notes.parse(signed() + false), LOG)
    with pytest.raises(NoteError, match="malformed"):
        notes.check(
            notes.parse(f"{TEXT}\n{notes.signature_line(LOG.name, LOG.key_id + b'x')}"), LOG
        )


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a\n", "a\n\n", "\n\n— n YWJjZGU=\n", "a\n\n— n YWJjZGU=", "a\x01\n\n— n YWJjZGU=\n",
        "a\n\n- n YWJjZGU=\n", "a\n\n— n+m YWJjZGU=\n", "a\n\n— n !\n", "a\n\n— n YWJj\n",
        "a\n\n— n  YWJjZGU=\n", "a\n\n" + "— n YWJjZGU=\n" * 65,
    ],
)  # fmt: skip
def test_malformed_notes_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.parse(text)


def test_a_note_that_is_not_utf8() -> None:
    with pytest.raises(NoteError, match="UTF-8"):
        notes.parse(b"\xff\n\nx\n")


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n", f"o\n01\n{ROOT}\n", f"o\n-1\n{ROOT}\n", f"\n1\n{ROOT}\n", "o\n1\nYWJj\n",
        "o\n1\n!\n", f"o\n1\n{ROOT}\n\n", f"o\n1\n{ROOT}", f"o\n{'9' * 30}\n{ROOT}\n",
    ],
)  # fmt: skip
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.read_checkpoint(text)


def test_extension_lines_are_left_alone() -> None:
    assert notes.read_checkpoint(f"o\n1\n{ROOT}\nmore\n").size == 1


def test_keys_are_written_and_read() -> None:
    text = str(LOG)
    assert notes.verifier(text) == LOG
    name, key_id, material = text.split("+", 2)
    wanted = hashlib.sha256(name.encode() + b"\n\x01" + bytes(KEY.verify_key)).digest()[:4]
    assert key_id == wanted.hex()
    for bad in (
        "", "a+b", f"{name}+00000000+{material}", f"{name}+{key_id}+!",
        f"{name}+{key_id}+{base64.b64encode(b'x' * 33).decode()}", f"a b+{key_id}+{material}",
    ):  # fmt: skip
        with pytest.raises(NoteError):
            notes.verifier(bad)
