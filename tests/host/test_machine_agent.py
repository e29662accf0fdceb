"""The port for an agent on real machines, whose guests have none, or one that this test plays."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import launch, telling
from andromede.engine.embedded.machine.agent import Refused
from andromede.engine.protocol import EngineError, NotYet
from tests.host.machine_world import World, until


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(telling, "PATIENCE", 0.2)
    world = World(tmp_path)
    yield world
    world.end()


def permanent(world: World, server_id: str) -> str:
    with pytest.raises(EngineError) as caught:
        world.machines.set_password(server_id, "root", "secret")
    assert caught.value.permanent
    return str(caught.value)


def test_a_guest_without_an_agent(world: World) -> None:
    spec = world.spec(agent=True)
    assert "its machine is off" in permanent(world, spec.id)
    world.machines.ensure_server(spec)
    with pytest.raises(NotYet, match="has not opened its port"):
        world.machines.set_password(spec.id, "root", "secret")
    world.machines.stop_server(spec.id)
    assert "its machine is off" in permanent(world, spec.id)


def test_an_agent_that_opened_its_port_and_is_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = world.spec(agent=True)
    world.machines.ensure_server(spec)
    monkeypatch.setattr(telling.Telling, "_require_agent", lambda *_: None)
    for _ in range(2):  # whoever gave up left the port free
        with pytest.raises(NotYet, match="no agent answers in its guest: no answer"):
            world.machines.set_password(spec.id, "root", "secret")
    (world.paths.servers / spec.id / launch.AGENT).unlink()
    with pytest.raises(NotYet, match="No such file"):
        world.machines.set_password(spec.id, "root", "secret")


def test_a_machine_without_a_port(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    assert "no port for an agent" in permanent(world, spec.id)


def test_a_machine_that_died(world: World) -> None:
    spec = world.spec(agent=True)
    world.machines.ensure_server(spec)
    [pid] = world.pids(spec.id)
    os.kill(pid, signal.SIGKILL)
    until(lambda: world.pids(spec.id) == [], "the machine is gone")
    with pytest.raises(NotYet, match="setting a password in"):
        world.machines.set_password(spec.id, "root", "secret")


@pytest.mark.parametrize("said", ["no secret here", "c2VjcmV0"], ids=["plain", "encoded"])
def test_no_error_has_the_password(
    world: World, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    class Repeats:
        def __init__(self, *_: object) -> None: ...

        def execute(self, *_: object, **__: object) -> None:
            raise Refused(said)  # as it is at that moment

    monkeypatch.setattr(telling, "Agent", Repeats)
    monkeypatch.setattr(telling.Telling, "_require_agent", lambda *_: None)
    spec = world.spec(agent=True)
    world.machines.ensure_server(spec)
    told = permanent(world, spec.id)
    assert "for user 'root'" in told
    assert said not in told
    said = "no such user"
    assert permanent(world, spec.id).endswith("for user 'root': no such user")
