"""Bringing the database to this version's tables, by the numbered migrations beside this file."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from andromede.db.engine import Database

FOLDER = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest migration's number, from its file name."""
    names = sorted(path.name for path in (FOLDER / "versions").glob("[0-9]*.py"))
    return names[-1].partition("_")[0]


def current(database: Database) -> str | None:
    """The migration the database stands at; None when it is empty."""
    if not sa.inspect(database.engine).has_table("alembic_version"):
        return None
    with database.read() as connection:
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(database: Database, to: str = "head") -> str | None:
    """Run the migrations that are missing, up to one of them; the version it stood at before.

    Errors: RuntimeError when the database is newer than this program.
    """
    before = current(database)
    newest = head()
    if before == newest:
        return before
    if before is not None and before > newest:
        raise RuntimeError(
            f"the database stands at migration {before} and this program knows {newest} at most; "
            f"run the newer program it was used with"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["database"] = database
    command.upgrade(config, to)
    return before
