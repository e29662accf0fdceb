"""`python -m andromede.roles.revise "message"`: write the migration from the last one to these tables.

The text it writes is read and corrected by a person before it is committed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from andromede.db import Database, migrate
from andromede.roles import assembly


def revise(message: str) -> None:
    """Compare the declared tables with the migrations so far, on a scratch database."""
    assembly.packages()
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
        config.attributes["database"] = database
        existing = sorted((migrate.FOLDER / "versions").glob("[0-9]*.py"))
        if existing:
            command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=f"{len(existing) + 1:04d}")
        database.dispose()


if __name__ == "__main__":
    revise(sys.argv[1])
