"""The database: one engine, fair writers, migrations. Knows no service's nouns."""

from andromede.db.engine import Connection, Database, metadata

__all__ = ["Connection", "Database", "metadata"]
