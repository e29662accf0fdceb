"""Requests a second of the API on the simulated engine, beside hello-world of the same server."""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from andromede.cli.client import poll
from benchmarks import load, scratch
from benchmarks.frame import Row
from benchmarks.scratch import Scratch

SECONDS = 3.0
CLIENTS = (1, 16)
FEW, MANY = 20, 1_000
SECTOR = 64 * 1024


def run() -> list[Row]:
    """All rows: hello-world first, then each route at each number of clients."""
    rows: list[Row] = []
    with scratch.cloud() as cloud, _hello(cloud) as url:
        limits = {clients: load.rate(url, clients, SECONDS) for clients in CLIENTS}
        for clients, (value, n) in limits.items():
            rows.append(Row(name=f"hello-world c={clients}", value=value, unit="req/s", n=n))
        target = _Target(cloud)
        target.fill(FEW)
        server = target.servers[0]
        base, token = target.compute, target.headers
        detail = f"{base}/servers/detail?limit=1000"
        plan: list[tuple[str, str, str, Any, str | None]] = [
            ("GET /servers/{id}", "GET", f"{base}/servers/{server}", None, ">= 0.2"),
            (f"GET /servers/detail ({FEW} servers)", "GET", detail, None, None),
            ("GET /auth/tokens", "GET", f"{target.identity}/auth/tokens", None, None),
            ("POST /ports", "POST", f"{target.network}/v2.0/ports", target.port_body(), None),
            ("POST /servers", "POST", f"{base}/servers", target.server_body(), None),
        ]
        for name, method, url_, body, goal in plan:
            rows += _rows(name, method, url_, token, body, goal, limits)
        rows += _logins(target)
        target.fill(MANY)
        rows += _rows(
            f"GET /servers/detail ({MANY} servers)", "GET", detail, token, None, None, limits
        )
    return rows


def _rows(
    name: str,
    method: str,
    url: str,
    headers: dict[str, str],
    body: Any,
    goal: str | None,
    limits: dict[int, tuple[float, int]],
) -> list[Row]:
    made = []
    for clients in CLIENTS:
        value, n = load.rate(url, clients, SECONDS, method=method, headers=headers, body=body)
        made.append(
            Row(
                name=f"{name} c={clients}",
                value=value,
                unit="req/s",
                limit=limits[clients][0],
                goal=goal,
                n=n,
            )
        )
    return made


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
