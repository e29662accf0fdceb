"""Host tests of networking run in a network namespace of their own, which plays the host; the tiny
guest is built once for all."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from andromede.config import Config, Paths, new_config
from andromede.engine.embedded.net import HostNetwork, links, namespaces
from andromede.engine.networks import PortSpec
from andromede.guest.build import BuiltImage, build_tiny
from tests.host.guest_cloud import GuestCloud, Guests, boot_guests, guest_cloud
from tests.host.net_lab import Guest
from tests.host.net_whole import left_over

WORLD, WORLD_HOST_SIDE = "198.51.100.2", "198.51.100.1"


@pytest.fixture(scope="session")
def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "andromede-tests" / "guest"


@pytest.fixture(scope="session")
def image(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltImage:
    return build_tiny(tmp_path_factory.mktemp("image"), cache_dir=cache)


@pytest.fixture(scope="session")
def running(image: BuiltImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuestCloud]:
    """A cloud that the supervisor runs, with the embedded engine and the tiny image."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = tmp_path_factory.mktemp("keys")
    with guest_cloud(image.qcow2, folder) as world:
        yield world


@pytest.fixture(scope="session")
def guests(running: GuestCloud) -> Iterator[Guests]:
    """Four servers on it, shared by the tests of guests."""
    made = boot_guests(running)
    yield made
    for each in made.all():
        each.hang_up()


@pytest.fixture(scope="module")
def lab() -> Iterator[HostNetwork]:
    """A cloud's networks on a host that is a namespace, with a world beyond it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    mark = f"lab{secrets.token_hex(3)}"
    state = Path(tempfile.mkdtemp(prefix="andromede-lab-"))
    state.chmod(0o711)
    namespaces.create(mark)
    namespaces.create(f"{mark}-world")
    with namespaces.inside(mark):
        _world(mark)
        config = new_config(public="0.0.0.0:8443")
        host = HostNetwork(config, Paths(state))
        try:
            yield host
        finally:
            host.remove_everything()
            for name in (f"{mark}-world", mark):
                namespaces.remove(name)
            shutil.rmtree(state)


@pytest.fixture(scope="module")
def world(lab: HostNetwork) -> str:
    """The namespace beyond the host."""
    home = os.stat("/proc/thread-self/ns/net").st_ino
    found = [name for name in namespaces.listed("lab") if namespaces.identity(name)[1] == home]
    return f"{found[0]}-world"


@pytest.fixture(scope="module")
def guest(lab: HostNetwork) -> Iterator[Callable[..., Guest]]:
    """Starts a guest behind a port, with the port's address unless told otherwise."""
    started: list[Guest] = []

    def start(port: PortSpec, *, configured: bool = True, gateway: str = "10.0.0.1") -> Guest:
        label = f"{port.network_id}-{port.number}"
        each = Guest(lab, port.id, port.mac, label)
        if configured:
            each.configure(f"{port.addresses[0]}/24", gateway)
        started.append(each)
        return each

    yield start
    for each in started:
        each.close()


@pytest.fixture
def emptied(lab: HostNetwork) -> Iterator[None]:
    """Whatever a test made on the host goes with it, and leaves nothing."""
    yield
    again(lab).remove_everything()
    assert left_over(lab) == []


def again(host: HostNetwork) -> HostNetwork:
    """The same cloud's networks as a restarted worker finds them."""
    config: Config = host.config
    return HostNetwork(config, host.paths)


def _world(mark: str) -> None:
    """Join the world by a veth; only there do the tests' packets go."""
    far = os.open(namespaces.FOLDER / f"{mark}-world", os.O_RDONLY)
    with links.netlink(None) as ip:
        ip.link("set", index=links.index("lo"), state="up")
        ip.link("add", ifname="up0", kind="veth", peer={"ifname": "up0", "net_ns_fd": far})
        ip.link("set", index=links.index("up0"), state="up")
        links.set_addresses(ip, links.index("up0") or 0, [f"{WORLD_HOST_SIDE}/24"])
    with links.netlink(f"{mark}-world") as ip:
        ip.link("set", index=links.index("lo"), state="up")
        ip.link("set", index=links.index("up0"), state="up")
        links.set_addresses(ip, links.index("up0") or 0, [f"{WORLD}/24"])
        links.set_routes(ip, {"172.24.4.0/24": {"gateway": WORLD_HOST_SIDE}})
    os.close(far)
