"""What was done to the log behind its back is found, and nothing is signed over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.db import Connection, Database, metadata
from andromede.sovereignty.log import audit
from andromede.sovereignty.log.note import ED25519, Verifier
from andromede.sovereignty.log.sequencer import LogDamaged
from tests.unit.sovereignty.test_sequencer import NAME, PUBLIC, act, run

VERIFIER = str(Verifier(NAME, ED25519, PUBLIC))
COUNT = 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more than a tile, under two checkpoints."""
    path = tmp_path_factory.mktemp("log") / "whole.sqlite"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    act(database, "first")
    run(database)
    act(database, *map(str, range(1, COUNT)))
    run(database)
    database.transact(lambda connection: connection.exec_driver_sql("SELECT 1"))
    database.dispose()
    return path


@pytest.fixture
def database(whole: Path, tmp_path: Path) -> Iterator[Database]:
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(whole.read_bytes())
    database = Database(f"sqlite:///{copy}")
    yield database
    database.dispose()


def problems(database: Database, verifier: str | None = VERIFIER) -> list[str]:
    with database.read() as connection:
        return [each.problem for each in audit.audit(connection, running=False, verifier=verifier)]


def damage(database: Database, statement: str) -> None:
    def work(connection: Connection) -> None:
        assert connection.exec_driver_sql(statement).rowcount

    database.transact(work)


def test_a_whole_log_has_no_findings(database: Database) -> None:
    assert problems(database) == []


DAMAGE = {
    "DELETE FROM tile": "leaves only",
    "DELETE FROM tile WHERE number = 1": "where the log has no entry",
    "DELETE FROM tile WHERE level = 0 AND number = 0": "does not follow leaf -1",
    "UPDATE tile SET data = substr(data, 1, 32 * 40) WHERE number = 1": "where the log has no entry",
    "UPDATE tile SET data = substr(data, 1, 33) WHERE number = 1": "does not follow leaf",
    "UPDATE tile SET data = zeroblob(32 * 44) WHERE number = 1": "not what was committed to",
    "UPDATE tile SET data = zeroblob(32) WHERE level = 1": "are not the hashes of those below",
    "DELETE FROM tile WHERE level = 1": "are not the hashes of those below",
    "INSERT INTO tile VALUES (2, 0, zeroblob(32))": "are not the hashes of those below",
    "UPDATE leaf SET detail = '{}' WHERE position = 299": "not what was committed to",
    "DELETE FROM leaf WHERE position = 7": "is not there any more",
    "UPDATE leaf SET position = 600 WHERE position = 7": "where the log has no entry",
    "DELETE FROM checkpoint": "no checkpoint covers it",
    "UPDATE checkpoint SET note = replace(note, char(10) || size, char(10) || '01')": "no decimal",
    "UPDATE checkpoint SET note = replace(note, 'cloud.test/log', 'other')": "forged or altered",
    "UPDATE checkpoint SET note = replace(note, '— cloud.test', '— else')": "is not signed by",
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_damage_is_found(database: Database, statement: str) -> None:
    damage(database, statement)
    seen = problems(database)
    assert any(DAMAGE[statement] in each for each in seen), seen


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tile",
        "UPDATE tile SET data = zeroblob(32 * 44) WHERE number = 1 AND level = 0",
        "UPDATE tile SET data = zeroblob(32) WHERE level = 1",
        "DELETE FROM tile WHERE level = 1",
    ],
)
def test_nothing_is_signed_over_a_damaged_log(database: Database, statement: str) -> None:
    damage(database, statement)
    act(database, "more")
    with pytest.raises(LogDamaged, match=r"signing the tree|is signed"):
        run(database)
    with database.read() as connection:
        counted = connection.exec_driver_sql("SELECT max(size) FROM checkpoint").scalar()
    assert counted == COUNT


def test_signatures_are_looked_at_with_the_key_only(database: Database) -> None:
    damage(database, "UPDATE checkpoint SET note = replace(note, 'cloud.test/log', 'other')")
    assert problems(database, verifier=None) == []
