"""Walks a whole cloud for what is leaked or contradicts itself. Changes nothing, in any process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from andromede.cloud import Cloud
from andromede.config import Config, Paths
from andromede.db import Connection, Database
from andromede.engine.protocol import Observation
from andromede.findings import WORKER, Finding
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.image import api as image
from andromede.services.network import api as network
from andromede.sovereignty.log import audit as log
from andromede.work import Lifecycle
from andromede.work import audit as work

RESTORE = "stop the cloud and restore the database from a copy"


def audit(
    cloud: Cloud,
    held: Observation | None,
    lifecycles: Mapping[str, Lifecycle],
    *,
    running: bool = True,
    verifier: str | None = None,
) -> list[Finding]:
    """Everything found, sorted. `held` is what the engine has, None when it cannot be asked;
    `running` says that the roles live, so that what they do is not waited for in vain; with the
    log's public key, `verifier`, its checkpoints' signatures are checked.

    Errors: OSError when a folder may not be read; SQLAlchemyError when the database may not.
    """
    with cloud.database.read() as connection:
        found = [
            *_database(connection),
            *work.audit(connection, lifecycles),
            *log.audit(connection, running=running, verifier=verifier),
            *identity.audit(connection),
            *network.audit(connection, held),
            *compute.audit(connection, held),
            *image.audit(connection, cloud.paths),
        ]
    found += _strays(held)
    return sorted(found)


def open_cloud(config: Config, paths: Paths) -> Cloud:
    """The cloud as one who only reads its database sees it."""
    database = Database(paths.database_url(config), pool_size=2, read_only=True)
    return Cloud(config=config, paths=paths, database=database)


def _strays(held: Observation | None) -> Iterator[Finding]:
    for text in held.strays if held is not None else ():
        yield Finding(kind="host", subject=text, problem="belongs to nobody", remedy=WORKER)


def _database(connection: Connection) -> Iterator[Finding]:
    """What SQLite finds of its own file; PostgreSQL checks its pages itself."""
    if connection.dialect.name != "sqlite":
        return
    for line in connection.execute(sa.text("PRAGMA quick_check")).scalars():
        if line != "ok":
            yield Finding(kind="database", subject="file", problem=str(line), remedy=RESTORE)
    for row in connection.execute(sa.text("PRAGMA foreign_key_check")):
        subject, target = f"{row[0]} row {row[1]}", row[2]
        problem = f"names a row of {target} that is not there"
        yield Finding(kind="database", subject=subject, problem=problem, remedy=RESTORE)
