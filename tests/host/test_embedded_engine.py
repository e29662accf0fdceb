"""The embedded engine whole: the tiny guest on a network of its own, reached from the world."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator

import pytest

from andromede.config import server_uid
from andromede.engine.embedded import EmbeddedEngine
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.embedded.net import HostNetwork
from andromede.engine.protocol import DiskSpec, NicSpec, Power, ServerSpec
from andromede.guest.build import BuiltImage
from tests.host import net_documents as documents
from tests.host.machine_world import until
from tests.host.net_lab import connect

pytestmark = pytest.mark.host

SERVER = "3f0c6c1e-0a51-4a0f-9d7c-5d1e0f6b7a10"
FLOATING = "172.24.4.100"
PATIENCE = 90.0  # seconds for a boot under emulation on a busy machine
GIBIBYTE = 1 << 30


@pytest.fixture(scope="module")
def engine(lab: HostNetwork, image: BuiltImage) -> Iterator[EmbeddedEngine]:
    for folder in (lab.paths.images, lab.paths.servers, lab.paths.bases):
        folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(image.qcow2, lab.paths.images / "tiny")
    made = EmbeddedEngine(lab.config, lab.paths)
    try:
        yield made
    finally:
        made.remove_server(SERVER)
        made.clear_host()
        made.close()
        left = made.observe()
        held = (left.servers, left.networks, left.ports, left.routers, left.strays)
        assert not any(held)


@pytest.fixture(scope="module")
def spec(engine: EmbeddedEngine, lab: HostNetwork) -> ServerSpec:
    """A server behind a floating address that lets SSH in, running."""
    net = documents.network("blue", 7)
    port = documents.port(net, 9, owner_uid=server_uid(lab.config, 1))
    engine.ensure_network(documents.EXTERNAL)
    engine.ensure_network(net)
    engine.ensure_port(port)
    group = documents.group(documents.SSH, *documents.EGRESS, members=(port,))
    engine.ensure_firewall(documents.firewall(net, (port,), group))
    engine.ensure_router(documents.router(8, (net,), ((FLOATING, port.addresses[0]),)))
    metadata = {"uuid": SERVER, "hostname": "first", "public_keys": {}}
    given = ServerSpec(
        id=SERVER,
        number=1,
        project_id="p",
        name="first",
        vcpus=1,
        memory=256 << 20,
        disk=DiskSpec(image_id="tiny", image_format="qcow2", size=GIBIBYTE),
        nics=(NicSpec(port_id=port.id, network_id=net.id, mac=port.mac, mtu=net.mtu),),
        config_drive={"openstack/latest/meta_data.json": json.dumps(metadata).encode()},
    )
    assert engine.wait_events(0) == frozenset()
    assert engine.ensure_server(given).power is Power.ON
    return given


def banner(world: str) -> bytes:
    with connect(world, FLOATING, 22) as link:
        link.settimeout(5)
        try:
            return link.recv(64)
        except OSError:
            return b""


def wait_for_ssh(world: str) -> None:
    def answers() -> bool:
        try:
            return banner(world).startswith(b"SSH-2.0-")
        except OSError:
            return False

    until(answers, "SSH answers at the floating address", PATIENCE)


def test_ssh_answers_at_the_floating_address(spec: ServerSpec, world: str) -> None:
    wait_for_ssh(world)


def test_all_of_it_is_observed(engine: EmbeddedEngine, spec: ServerSpec) -> None:
    seen = engine.observe()
    assert seen.servers[SERVER].power is Power.ON
    assert seen.disks == {SERVER}
    assert {"external", "blue"} <= seen.networks
    assert "port-9" in seen.ports
    assert seen.routers == {"router-8"}
    assert seen.strays == frozenset()


def test_its_card_is_measured_as_the_guest_sees_it(
    engine: EmbeddedEngine, spec: ServerSpec, world: str
) -> None:
    wait_for_ssh(world)
    found = engine.figures(SERVER)
    assert found is not None
    (card,) = found.cards
    assert (card.mac, card.rx_errors) == (spec.nics[0].mac, 0)
    assert banner(world)
    later = engine.figures(SERVER)
    assert later is not None
    assert later.cards[0].rx_packets > card.rx_packets > 0
    assert later.cards[0].tx_bytes > card.tx_bytes > 0


def test_the_guest_sees_its_whole_disk(
    engine: EmbeddedEngine, spec: ServerSpec, lab: HostNetwork
) -> None:
    disk = lab.paths.servers / SERVER / "disk.qcow2"
    with Monitor.connect(disk.parent, "commands.sock") as monitor:
        nodes = {each["node-name"]: each for each in monitor.execute("query-named-block-nodes")}
    assert nodes["disk"]["image"]["virtual-size"] == GIBIBYTE


def test_a_reset_brings_it_back(engine: EmbeddedEngine, spec: ServerSpec, world: str) -> None:
    wait_for_ssh(world)
    engine.reset_server(SERVER)
    wait_for_ssh(world)


def test_the_power_button_turns_it_off_within_seconds(
    engine: EmbeddedEngine, spec: ServerSpec, world: str
) -> None:
    wait_for_ssh(world)
    engine.ask_shutdown(SERVER)
    start = time.monotonic()
    while SERVER not in engine.wait_events(1):
        assert time.monotonic() - start < 30
    assert engine.observe_server(SERVER).power is Power.OFF
    assert engine.ensure_server(spec).power is Power.ON
    wait_for_ssh(world)
