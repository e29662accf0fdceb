"""What is planted on a host of a cloud that is down is found by doctor, and left as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from andromede import clock
from andromede.engine.embedded.machine import limits
from andromede.engine.embedded.net import links, namespaces
from andromede.guest.build import BuiltImage
from tests.host.live_cloud import Furnished, live_host, until

pytestmark = pytest.mark.host
STRANGER = str(uuid.UUID(int=7))


@pytest.fixture(scope="module")
def down(image: BuiltImage) -> Iterator[Furnished]:
    """A cloud with a server, whose roles ended and whose guest runs on."""
    with live_host() as cloud:
        furnished = Furnished(cloud, image)
        furnished.server()
        cloud.assert_healthy()
        assert cloud.run("down").returncode == 0
        yield furnished


def problems(down: Furnished) -> set[str]:
    report = down.cloud.doctor()
    return {f"{each['kind']} {each['subject']} {each['problem']}"
            for each in report["cloud"]["findings"]}  # fmt: skip


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def test_a_cloud_that_is_down_with_its_guests_running_is_in_order(down: Furnished) -> None:
    assert problems(down) == set()


def test_a_link_of_nobody_is_found(down: Furnished) -> None:
    name = f"{down.cloud.names.mark}t77"
    ip("link", "add", name, "type", "bridge")
    assert problems(down) == {f"host link {name} on the host belongs to nobody"}
    assert links.index(name) is not None
    ip("link", "del", name)
    assert problems(down) == set()


def test_a_tap_of_nobody_in_a_network_is_found(down: Furnished) -> None:
    namespace = down.cloud.names.network_namespace(down.network)
    name = f"{down.cloud.names.mark}t77"
    ip("-n", namespace, "link", "add", name, "type", "bridge")
    found = problems(down)
    assert len(found) == 1
    assert f"link {name} in network {down.network}" in found.pop()
    ip("-n", namespace, "link", "del", name)


def test_a_namespace_of_nobody_is_found(down: Furnished) -> None:
    name = down.cloud.names.network_namespace(STRANGER)
    namespaces.create(name)
    assert f"network {STRANGER} is on the host and nobody owns it" in problems(down)
    assert namespaces.exists(name)
    namespaces.remove(name)


def test_a_control_group_of_nobody_is_found(down: Furnished) -> None:
    if not limits.ensure(down.cloud.config.short, STRANGER, 1, 1 << 30):
        pytest.skip("this host has no control groups to make")
    text = f"host control group of server {STRANGER} belongs to nobody"
    assert problems(down) == {text}
    limits.remove(down.cloud.config.short, STRANGER)


def test_a_disk_of_nobody_is_found(down: Furnished) -> None:
    folder = down.cloud.paths.servers / STRANGER
    folder.mkdir()
    (folder / "disk.qcow2").touch()
    assert problems(down) == {f"server {STRANGER} has a machine on the host and nobody owns it"}
    (folder / "disk.qcow2").unlink()
    folder.rmdir()


def test_files_that_are_left_are_found(down: Furnished) -> None:
    base = down.cloud.paths.bases / f"{STRANGER}.raw"
    base.touch()
    old = clock.now() - 8 * 86_400 * clock.SECOND
    aside = down.cloud.paths.quarantine / f"{old}.{STRANGER}"
    aside.mkdir()
    assert problems(down) == {
        f"file {base.name} is the base of an image that is gone, and no disk stands on it",
        f"file {aside.name} is in quarantine for more than seven days",
    }
    base.unlink()
    aside.rmdir()


def test_a_network_that_is_not_whole_is_found(down: Furnished) -> None:
    cloud = down.cloud
    namespace = cloud.names.network_namespace(down.network)
    for pid in cloud.leasers():
        os.kill(pid, signal.SIGKILL)
    until("its end", lambda: not cloud.leasers())
    assert f"network {down.network} has no DHCP server in its namespace" in problems(down)
    ip("netns", "exec", namespace, "nft", "flush", "ruleset")
    assert f"network {down.network} has no rules" in problems(down)
    namespaces.remove(namespace)
    assert f"network {down.network} has no namespace" in problems(down)
    assert not namespaces.exists(namespace)


def test_a_machine_that_vanished_is_found_and_all_comes_back(down: Furnished) -> None:
    cloud = down.cloud
    [(server, pid)] = cloud.machines().items()
    os.kill(pid, signal.SIGKILL)
    until("its end", lambda: not cloud.machines())
    assert f"server {server} is ACTIVE and its machine is vanished" in problems(down)
    assert not cloud.machines()
    cloud.up()
    cloud.await_status(server, "ACTIVE")
    until("the machine", cloud.machines)
    cloud.assert_healthy()
