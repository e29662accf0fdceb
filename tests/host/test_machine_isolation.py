"""What a server's QEMU is, seen from the host: nobody, nowhere, with nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.config import server_uid
from andromede.engine.embedded.machine import limits
from andromede.engine.protocol import ServerSpec
from tests.host import machine_world
from tests.host.machine_world import MEBIBYTE, World

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def spec(world: World) -> ServerSpec:
    given = world.spec(nics=(machine_world.nic(),), config_drive={"a": b"b"})
    world.fresh(machine_world.tap).ensure_server(given)
    return given


@pytest.fixture(scope="module")
def proc(world: World, spec: ServerSpec) -> Path:
    (pid,) = world.pids(spec.id)
    return Path(f"/proc/{pid}")


def test_it_is_its_own_user_without_groups_or_capabilities(
    world: World, spec: ServerSpec, proc: Path
) -> None:
    lines = (proc / "status").read_text().splitlines()
    facts = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    uid = str(server_uid(world.config, spec.number))
    assert facts["Uid"] == [uid] * 4
    assert facts["Gid"] == [uid] * 4
    assert facts["Groups"] == []
    assert {int(facts[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert facts["NoNewPrivs"] == ["1"]
    assert facts["Seccomp"] == ["2"]


def test_it_sees_no_file_of_the_host_but_usr(proc: Path) -> None:
    allowed = {"usr", "dev", "bin", "lib", "lib32", "lib64"}
    assert set(os.listdir(proc / "root")) <= allowed
    assert set(os.listdir(proc / "root/dev")) <= {"null", "urandom", "kvm"}
    for name in ("usr", "dev", "."):
        with pytest.raises(OSError, match="Read-only file system"):
            (proc / "root" / name / "new").touch()


def test_it_sees_no_network(proc: Path) -> None:
    lines = (proc / "net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]
    assert os.readlink(proc / "ns/net") != os.readlink("/proc/self/ns/net")


def test_its_descriptors_are_those_it_was_handed(
    world: World, spec: ServerSpec, proc: Path
) -> None:
    folder = str(world.paths.servers / spec.id)
    allowed = ("socket:", "anon_inode:", "pipe:", "/dev/null", "/dev/net/tun", "/memfd", "/dev/kvm")
    # the jail left the host's mounts, so what lies on them is named from their own root
    names = [os.readlink(each) for each in (proc / "fd").iterdir()]
    files = {Path(n).name for n in names if not n.startswith(allowed)}
    assert files == {
        "disk.qcow2",
        "config.iso",
        "console.log",
        "qemu.log",
        f"{spec.disk.image_id}.raw",
    }, folder


def test_nothing_of_the_server_is_its_own_on_disk(world: World, spec: ServerSpec) -> None:
    folder = world.paths.servers / spec.id
    for path in (folder, *folder.iterdir()):
        facts = path.lstat()
        assert facts.st_uid == 0
        if not path.is_socket():
            assert facts.st_mode & 0o077 == 0, path
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_is_bounded_where_the_host_allows(world: World, spec: ServerSpec, proc: Path) -> None:
    joined = (proc / "cgroup").read_text()
    roots = limits.roots()
    if not roots:
        pytest.skip("this host offers no control groups")
    assert f"{limits.group_name(world.config.short)}/{spec.id}" in joined
    if "memory" in roots and roots["memory"] != limits.ROOT:
        folder = roots["memory"] / limits.group_name(world.config.short) / spec.id
        bound = int((folder / "memory.limit_in_bytes").read_text())
        assert bound == 64 * MEBIBYTE + limits.OVERHEAD


def test_it_belongs_to_no_process_of_the_cloud(proc: Path) -> None:
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    parent, group, session = fields[1:4]
    assert int(parent) != os.getpid()
    assert group == session == proc.name
