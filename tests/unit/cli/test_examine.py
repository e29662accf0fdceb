"""What doctor says of a cloud's trust: its certificates, and the signatures of its log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede import clock, tls
from andromede import config as configuration
from andromede.cli import examine
from andromede.config import Config, Paths
from andromede.db import Database, migrate
from andromede.keys.server import log_name, mark
from andromede.keys.vault import PUBLIC, Vault
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.sequencer import checkpoint, sequence

DAY = 24 * 3600 * clock.SECOND


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    yield Paths(tmp_path)
    clock.set_source(None)


@pytest.fixture
def config() -> Config:
    return configuration.new_config(engine="simulated")


@pytest.fixture
def database(paths: Paths, config: Config) -> Iterator[Database]:
    """A database with one leaf, signed by the cloud's own vault."""
    for folder in (paths.db, paths.keys, paths.images):
        folder.mkdir()
    database = Database(paths.database_url(config))
    migrate.upgrade(database)
    name = log_name(config)
    act = Leaf(action="test:thing:make", subject="s", request_id="r", status=202, project_id="p")
    database.transact(lambda connection: append(connection, act))
    sequence(database, name, Vault(paths.keys, mark(config)).log.sign, name)
    yield database
    database.dispose()


def findings(config: Config, paths: Paths) -> tuple[list[str], list[str]]:
    """(what is wrong, what was not seen)"""
    unseen: list[str] = []
    found = examine.cloud(config, paths, unseen, running=False)
    return [f"{each.subject}: {each.problem}" for each in found], unseen[1:]


def test_a_log_that_this_cloud_signed_is_in_order(
    database: Database, config: Config, paths: Paths
) -> None:
    assert findings(config, paths) == ([], [])


def test_a_signature_of_another_is_found(
    database: Database, config: Config, paths: Paths, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other, name = Vault(tmp_path_factory.mktemp("other"), mark(config)), log_name(config)
    database.transact(lambda connection: connection.execute(sa.delete(checkpoint)))
    sequence(database, name, other.log.sign, name)
    wrong, _ = findings(config, paths)
    assert len(wrong) == 1
    assert wrong[0].startswith("checkpoint 1: ")
    assert "sign" in wrong[0]


def test_without_the_logs_public_key_it_says_so(
    database: Database, config: Config, paths: Paths
) -> None:
    (paths.keys / PUBLIC).unlink()
    wrong, unseen = findings(config, paths)
    assert wrong == []
    assert unseen == [
        "signatures of the log's checkpoints: its public key: No such file or directory"
    ]


def test_the_public_key_on_disk_is_the_vaults(tmp_path: Path) -> None:
    vault = Vault(tmp_path, "one")
    assert (tmp_path / PUBLIC).read_text() == str(vault.log.verifier)
    (tmp_path / PUBLIC).write_text("something else")
    again = Vault(tmp_path, "one")
    assert (tmp_path / PUBLIC).read_text() == str(again.log.verifier) == str(vault.log.verifier)


@pytest.mark.parametrize(
    ("days", "running", "wanted"),
    [
        (0, True, []),
        (tls.LEAF_DAYS - 31, True, []),
        (tls.LEAF_DAYS - 20, True, [("server.pem", "ends in 19 days", "the worker renews it")]),
        (tls.LEAF_DAYS + 1, False, [("server.pem", "has ended", "andromede up renews it")]),
        (
            tls.CA_DAYS - 100, False,
            [("server.pem", "has ended", "andromede up"), ("ca.pem", "ends in 99 days", "clients")],
        ),
    ],
)  # fmt: skip
def test_certificates_are_told_of_before_they_end(
    paths: Paths, days: int, running: bool, wanted: list[tuple[str, str, str]]
) -> None:
    tls.ensure(paths.tls, "cloud", ["localhost"], os.getuid())
    moment = clock.now() + days * DAY
    clock.set_source(lambda: moment)
    found = list(examine.certificates(paths, running=running))
    assert [(each.subject, each.problem) for each in found] == [each[:2] for each in wanted]
    for each, (_, _, remedy) in zip(found, wanted, strict=True):
        assert each.remedy.startswith(remedy)


def test_an_unreadable_certificate_is_told_of(paths: Paths) -> None:
    assert list(examine.certificates(paths, running=False)) == []
    tls.ensure(paths.tls, "cloud", ["localhost"], os.getuid())
    (paths.tls / tls.SERVER).write_text("no certificate")
    [found] = examine.certificates(paths, running=False)
    assert found.problem.startswith("cannot be read")
