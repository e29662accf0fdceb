"""A running cloud on this host, customers of it, and what lies outside: all for tests of guests.

Everything is asked of the public API; only the outside host is made here, in a namespace of its own
that hangs on the external network's bridge.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any

from andromede.cli.client import Session, poll
from andromede.engine.embedded.net import namespaces
from andromede.engine.embedded.net.names import Names
from benchmarks import scratch
from benchmarks.scratch import Scratch

IMAGE, FLAVOR = "tiny", "t1.tiny"
PATIENCE = 240.0  # seconds: the host may be busy with much else
OUTSIDE_HOST = 250  # the outside's last byte: beyond what the few addresses of a test reach
ANSWER = b"outside"
SSH_IN = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
USER_DATA_SAYS = "user-data-was-here"
USER_DATA = f"#!/bin/sh\necho {USER_DATA_SAYS} >>/var/user-data-ran\n"


@dataclass
class Server:
    """A server as its owner knows it, with a kept SSH connection to its floating address."""

    id: str
    name: str
    fixed: str
    floating: str
    key: Path
    tenant: Tenant
    user: str = "cirros"

    def ssh(self, command: str) -> str:
        """What a command prints; it must succeed."""
        done = self.try_ssh(command)
        assert done.returncode == 0, f"{self.name}: {command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def try_ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._ssh(), command], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=PATIENCE,
        )  # fmt: skip

    def background(self, script: str) -> None:
        """Start a shell script in the guest that goes on by itself; it may hold no quotes."""
        assert "'" not in script
        self.ssh(f"sh -c '{script}' >/dev/null 2>&1 </dev/null & echo $! >>started")

    def end_background(self) -> None:
        """End what was started so, with all that it started."""
        end = "kill -STOP $pid; pkill -P $pid; kill -KILL $pid"
        self.ssh(f"for pid in $(cat started); do {end}; done 2>/dev/null; rm started")

    def _ssh(self) -> list[str]:
        options = {
            "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR", "BatchMode": "yes", "IdentitiesOnly": "yes",
            "ConnectTimeout": "10", "ControlMaster": "auto", "ControlPersist": "120",
            "ControlPath": str(self.key.with_name(f"{self.id[:8]}.ssh")),
        }  # fmt: skip
        flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-i", str(self.key), *flags, f"{self.user}@{self.floating}"]

    def hang_up(self) -> None:
        """End the kept connection, if there is one."""
        subprocess.run([*self._ssh(), "-O", "exit"], capture_output=True, check=False)

    def wait_ssh(self, seconds: float = PATIENCE) -> None:
        """Wait until the guest lets us in."""
        poll(lambda: self.try_ssh("true").returncode == 0, seconds, f"{self.name} lets nobody in")

    def shown(self) -> dict[str, Any]:
        return dict(self.tenant.api.call("compute", "GET", f"/servers/{self.id}")["server"])

    def wait(self, status: str) -> None:
        """Wait until the server has a status, and nothing is under way."""

        def look() -> bool:
            seen = self.shown()
            assert seen["status"] != "ERROR" or status == "ERROR", seen.get("fault")
            return seen["status"] == status and seen["OS-EXT-STS:task_state"] is None

        poll(look, PATIENCE, f"{self.name} did not become {status}")

    def act(self, action: str, body: Any = None) -> None:
        self.tenant.api.call("compute", "POST", f"/servers/{self.id}/action", {action: body})

    def console(self) -> str:
        path = f"/servers/{self.id}/action"
        body: dict[str, Any] = {"os-getConsoleOutput": {}}
        return str(self.tenant.api.call("compute", "POST", path, body)["output"])


@dataclass
class Tenant:
    """One project's user; what it makes has the names that tests give."""

    api: Session
    login: dict[str, Any]
    key: Path
    outside_id: str
    groups: dict[str, str] = field(default_factory=dict)

    def net(self, noun: str, **body: Any) -> dict[str, Any]:
        """Make a resource of the network API."""
        plural = f"/v2.0/{noun.replace('_', '-')}s"
        return dict(self.api.call("network", "POST", plural, {noun: body})[noun])

    def network(self, name: str, cidr: str, router: str, mtu: int = 1500, **subnet: Any) -> str:
        """A network with one subnet, on a router."""
        network = self.net("network", name=name, mtu=mtu)["id"]
        made = self.net("subnet", network_id=network, cidr=cidr, ip_version=4, **subnet)
        path = f"/v2.0/routers/{router}/add_router_interface"
        self.api.call("network", "PUT", path, {"subnet_id": made["id"]})
        return str(network)

    def router(self, name: str) -> dict[str, Any]:
        gateway = {"network_id": self.outside_id}
        return self.net("router", name=name, external_gateway_info=gateway)

    def group(self, name: str, *rules: dict[str, Any]) -> str:
        """A security group that lets in what the rules say."""
        self.groups[name] = self.net("security_group", name=name)["id"]
        for rule in rules:
            self.allow(name, **rule)
        return self.groups[name]

    def allow(self, group: str, **rule: Any) -> str:
        whole = {"direction": "ingress", "security_group_id": self.groups[group], **rule}
        return str(self.net("security_group_rule", **whole)["id"])

    def forbid(self, rule_id: str) -> None:
        self.api.call("network", "DELETE", f"/v2.0/security-group-rules/{rule_id}")

    def make_key(self) -> None:
        """Have the API make a key pair, and keep its private half."""
        body = {"keypair": {"name": "key"}}
        made = self.api.call("compute", "POST", "/os-keypairs", body)["keypair"]
        self.key.touch(mode=0o600)
        self.key.write_text(made["private_key"])

    def server(self, name: str, network: str, fixed: str, groups: list[str], **more: Any) -> Server:
        """Ask for a server with a port of its own and a floating address; it may still build."""
        port = self.net(
            "port", name=name, network_id=network, fixed_ips=[{"ip_address": fixed}],
            security_groups=[self.groups[each] for each in groups],
        )  # fmt: skip
        floating = self.net("floatingip", floating_network_id=self.outside_id, port_id=port["id"])[
            "floating_ip_address"
        ]
        if "user_data" in more:
            more["user_data"] = base64.b64encode(more["user_data"].encode()).decode()
        flavors = self.api.call("compute", "GET", "/flavors")["flavors"]
        body = {
            "name": name,
            "imageRef": self.api.find("image", "/v2/images", "images", IMAGE)["id"],  # type: ignore[index]
            "flavorRef": next(each["id"] for each in flavors if each["name"] == FLAVOR),
            "key_name": "key",
            "networks": [{"port": port["id"]}],
            **more,
        }
        made = self.api.call("compute", "POST", "/servers", {"server": body})["server"]
        return Server(made["id"], name, fixed, floating, self.key, self)


class Outside:
    """A host beyond the cloud's routers: a namespace on the external network's own bridge."""

    def __init__(self, cloud: Scratch, network_id: str) -> None:
        self.names = Names(cloud.config.short)
        external = self.names.network_namespace(network_id)
        number = next(
            name
            for name in _ip("-n", external, "-o", "link").split()
            if name.startswith(self.names.mark + "b")
        ).rstrip(":")
        block = ip_network(cloud.config.external_cidr)
        self.address = str(block[OUTSIDE_HOST])
        self.gateway = str(block[1])
        self.namespace = f"outside-{secrets.token_hex(3)}"
        _ip("netns", "add", self.namespace)
        _ip("-n", self.namespace, "link", "set", "lo", "up")
        _ip("-n", self.namespace, "link", "add", "out0", "type", "veth",
            "peer", "name", "out0", "netns", external)  # fmt: skip
        _ip("-n", external, "link", "set", "out0", "master", number, "up")
        _ip("-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "out0")
        _ip("-n", self.namespace, "link", "set", "out0", "up")

    def route(self, cidr: str, via: str) -> None:
        _ip("-n", self.namespace, "route", "add", cidr, "via", via)

    def banner(self, address: str, seconds: float = 20.0) -> str:
        """What SSH at an address says first to the outside; empty when nothing answers."""
        with namespaces.inside(self.namespace), socket(AF_INET, SOCK_STREAM) as asking:
            asking.settimeout(seconds)
            try:
                asking.connect((address, 22))
                return asking.recv(64).decode(errors="replace").splitlines()[0]
            except OSError:
                return ""

    @contextlib.contextmanager
    def listening(self, port: int) -> Iterator[list[str]]:
        """Answer connections to a port; the list fills with the addresses they came from."""
        seen: list[str] = []
        with namespaces.inside(self.namespace):
            listener = socket(AF_INET, SOCK_STREAM)
            listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            listener.bind((self.address, port))
            listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                seen.append(peer[0])
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield seen
        finally:
            listener.shutdown(2)
            listener.close()
            thread.join()

    def close(self) -> None:
        _ip("netns", "del", self.namespace)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
    return done.stdout


@dataclass
class GuestCloud:
    """The cloud, its first customer, and the outside."""

    cloud: Scratch
    tenant: Tenant
    outside: Outside
    folder: Path
    outside_id: str

    def new_tenant(self, name: str) -> Tenant:
        """A customer of a project of its own."""
        api, login = self.cloud.another(name)
        tenant = Tenant(api, login, self.folder / f"{name}.key", self.outside_id)
        tenant.make_key()
        return tenant


@contextlib.contextmanager
def guest_cloud(image: Path, folder: Path) -> Iterator[GuestCloud]:
    """Start a cloud with the embedded engine and the tiny image, and erase it afterwards."""
    with scratch.cloud("embedded") as cloud:
        scratch.upload(cloud, image)
        external = cloud.operator.call("network", "GET", "/v2.0/networks", name="public")
        outside_id = external["networks"][0]["id"]
        poll(
            lambda: namespaces.exists(Names(cloud.config.short).network_namespace(outside_id)),
            PATIENCE, "the external network is not on the host",
        )  # fmt: skip
        outside = Outside(cloud, outside_id)
        tenant = Tenant(cloud.customer, cloud.login, folder / "bench.key", outside_id)
        tenant.make_key()
        try:
            yield GuestCloud(cloud, tenant, outside, folder, outside_id)
            failed = scratch.failures(cloud.state)
            assert not failed, "\n".join(failed)
        finally:
            outside.close()
    left = left_on_host(cloud.config.short)
    assert not left, f"the erased cloud left {left}"


def left_on_host(short: str) -> list[str]:
    """Namespaces, links, rules and processes that bear a cloud's mark."""
    mark = Names(short).mark
    found = [name for name in _ip("netns", "list").split() if name.startswith(mark)]
    found += [name for name in _ip("-o", "link").split() if name.startswith(mark)]
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    found += [line for line in tables.stdout.splitlines() if line.endswith(f" {mark}")]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended
            line = path.read_bytes()
            if f"guest={short}-".encode() in line or f"/{mark}-".encode() in line:
                found.append(f"process {path.parent.name}")
    return found


@dataclass
class Guests:
    """Four servers that let their owner in over SSH.

    alpha and beta share a network, delta is on another of the same router; gamma is a rival
    project's, on a network of alpha's range, with alpha's address. alpha has a config drive; beta's
    group lets in nothing but SSH from the host.
    """

    world: GuestCloud
    tenant: Tenant
    router: dict[str, Any]
    alpha: Server
    beta: Server
    delta: Server
    rival: Tenant
    rival_network: str
    rival_router: str
    gamma: Server
    user_data: str = USER_DATA

    def all(self) -> list[Server]:
        return [self.alpha, self.beta, self.gamma, self.delta]

    def named(self, name: str) -> Server:
        return next(each for each in self.all() if each.name == name)


def boot_guests(world: GuestCloud) -> Guests:
    """Make the four at once and wait until each lets its owner in."""
    tenant, resolver = world.tenant, [world.outside.address]
    router = tenant.router("edge")
    blue = tenant.network("blue", "10.0.0.0/24", router["id"])
    green = tenant.network("green", "10.1.0.0/24", router["id"], 1400, dns_nameservers=resolver)
    tenant.group("login", SSH_IN, {"protocol": "icmp"})
    tenant.group("quiet", {**SSH_IN, "remote_ip_prefix": f"{world.outside.gateway}/32"})
    rival = world.new_tenant("rival")
    rival.group("login", SSH_IN, {"protocol": "icmp"})
    rival_router = rival.router("edge")["id"]
    rival_network = rival.network("blue", "10.0.0.0/24", rival_router)
    more: dict[str, Any] = {"user_data": USER_DATA}
    first = {**more, "config_drive": True, "metadata": {"role": "first"}}
    guests = Guests(
        world=world, tenant=tenant, router=router, rival=rival,
        rival_network=rival_network, rival_router=rival_router,
        alpha=tenant.server("alpha", blue, "10.0.0.10", ["login"], **first),
        beta=tenant.server("beta", blue, "10.0.0.11", ["quiet"], **more),
        delta=tenant.server("delta", green, "10.1.0.10", ["login"]),
        gamma=rival.server("gamma", rival_network, "10.0.0.10", ["login"]),
    )  # fmt: skip
    for each in guests.all():
        each.wait("ACTIVE")
    for each in guests.all():
        each.wait_ssh()
    return guests
