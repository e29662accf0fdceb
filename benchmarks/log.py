"""The transparency log: what a leaf adds to a request, and proofs at 10^4 and 10^6 leaves.

Proofs are made as the API makes them, from rows of the database with nothing kept from before, and
verified as `andromede verify` does. Their limit is the hashing alone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from andromede.db import Connection, Database, metadata
from andromede.keys.signer import Signer
from andromede.sovereignty.log import Leaf, append, gather, tiles
from andromede.sovereignty.log.bundle import Bundle
from andromede.sovereignty.log.examine import Examination
from andromede.sovereignty.log.note import ED25519, verifier
from andromede.sovereignty.log.proof import verify_consistency, verify_inclusion
from andromede.sovereignty.log.sequencer import sequence
from benchmarks.frame import Row, median_row

ROUNDS = 400
PROOFS = 200
BUNDLED = 1_000
SIZES = ((10_000, "10^4"), (1_000_000, "10^6"))
PART = 20_000
NAME = "bench/log"

scratch = sa.Table("bench_scratch", sa.MetaData(), sa.Column("id", sa.String(64), primary_key=True))


def run() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory(prefix="andromede-bench-log-") as folder:
        database = _database(Path(folder) / "append.sqlite")
        rows = [*_append(database), *_sequence_and_bundle(database)]
        database.dispose()
        for size, name in SIZES:
            database = _database(Path(folder) / f"{size}.sqlite")
            rows += _proofs(database, size, name)
            database.dispose()
    return rows


def _database(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    scratch.create(database.engine)
    return database


def _leaf() -> Leaf:
    return Leaf(
        action="network:port:create",
        subject=secrets.token_hex(16),
        request_id="req-00000000-0000-0000-0000-000000000000",
        status=201,
        actor="0" * 32,
        actor_project="1" * 32,
        project_id="1" * 32,
    )


def _append(database: Database) -> list[Row]:
    """A transaction that writes a row, without and with a leaf, by turns."""

    def request(connection: Connection) -> None:
        connection.execute(sa.insert(scratch), {"id": secrets.token_hex(16)})

    def logged(connection: Connection) -> None:
        request(connection)
        append(connection, _leaf())

    plain, whole = [], []
    for _ in range(ROUNDS):
        plain.append(_ms(lambda: database.transact(request)))
        whole.append(_ms(lambda: database.transact(logged)))
    added = statistics.median(whole) - statistics.median(plain)
    return [
        median_row("transaction of one row", plain, "ms"),
        median_row("the same with its leaf", whole, "ms"),
        Row(name="append", value=added, unit="ms", limit=0.3, goal="<= 1", n=ROUNDS),
    ]


def _sequence_and_bundle(database: Database) -> list[Row]:
    """Numbering, and a customer's bundle of so many leaves made and verified."""
    signer = Signer(NAME, ED25519, Ed25519PrivateKey.generate())

    def fill(connection: Connection) -> None:
        for _ in range(BUNDLED):
            append(connection, _leaf())

    database.transact(fill)
    began, numbered = time.perf_counter(), 0
    while count := sequence(database, NAME, signer.sign, NAME):
        numbered += count
    rate = numbered / (time.perf_counter() - began)
    made: list[Bundle] = []

    def take() -> None:
        with database.read() as connection:
            made.append(gather.bundle(connection, "1" * 32, str(signer.verifier), limit=BUNDLED))

    def examine() -> None:
        found = Examination(verifier(made[0].log))
        found.bundle("bundle", made[0])
        found.conclude()
        assert found.verdict == "verified", found.lines

    return [
        Row(name="sequence", value=rate, unit="leaves/s", n=numbered),
        median_row(f"bundle of {BUNDLED} leaves, made", [_ms(take) for _ in range(5)], "ms"),
        median_row(f"bundle of {BUNDLED} leaves, verified", [_ms(examine) for _ in range(5)], "ms"),
    ]


def _proofs(database: Database, size: int, name: str) -> list[Row]:
    """Inclusion and consistency in a log of so many leaves."""
    for at in range(0, size, PART):
        part = [os.urandom(32) for _ in range(min(PART, size - at))]
        database.transact(lambda connection, part=part: tiles.grow(connection, part))
    with database.read() as connection:
        whole = gather.tree(connection, size)
        root, read = whole.root(), tiles.hashes(connection)
        indexes = [secrets.randbelow(size) for _ in range(PROOFS)]
        hashes = [read(0, each // 256)[each % 256 * 32 :][:32] for each in indexes]
        proofs = [whole.inclusion(each) for each in indexes]
        firsts = [secrets.randbelow(size - 1) + 1 for _ in range(PROOFS)]
        links = [whole.consistency(each) for each in firsts]
        roots = [whole.at(each).root() for each in firsts[:20]]
        rows = [
            _each(f"prove inclusion, {name}", lambda n: gather.tree(connection, size).inclusion(n),
                  indexes),
            _each(f"prove consistency, {name}",
                  lambda n: gather.tree(connection, size).consistency(n), firsts),
        ]  # fmt: skip
    bare = [_ms(lambda path=path: [hashlib.sha256(b"\1" + n + n) for n in path]) for path in proofs]
    checked = [
        _ms(lambda at=at: verify_inclusion(hashes[at], indexes[at], size, proofs[at], root))
        for at in range(PROOFS)
    ]
    linked = [
        _ms(lambda at=at: verify_consistency(firsts[at], roots[at], size, root, links[at]))
        for at in range(len(roots))
    ]
    limit = statistics.median(bare)
    return [
        *rows,
        median_row(f"verify inclusion, {name}", checked, "ms", limit=limit),
        median_row(f"verify consistency, {name}", linked, "ms", limit=limit),
    ]


def _each(name: str, work: Callable[[int], object], given: list[int]) -> Row:
    return median_row(name, [_ms(lambda each=each: work(each)) for each in given], "ms")


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
