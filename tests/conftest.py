"""Fixtures shared by every suite: the databases that stores are tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from andromede.db import Database, metadata
from tests import tables
from tests.coverage_gate import (  # noqa: F401 (hooks)
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.division import (  # noqa: F401 (hooks)
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)
from tests.postgres import Postgres, PostgresMissing

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ]
)  # plain tracebacks: the usual ones show every local variable and cost seconds


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the session; without PostgreSQL the test fails."""
    server = Postgres()
    try:
        server.start()
    except PostgresMissing as error:
        server.stop()
        pytest.fail(f"this test needs PostgreSQL: {error}")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database for a test, once of each kind; `tables.ensure` has the tables there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.database(frozenset(metadata.tables), tables.declare)
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with every table that is declared, once of each kind."""
    database = Database(database_url)
    tables.ensure(database)
    yield database
    database.dispose()
