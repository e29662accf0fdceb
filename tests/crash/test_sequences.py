"""Random sequences of acts, kills, faults and restarts, after which nothing is lost or left over.

Each sequence is named by its seed; `ANDROMEDE_SEED=<seed>` runs that one alone.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.acts import Acts
from tests.crash.world import World

FEW, MANY, TOGETHER = 24, 1_000, 20
LENGTH = 60
GIVEN = os.environ.get("ANDROMEDE_SEED")


def sequence(seed: int, folder: Path) -> None:
    """Run one sequence, settle, compare; delete all, settle, compare again."""
    print(f"seed {seed}")  # noqa: T201
    world = World(folder, random.Random(seed))
    acts = Acts(world)
    try:
        for _ in range(LENGTH):
            acts.one()
        world.restart_api()
        world.settle()
        acts.delete_again()
        assert world.audit() == []
        acts.verify()
        acts.delete_all()
        assert world.audit() == []
        assert world.left() == {}
        assert_nothing_on_host(world)
    except BaseException:
        print(f"ANDROMEDE_SEED={seed} repeats this: {acts.journal}")  # noqa: T201
        raise
    finally:
        world.close()


def assert_nothing_on_host(world: World) -> None:
    held = world.engine.observe()
    assert held.networks == {world.external}
    assert not held.servers
    assert not held.ports
    assert not held.routers
    assert not held.disks
    assert not os.listdir(world.cloud.paths.images)


@pytest.mark.parametrize("seed", [int(GIVEN)] if GIVEN else range(FEW))
def test_a_random_sequence_leaves_nothing(seed: int, tmp_path: Path) -> None:
    sequence(seed, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("block", range(MANY // TOGETHER))
def test_a_thousand_random_sequences_leave_nothing(block: int, tmp_path: Path) -> None:
    first = 1_000 + block * TOGETHER
    for seed in range(first, first + TOGETHER):
        sequence(seed, tmp_path / str(seed))
