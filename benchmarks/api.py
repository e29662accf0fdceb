"""Requests a second of the API on the simulated engine, beside hello-world of the same server."""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from andromede.cli.client import poll
from benchmarks import load, scratch
from benchmarks.frame import Row
from benchmarks.scratch import Scratch

SECONDS = 3.0
ROUNDS = 5
CLIENTS = (1, 16)
FEW, MANY = 20, 1_000
SECTOR = 64 * 1024


def run() -> list[Row]:
    """All rows: hello-world first, then each route at each number of clients."""
    rows: list[Row] = []
    with scratch.cloud() as cloud, _hello(cloud) as url:
        target = _Target(cloud)
        target.fill(FEW)
        base, token = target.compute, target.headers
        hello = _Route(url, headers=token)
        server = _Route(f"{base}/servers/{target.servers[0]}", headers=token)
        limits = {}
        for clients in CLIENTS:
            limits[clients], shown = _in_turn(hello, server, clients)
            rows.append(_row("hello-world", clients, limits[clients]))
            limit = limits[clients][0]
            rows.append(_row("GET /servers/{id}", clients, shown, limit=limit, goal=">= 0.2"))
        detail = _Route(f"{base}/servers/detail?limit=1000", headers=token)
        ports, servers = f"{target.network}/v2.0/ports", f"{base}/servers"
        plan = {
            f"GET /servers/detail ({FEW} servers)": detail,
            "GET /auth/tokens": _Route(f"{target.identity}/auth/tokens", headers=token),
            "POST /ports": _Route(ports, "POST", headers=token, body=target.port_body()),
            "POST /servers": _Route(servers, "POST", headers=token, body=target.server_body()),
        }
        for name, route in plan.items():
            rows += _rows(name, route, limits)
        rows += _logins(target)
        target.fill(MANY)
        rows += _rows(f"GET /servers/detail ({MANY} servers)", detail, limits)
    return rows


Rate = tuple[float, int]  # requests a second, and how many were made


@dataclass(frozen=True)
class _Route:
    """A request to make again and again."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def rate(self, clients: int, seconds: float = SECONDS) -> Rate:
        return load.rate(
            self.url, clients, seconds, method=self.method, headers=self.headers, body=self.body
        )


def _in_turn(limit: _Route, route: _Route, clients: int) -> tuple[Rate, Rate]:
    """The medians of rounds in which both were measured one after the other, so that what else the
    machine does meets both."""
    rounds = [(limit.rate(clients), route.rate(clients)) for _ in range(ROUNDS)]
    first, second = ([each[at] for each in rounds] for at in (0, 1))
    return _median(first), _median(second)


def _median(rates: list[Rate]) -> Rate:
    return statistics.median(rate for rate, _ in rates), sum(n for _, n in rates)


def _row(name: str, clients: int, found: Rate, **more: Any) -> Row:
    return Row(name=f"{name} c={clients}", value=found[0], unit="req/s", n=found[1], **more)


def _rows(name: str, route: _Route, limits: dict[int, Rate]) -> list[Row]:
    return [
        _row(name, clients, route.rate(clients), limit=limits[clients][0]) for clients in CLIENTS
    ]


def _logins(target: _Target) -> list[Row]:
    """Logging in, in milliseconds, beside argon2 alone with the same parameters."""
    alone = _argon2_ms()
    rows = []
    for clients in CLIENTS:
        value, n = load.rate(
            f"{target.identity}/auth/tokens",
            clients,
            SECONDS,
            method="POST",
            body=target.cloud.login,
        )
        if clients == 1:
            rows.append(
                Row(
                    name="POST /auth/tokens c=1 (time)",
                    value=1000 / value,
                    unit="ms",
                    limit=alone,
                    goal="<= 1.2",
                    n=n,
                )
            )
        rows.append(Row(name=f"POST /auth/tokens c={clients}", value=value, unit="req/s", n=n))
    return rows


def _argon2_ms() -> float:
    hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
    digest = hasher.hash("bench")
    samples = []
    for _ in range(20):
        began = time.perf_counter()
        hasher.verify(digest, "bench")
        samples.append((time.perf_counter() - began) * 1000)
    return sorted(samples)[len(samples) // 2]


class _Target:
    """The customer's endpoints and what requests need."""

    def __init__(self, cloud: Scratch) -> None:
        self.cloud = cloud
        session = cloud.customer
        self.compute = session.catalog["compute"]
        self.network = session.catalog["network"]
        self.identity = session.catalog["identity"]
        self.headers = {"X-Auth-Token": session.token, "X-Subject-Token": session.token}
        made = session.call("network", "POST", "/v2.0/networks", {"network": {"name": "bench"}})
        self.network_id = made["network"]["id"]
        subnet = {"network_id": self.network_id, "cidr": "10.0.0.0/8", "ip_version": 4}
        session.call("network", "POST", "/v2.0/subnets", {"subnet": subnet})
        self.image_id = self._image()
        flavors = session.call("compute", "GET", "/flavors")["flavors"]
        self.flavor_id = next(each["id"] for each in flavors if each["name"] == "t1.tiny")
        self.servers: list[str] = []

    def _image(self) -> str:
        body = {"name": "bench", "disk_format": "raw", "container_format": "bare"}
        image = self.cloud.customer.call("image", "POST", "/v2/images", body)
        content = io.BytesIO(bytes(SECTOR))
        self.cloud.customer.upload("image", f"/v2/images/{image['id']}/file", content, SECTOR)
        return str(image["id"])

    def port_body(self) -> dict[str, Any]:
        return {"port": {"network_id": self.network_id}}

    def server_body(self) -> dict[str, Any]:
        return {
            "server": {
                "name": "bench",
                "imageRef": self.image_id,
                "flavorRef": self.flavor_id,
                "networks": [{"uuid": self.network_id}],
            }
        }

    def fill(self, count: int) -> None:
        """Have at least `count` servers, all ACTIVE."""
        session = self.cloud.customer
        while len(self.servers) < count:
            made = session.call("compute", "POST", "/servers", self.server_body())["server"]
            self.servers.append(made["id"])
        last = self.servers[-1]
        poll(
            lambda: (
                session.call("compute", "GET", f"/servers/{last}")["server"]["status"] == "ACTIVE"
            ),
            120,
            "the servers did not become ACTIVE",
        )


@contextlib.contextmanager
def _hello(cloud: Scratch) -> Iterator[str]:
    port = scratch.free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks.hello",
            str(port), str(cloud.state / "tls"), str(cloud.config.api_processes),
        ]
    )  # fmt: skip
    try:
        poll(lambda: _answers(port), 10, "hello-world did not start")
        yield f"https://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
