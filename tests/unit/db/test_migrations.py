"""The migrations make the very tables that the stores declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from andromede.db import Database, metadata, migrate
from andromede.roles import assembly
from andromede.sovereignty.log import audit, leaves
from andromede.sovereignty.log.sequencer import latest_note, sequence


def test_migrations_and_declared_tables_agree(tmp_path: Path) -> None:
    assembly.packages()
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    migrate.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    assert migrate.current(database) == migrate.head()
    database.dispose()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'newer.sqlite'}")
    migrate.upgrade(database)
    database.transact(
        lambda connection: connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = '9999'"
        )
    )
    with pytest.raises(RuntimeError, match="9999"):
        migrate.upgrade(database)
    database.dispose()


def test_an_older_log_is_salted_and_numbered_anew(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0001")
    with database.engine.begin() as connection:
        for at in range(3):
            connection.exec_driver_sql(
                "INSERT INTO leaf (id, time, request_id, action, subject, status, detail, "
                f"position, hash) VALUES ('l{at}', {at}, 'r', 'a', 's', 200, '{{}}', {at}, x'00')"
            )
        connection.exec_driver_sql("INSERT INTO checkpoint VALUES (3, x'00', x'00', 1, 'old')")
    migrate.upgrade(database)
    assert sequence(database, "o", lambda _: bytes(68), "o") == 3
    with database.read() as connection:
        newest = latest_note(connection)
        assert newest is not None
        assert newest.startswith("o\n3\n")
        assert len({row["salt"] for row in leaves.page(connection, None, None, 9)}) == 3
        assert audit.audit(connection, running=True) == []
    database.dispose()
