"""What `up` is asked to have in the database: applied by the start, whole, once, with a leaf."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede.cli.errors import CliError
from andromede.cli.up import _policy as read_options
from andromede.config import Paths
from andromede.roles import asked
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy import store
from andromede.sovereignty.policy.model import CLOUD, plain
from andromede.sovereignty.world import store as worlds
from andromede.sovereignty.world.check import FaultyWorld
from andromede.sovereignty.world.document import read_toml
from tests.harness import TestCloud


def start(cloud: TestCloud, *options: str) -> None:
    asked.write(cloud.paths, asked.Asked(policy=read_options(options)))
    wishes = asked.read(cloud.paths)
    cloud.database.transact(lambda connection: asked.apply(connection, wishes, cloud.config.place))
    asked.forget(cloud.paths)


def test_the_clouds_policy_is_set_by_a_start(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [], closed=True)
    start(cloud, "operator_access=open", "ownership.individual_percent=24")
    start(cloud, "second_factor=off", "ownership.shown_required=true", "finding_days=7")
    start(cloud, "second_factor=off")
    start(cloud)
    with cloud.database.read() as connection:
        policy = store.get(connection, CLOUD)
        leaves = connection.execute(sa.select(leaf)).mappings().all()
    assert policy is not None
    assert plain(policy) == {
        "operator_access": "open",
        "second_factor": "off",
        "finding_days": 7,
        "ownership": {"individual_percent": "24", "shown_required": True},
    }
    assert [(each["subject"], each["project_id"]) for each in leaves] == [("cloud", "*")] * 2
    assert not Paths(tmp_path).asked.exists()
    cloud.close()


@pytest.mark.parametrize(
    "option",
    ["colour=blue", "operator_access", "operator_access=shut", "finding_days=many",
     "allowed_countries=France", "ownership=24", "ownership.colour=1", "retention_days=3"],
)  # fmt: skip
def test_faulty_options_are_refused(option: str) -> None:
    with pytest.raises(CliError, match="--policy"):
        read_options([option])


WORLD = """
[[sites]]
name = "local"
country = "FR"
operator = "cloudwatt"

[[entities]]
id = "cloudwatt"
name = "Cloudwatt"
country = "FR"
"""


def declare(cloud: TestCloud, text: str) -> None:
    asked.write(cloud.paths, asked.Asked(world=read_toml(text)))
    wishes = asked.read(cloud.paths)
    cloud.database.transact(lambda c: asked.apply(c, wishes, cloud.config.place))


def test_the_world_is_declared_by_a_start_once(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [])
    declare(cloud, WORLD)
    declare(cloud, WORLD)
    with cloud.database.read() as connection:
        world = worlds.load(connection)
        leaves = connection.execute(sa.select(leaf)).mappings().all()
    assert world.sites["local"].operator == "cloudwatt"
    assert [(each["action"], each["project_id"]) for each in leaves] == [
        ("sovereignty:world:declare", "*")
    ]
    assert leaves[0]["detail"] == {
        "sites": {"changed": ["local"]}, "entities": {"added": ["cloudwatt"]}, "by": "andromede up",
    }  # fmt: skip
    cloud.close()


def test_a_world_without_this_host_is_refused_whole(tmp_path: Path) -> None:
    cloud = TestCloud(tmp_path, [])
    with pytest.raises(FaultyWorld, match="where this host stands"):
        declare(cloud, WORLD.replace('"local"', '"elsewhere"'))
    with cloud.database.read() as connection:
        assert list(worlds.load(connection).entities) == []
        assert connection.execute(sa.select(leaf)).all() == []
    cloud.close()
