"""The sequencer: every leaf numbered once, in order, under a checkpoint that verifies."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from andromede.db import Connection, Database
from andromede.sovereignty.log import Leaf, append, sequencer
from andromede.sovereignty.log.leaves import commitment, commitment_of, leaf
from andromede.sovereignty.log.sequencer import checkpoint, latest_note, sequence
from tests.unit.sovereignty.test_tree import head

ORIGIN, NAME = "cloud.test/log", "cloud.test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
KEY_HASH = hashlib.sha256(f"{NAME}\n".encode() + b"\x01" + PUBLIC).digest()[:4]


class Killed(BaseException):
    """The sequencer ends here."""


def sign(text: bytes) -> bytes:
    return KEY_HASH + KEY.sign(text)


def act(database: Database, *subjects: str) -> None:
    def work(connection: Connection) -> None:
        for subject in subjects:
            append(
                connection,
                Leaf(
                    action="test:thing:make", subject=subject, request_id="req-1", status=202,
                    project_id="p", detail={"größe": 3, "b": [1, None, True]},
                ),
            )  # fmt: skip

    database.transact(work)


def rows(database: Database) -> list[sa.RowMapping]:
    with database.read() as connection:
        found = connection.execute(sa.select(leaf).order_by(leaf.c.arrival)).mappings()
        return list(found)


def run(database: Database) -> int:
    return sequence(database, ORIGIN, sign, NAME)


def verify(database: Database) -> int:
    """Check the newest checkpoint against every leaf; the size it states."""
    with database.read() as connection:
        note = latest_note(connection)
    assert note is not None
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    dash, name, payload = signatures.strip().split(" ")
    assert (dash, name) == ("—", NAME)
    raw = base64.b64decode(payload)
    assert raw[:4] == KEY_HASH
    KEY.public_key().verify(raw[4:], text.encode())
    origin, size, root = text.splitlines()
    numbered = sorted(
        (row for row in rows(database) if row["position"] is not None), key=lambda r: r["position"]
    )
    assert [row["position"] for row in numbered] == list(range(int(size)))
    assert origin == ORIGIN
    assert base64.b64decode(root) == head([commitment_of(row) for row in numbered])
    return int(size)


def test_leaves_are_numbered_in_the_order_of_their_arrival(database: Database) -> None:
    assert run(database) == 0
    with database.read() as connection:
        assert latest_note(connection) is None
    act(database, "a", "b")
    act(database, "c")
    assert [row["position"] for row in rows(database)] == [None, None, None]
    assert run(database) == 3
    assert [(row["subject"], row["position"]) for row in rows(database)] == [
        ("a", 0), ("b", 1), ("c", 2),
    ]  # fmt: skip
    assert verify(database) == 3
    assert run(database) == 0


def test_the_tree_grows_over_runs_and_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    act(database, *(str(number) for number in range(11)))
    assert [run(database) for _ in range(4)] == [4, 4, 3, 0]
    act(database, "later")
    assert run(database) == 1
    assert verify(database) == 12
    with database.read() as connection:
        sizes = connection.execute(sa.select(checkpoint.c.size).order_by(checkpoint.c.size))
        assert list(sizes.scalars()) == [4, 8, 11, 12]


def test_an_act_that_was_rolled_back_leaves_no_leaf(database: Database) -> None:
    def fail(connection: Connection) -> None:
        append(
            connection,
            Leaf(action="a", subject="never", request_id="req", status=200),
        )
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.transact(fail)
    act(database, "kept")
    run(database)
    assert [row["subject"] for row in rows(database)] == ["kept"]
    assert verify(database) == 1


def test_a_kill_before_the_signature_is_made_good_by_the_next_run(database: Database) -> None:
    act(database, "a", "b")

    def die(_: bytes) -> bytes:
        raise Killed

    with pytest.raises(Killed):
        sequence(database, ORIGIN, die, NAME)
    assert [row["position"] for row in rows(database)] == [0, 1], "what is signed is committed"
    assert run(database) == 0
    assert verify(database) == 2
    act(database, "c")
    assert run(database) == 1
    assert verify(database) == 3


def test_what_cannot_be_written_in_canonical_json_is_no_leaf(database: Database) -> None:
    for detail in ({"n": 1 << 60}, {"x": float("nan")}):
        bad = Leaf(action="a", subject="s", request_id="r", status=200, detail=dict(detail))
        with pytest.raises(rfc8785.CanonicalizationError):
            database.transact(lambda connection, bad=bad: append(connection, bad))
    assert rows(database) == []


def test_salts_are_random_and_leaves_equal_but_for_them_differ(database: Database) -> None:
    act(database, "a", "a")
    first, second = rows(database)
    assert first["salt"] != second["salt"]
    assert len(first["salt"]) == 32
    assert commitment(first["salt"], b"x") != commitment(second["salt"], b"x")


def test_two_sequencers_at_once_number_each_leaf_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 5)
    act(database, *(str(number) for number in range(60)))
    errors: list[Any] = []

    def drain() -> None:
        try:
            while run(database):
                pass
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert verify(database) == 60


def test_a_changed_leaf_does_not_verify(database: Database) -> None:
    act(database, "a", "b")
    run(database)
    database.transact(lambda c: c.execute(sa.update(leaf).values(status=200)))
    with pytest.raises(AssertionError):
        verify(database)
