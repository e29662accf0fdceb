"""Row 8: logs, identities and metadata are located too: every store is on the list of places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from andromede.config import Config, Paths
from andromede.services import compute, image, sovereignty
from andromede.sovereignty.evidence.stores import HOLDS, stores
from tests.contract.sovereignty.evidence_world import Evident, evident
from tests.harness import TestCloud

CONFIG = Config(short="test", uid_base=0x4000_0000)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Evident]:
    services = [image.SERVICE, compute.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url)
    yield evident(cloud)
    cloud.close()


def test_every_folder_that_a_cloud_owns_is_a_store() -> None:
    paths = Paths(Path("/cloud"))
    listed = {each.path for each in stores(CONFIG, paths)}
    assert listed == set(paths.owned())
    assert set(HOLDS) == {each.name for each in paths.owned()}
    folders = {each for each in vars(paths).values() if isinstance(each, Path)}
    # What outlives a cloud holds nothing of customers: settings, built guests, packages, a verdict.
    assert {each.name for each in folders - set(paths.owned())} == {
        "cloud", "cloud.toml", "asked.json", "guests", "cache", "accelerator.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "where", "here"),
    [
        ("postgresql://cloud:secret@db.example.org/cloud", "db.example.org/cloud", False),
        ("postgresql+psycopg://127.0.0.1:5433/cloud", "127.0.0.1/cloud", True),
        ("postgresql:///cloud", "localhost/cloud", True),
    ],
)
def test_a_database_elsewhere_is_a_store_without_its_password(
    url: str, where: str, here: bool
) -> None:
    config = msgspec.structs.replace(CONFIG, database=url)
    (found,) = [each for each in stores(config, Paths(Path("/c"))) if each.name == "postgresql"]
    assert (found.where, found.here) == (where, here)


def test_every_store_has_its_place_in_the_evidence(world: Evident) -> None:
    document = world.document()
    assert {each["name"] for each in document["stores"]} >= set(HOLDS)
    for each in document["stores"]:
        if each["name"] == "postgresql":
            continue  # where the tests' server is, nobody declared
        assert each["site"]["value"] == "local"
        assert each["country"] == {"value": "FR", "basis": "declared", "by": "operator"}


def test_a_site_outside_moves_the_stores_there_and_lowers_the_level(world: Evident) -> None:
    before = world.levels()["SOV-3.4"]
    world.world.site("local", country="US", operator="op")
    stored = {each["country"]["value"] for each in world.document()["stores"]}
    assert "US" in stored
    assert world.levels()["SOV-3.4"] == 0
    assert before in (0, 4)


def test_a_database_on_a_host_that_nobody_declared_is_unknown(world: Evident) -> None:
    cloud = world.cloud.cloud
    cloud.config = msgspec.structs.replace(cloud.config, database="postgresql://db.far/x")

    def place() -> tuple[object, object]:
        found = [each for each in world.document()["stores"] if each["name"] == "postgresql"]
        return found[0]["site"]["value"], found[0]["country"]["basis"]

    assert place() == (None, "unknown")
    world.world.site("far", country="DE", operator="op", hosts=["db.far"])
    assert place() == ("far", "declared")
