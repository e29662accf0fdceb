"""Alembic's entry: runs migrations on the database it is handed, in one transaction."""

from __future__ import annotations

from alembic import context

from andromede.db.engine import Database, metadata

database: Database = context.config.attributes["database"]


def run() -> None:
    with database.engine.connect() as connection:
        connection = connection.execution_options(andromede_write=True)
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,
            render_as_batch=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.in_transaction():
            connection.commit()


run()
