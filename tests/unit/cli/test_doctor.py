"""doctor: what it tells, its exit code, and that it changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from andromede import config as configuration
from andromede.cli import control, doctor, examine, host, main, sockets
from andromede.config import Paths
from andromede.engine.embedded import accel
from andromede.engine.embedded.accel import Verdict
from andromede.engine.preflight import Lack
from andromede.findings import Finding
from andromede.keys.server import mark
from andromede.keys.vault import Vault
from tests.unit.cli.test_refusals import as_nobody, snapshot

TCG = Verdict(name="tcg", reason="no KVM here", proof="kernel")
KVM = Lack(name="KVM", cost="slow", remedy="another machine")
NFT = Lack(name="nft", cost="no networks", remedy="install it", needed=True)
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that was looked at already, with every port free."""
    monkeypatch.setattr(accel, "probe", lambda kernel: TCG)
    monkeypatch.setattr(host, "lacks", lambda paths, verdict: [KVM])
    monkeypatch.setattr(host.listen, "free", lambda host, port: True)
    monkeypatch.setattr(doctor, "BETWEEN", 0.01)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path) -> Doctor:
    """Run it; its exit code and what it printed. Nothing changes below the state."""

    def call(*words: str) -> tuple[int, str]:
        before = snapshot(state)
        monkeypatch.setattr(sys, "argv", ["andromede", "doctor", *words, "--state", str(state)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        assert snapshot(state) == before
        code = ended.value.code
        return (code if isinstance(code, int) else 0), capsys.readouterr().out

    return call


def report(run: Doctor) -> tuple[int, dict[str, Any]]:
    code, said = run("--json")
    assert said.count("\n") == 1
    return code, json.loads(said)


def test_a_host_without_a_cloud_is_told_and_a_cost_is_no_failure(run: Doctor, state: Path) -> None:
    code, told = report(run)
    assert code == 0
    assert told["ok"] is True
    assert told["cloud"] is None
    assert [each["name"] for each in told["lacks"]] == ["KVM"]
    assert told["host"]["accelerator"] == {
        "name": "tcg",
        "reason": "no KVM here",
        "proof": "kernel",
    }
    assert {each["listener"] for each in told["ports"]} == {"public", "private"}
    assert not state.exists()
    code, said = run()
    assert code == 0
    assert "note         KVM: slow; another machine" in said
    assert "none yet; start one with: andromede up" in said


def test_what_is_needed_and_missing_fails(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "lacks", lambda paths, verdict: [KVM, NFT])
    assert report(run)[0] == 1
    code, said = run()
    assert code == 1
    assert "lacks        nft: no networks; install it" in said


def test_the_simulated_engine_needs_nothing_of_the_host(
    run: Doctor, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    configuration.save(state, configuration.new_config(engine="simulated"))
    monkeypatch.setattr(host, "lacks", lambda paths, verdict: [NFT])
    code, told = report(run)
    assert (code, told["cloud"]["running"], told["cloud"]["findings"]) == (0, False, [])


def test_a_taken_port_fails_and_names_who_holds_it(
    run: Doctor, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    monkeypatch.undo()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert sockets.taken(port)
        assert any(f"({os.getpid()})" in each for each in sockets.holders(port))
        config = configuration.new_config(engine="simulated", public=f"127.0.0.1:{port}")
        seen = {each.listener: each for each in host.ports(config)}
    assert seen["public"].in_use
    assert any(f"({os.getpid()})" in each for each in seen["public"].by)
    assert not sockets.taken(port)
    assert sockets.holders(port) == []


def test_taken_ports_fail(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.listen, "free", lambda host, port: False)
    monkeypatch.setattr(sockets, "holders", lambda port: ["nginx (7)"])
    code, said = run()
    assert code == 1
    assert "taken        127.0.0.1:8443 (public) by nginx (7); end it, or" in said


@pytest.fixture
def cloud(state: Path) -> Path:
    """A cloud on the simulated engine with its tables, that does not run."""
    from andromede.db import Database, migrate

    config = configuration.new_config(engine="simulated")
    configuration.save(state, config)
    Paths(state).db.mkdir()
    Paths(state).images.mkdir()
    Paths(state).keys.mkdir()
    Vault(Paths(state).keys, mark(config))
    database = Database(Paths(state).database_url(config))
    migrate.upgrade(database)
    database.dispose()
    return state


def sql(state: Path, text: str) -> None:
    with closing(sqlite3.connect(Paths(state).db / "andromede.sqlite")) as connection, connection:
        connection.execute(text)


TAG = "INSERT INTO network_tag VALUES ('gone', 'word')"


def test_a_cloud_in_order_has_no_findings(run: Doctor, cloud: Path) -> None:
    code, told = report(run)
    assert (code, told["cloud"]["findings"]) == (0, [])
    assert told["unseen"] == [
        "what the engine holds: the simulated one is in the worker's memory"
    ]  # fmt: skip
    assert "findings     none" in run()[1]


def test_a_row_that_contradicts_fails(run: Doctor, cloud: Path) -> None:
    sql(cloud, TAG)
    code, told = report(run)
    assert (code, told["ok"]) == (1, False)
    assert [(each["kind"], each["subject"]) for each in told["cloud"]["findings"]] == [
        ("tag", "gone")
    ]  # fmt: skip
    code, said = run()
    assert code == 1
    assert "wrong        tag gone: tags of a resource that is not there; report it" in said


def test_a_broken_database_fails(run: Doctor, cloud: Path) -> None:
    (cloud / "db" / "andromede.sqlite").write_bytes(b"no database" * 1_000)
    code, told = report(run)
    assert code == 1
    [found] = told["cloud"]["findings"]
    assert found["kind"] == "database"
    assert "file is not a database" in found["problem"]


def test_missing_images_are_told(run: Doctor, cloud: Path) -> None:
    shutil.rmtree(cloud / "images")
    code, told = report(run)
    assert code == 1
    assert "No such file" in told["cloud"]["findings"][0]["problem"]


def running(monkeypatch: pytest.MonkeyPatch, roles: dict[str, int], parts: dict[str, str]) -> None:
    monkeypatch.setattr(control, "running", lambda state: {"pid": 1, "roles": roles})
    monkeypatch.setattr(control, "health", lambda config, paths: (False, parts))


def test_of_a_cloud_that_runs_only_what_lasts_is_wrong(
    run: Doctor, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, {"worker": os.getpid()}, {"api": "up"})
    passing = Finding(kind="port", subject="1", problem="p", remedy="r")
    lasting = Finding(kind="port", subject="2", problem="p", remedy="r")
    seen = iter([[passing, lasting], [lasting], [lasting, passing], [lasting]])
    monkeypatch.setattr(examine, "cloud", lambda *arguments, running: next(seen))
    code, told = report(run)
    assert code == 1
    assert [each["subject"] for each in told["cloud"]["findings"]] == ["2"]
    assert told["ports"] == []
    seen = iter([[passing], []])
    assert report(run)[0] == 0


def test_roles_and_parts_that_are_down_are_wrong(
    run: Doctor, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    running(monkeypatch, {"worker": ended, "keys": os.getpid()}, {"api": "up", "worker": "down"})
    code, told = report(run)
    assert code == 1
    assert [(each["kind"], each["subject"]) for each in told["cloud"]["findings"]] == [
        ("role", "worker"), ("part", "worker"),
    ]  # fmt: skip


def test_a_faulty_cloud_toml_is_one_line(
    run: Doctor, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.mkdir()
    (state / "cloud.toml").write_text("no toml")
    assert run() == (1, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_it_says_what_it_could_not_see(cloud: Path) -> None:
    from andromede.cli import doctor, examine, host  # noqa: F401

    (cloud / "db").chmod(0o700)
    (cloud / "run").mkdir(mode=0o700)
    for folder in (cloud, *cloud.parents):
        if folder != Path("/") and not folder.stat().st_mode & 0o1000:
            folder.chmod(folder.stat().st_mode | 0o011)
    before = snapshot(cloud)
    code, said = as_nobody(["doctor", "--json", "--state", str(cloud)], out=True)
    told = json.loads(said)
    assert code == 0
    assert told["cloud"]["running"] is None
    assert {each.partition(":")[0] for each in told["unseen"]} == {
        "whether the cloud runs", "what the engine holds", f"the database in {cloud}/db",
        "kernel features, tools' rights and control groups",
    }  # fmt: skip
    assert snapshot(cloud) == before


def test_the_clock_and_the_limits_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert [(each.name, each.needed) for each in host._clock()] == [("right clock", True)]
    monkeypatch.setattr(host.resource, "getrlimit", lambda _: (256, 256))
    assert [each.cost for each in host._files()] == ["at most about 64 servers run at once"]
    monkeypatch.setattr(host.resource, "getrlimit", lambda _: (1 << 20, 1 << 20))
    assert host._files() == []


def test_the_newest_unpacked_kernel_is_booted_for_proof(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert accel.unpacked_kernel(paths) is None
    for name, age in (("old", 1_000), ("new", 2_000)):
        boot = paths.cache / "trees" / name / "boot"
        boot.mkdir(parents=True)
        (boot / f"vmlinuz-{name}").touch()
        os.utime(boot / f"vmlinuz-{name}", (age, age))
    found = accel.unpacked_kernel(paths)
    assert found is not None
    assert found.name == "vmlinuz-new"
