"""Metadata in a real network: a guest behind its port, the edge in a process of its own user."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from andromede.config import Config, Paths, role_uid
from andromede.edge import server
from andromede.edge.client import ControlClient, EdgeError
from andromede.edge.feed import Feed
from andromede.edge.wire import Response
from andromede.engine.embedded.net import HostNetwork, namespaces
from andromede.engine.networks import NetworkSpec, PortSpec
from andromede.roles.privilege import become
from tests.host import net_documents as doc
from tests.host.net_lab import PATIENCE, Guest, connect
from tests.unit.edge.conftest import Api, connected

pytestmark = pytest.mark.host
ONE, TWO = doc.network("edge-one", 61), doc.network("edge-two", 62)
THREE = doc.network("edge-three", 63)


def fork(config: Config, paths: Paths) -> int:
    """The edge as the supervisor starts it."""
    pid = os.fork()
    if pid == 0:
        try:
            become(config, "edge")
            server.serve(paths, config)
        finally:
            os._exit(0)
    connected(paths.run / "edge.sock").close()
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.fixture
def api(lab: HostNetwork) -> Iterator[Api]:
    """Answers with what it was asked, in place of the api."""
    run = lab.paths.run
    run.mkdir(exist_ok=True)
    os.chown(run, 0, lab.config.uid_base)
    run.chmod(0o1770)
    api = Api(run / "internal.sock")
    uid = role_uid(lab.config, "edge")
    os.chown(api.path, uid, uid)
    api.response = Response(status=200, body=b"facts")
    yield api
    api.close()
    api.path.unlink()


@pytest.fixture
def edge(lab: HostNetwork, api: Api) -> Iterator[int]:
    pid = fork(lab.config, lab.paths)
    yield pid
    end(pid)


def start(lab: HostNetwork, guest: Callable[..., Guest], net: NetworkSpec, number: int) -> Guest:
    """A guest that reaches the metadata address as DHCP's routes say."""
    spec: PortSpec = doc.port(net, number, addresses=("10.0.0.70",))
    lab.ensure_network(net)
    lab.ensure_port(spec)
    lab.ensure_firewall(doc.firewall(net, (spec,)))
    return guest(spec, gateway=net.subnets[0].dhcp_address)


def read(each: Guest, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("169.254.169.254", 80, timeout=PATIENCE)
    connection.sock = connect(each.namespace, "169.254.169.254", 80)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_guests_with_one_address_on_two_networks_are_told_apart(
    lab: HostNetwork, guest: Callable[..., Guest], api: Api, edge: int
) -> None:
    guests = {net.id: start(lab, guest, net, net.number + 10) for net in (ONE, TWO)}
    feed = Feed(lab, lab.paths.run / "edge.sock", lambda: [ONE.id, TWO.id])
    feed.run()
    for network_id, each in guests.items():
        assert read(each, "/latest/meta-data/") == (200, b"facts")
        asked = api.asked[-1].target
        assert f"network={network_id}&" in asked
        assert "address=10.0.0.70&" in asked
    feed._drop()


def test_an_edge_that_was_killed_serves_again(
    lab: HostNetwork, guest: Callable[..., Guest], api: Api
) -> None:
    each = start(lab, guest, ONE, 73)
    feed = Feed(lab, lab.paths.run / "edge.sock", lambda: [ONE.id])
    for _ in range(2):
        pid = fork(lab.config, lab.paths)
        feed.run()
        assert read(each, "/")[0] == 200
        end(pid)
    feed._drop()


def test_a_network_that_is_made_again_is_served_again(
    lab: HostNetwork, guest: Callable[..., Guest], api: Api, edge: int
) -> None:
    feed = Feed(lab, lab.paths.run / "edge.sock", lambda: [THREE.id])
    start(lab, guest, THREE, 74)
    feed.run()
    namespaces.remove(lab.names.network_namespace(THREE.id))
    each = start(lab, guest, THREE, 75)
    lab.remove_port(doc.port(THREE, 74).id)  # its tap went with the namespace
    feed.run()
    assert read(each, "/")[0] == 200
    feed._drop()


def test_the_edge_is_nobody_and_opens_no_network_socket(lab: HostNetwork, edge: int) -> None:
    status = Path(f"/proc/{edge}/status").read_text()
    uid = role_uid(lab.config, "edge")
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    held = {os.readlink(each) for each in Path(f"/proc/{edge}/fd").iterdir()}
    sockets = {name[8:-1] for name in held if name.startswith("socket:")}
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "packet"):
        lines = Path(f"/proc/{edge}/net/{table}").read_text().splitlines()[1:]
        assert not sockets & {word for line in lines for word in line.split()}


def test_the_worker_alone_hands_over(lab: HostNetwork, edge: int) -> None:
    """A process of the api's user reaches the control socket and is refused."""
    receiving, telling = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        os.setgroups([lab.config.uid_base])
        uid = role_uid(lab.config, "api")
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        said = "held"
        try:
            ControlClient(lab.paths.run / "edge.sock").held()
        except EdgeError as error:
            said = str(error)
        telling.sendall(json.dumps(said).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    said = json.loads(receiving.recv(4096))
    receiving.close()
    telling.close()
    assert "closed the connection" in said or "reset" in said.lower() or "broken" in said.lower()
