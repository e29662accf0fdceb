"""The migrations make the very tables that the stores declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from andromede.db import Database, metadata, migrate
from andromede.roles import assembly


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
