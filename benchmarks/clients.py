"""What of `openstack server list` is the cloud's: the time its api needed, beside the wall's."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time

from andromede.config import Paths
from benchmarks import scratch
from benchmarks.api import _Target
from benchmarks.frame import Row
from benchmarks.scratch import Scratch
from tests.clients.command import client_folder

SERVERS = 20
RUNS = 10


def run() -> list[Row]:
    """The client's start-up, the command, and the cloud's share of it."""
    with scratch.cloud() as cloud:
        _Target(cloud).fill(SERVERS)
        environment = _environment(cloud)
        alone = [_wall(environment, "--version") for _ in range(RUNS)]
        whole, shares = [], []
        for _ in range(RUNS):
            before = _spent(cloud)
            whole.append(_wall(environment, "server", "list", "-f", "json"))
            shares.append((_spent(cloud) - before) / 1000)
        start, command, share = map(statistics.median, (alone, whole, shares))
        return [
            Row(name="openstack --version", value=start, unit="s", n=RUNS),
            Row(name="openstack server list", value=command, unit="s", n=RUNS),
            Row(
                name="of it, in the cloud", value=share, unit="s", limit=command, goal="<= 0.2",
                n=RUNS,
            ),
        ]  # fmt: skip


def _environment(cloud: Scratch) -> dict[str, str]:
    user = cloud.login["auth"]["identity"]["password"]["user"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
    return clean | {
        "OS_AUTH_URL": f"https://{cloud.config.public}/identity/v3",
        "OS_CACERT": str(Paths(cloud.state).tls / "ca.pem"),
        "OS_USERNAME": user["name"],
        "OS_USER_DOMAIN_ID": "default",
        "OS_PASSWORD": user["password"],
        "OS_PROJECT_ID": cloud.login["auth"]["scope"]["project"]["id"],
        "OS_IDENTITY_API_VERSION": "3",
    }


def _wall(environment: dict[str, str], *words: str) -> float:
    folder = client_folder()
    began = time.perf_counter()
    subprocess.run(
        [str(folder / "python"), str(folder / "openstack"), *words], env=environment, check=True,
        capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - began


def _spent(cloud: Scratch) -> float:
    """Milliseconds that the api has spent on requests, by its own log."""
    spent = 0.0
    for path in (cloud.state / "logs").glob("api*.log"):
        for line in path.read_text(errors="replace").splitlines():
            if '"event":"request"' in line:
                spent += json.loads(line)["ms"]
    return spent
