"""A real cloud, started by the command line on a host that is a network namespace of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from andromede import config as configuration
from andromede import logins
from andromede.cli.client import ApiFailure, Session, credential
from andromede.cli.errors import CliError
from andromede.config import Config, Paths
from andromede.engine.embedded.machine import limits, process
from andromede.engine.embedded.net import dnsmasq, links, namespaces, nft, scope
from andromede.engine.embedded.net.names import Names
from andromede.guest.build import BuiltImage

T = TypeVar("T")
ROLES = ("keys", "inspect", "edge", "worker", "courier", "api-0", "api-1")
FLAVOR = "t1.tiny"
CONVERGED = 120.0
NOT_ANSWERED = (CliError, OSError)


def until(what: str, look: Callable[[], T | None], seconds: float = 60) -> T:
    """The first true thing seen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


class LiveCloud:
    """One cloud in a folder of its own; the calling thread is inside the host's namespace."""

    def __init__(self) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="andromede-live-"))
        self.state.chmod(0o711)
        self.paths = Paths(self.state)
        self.config: Config = configuration.new_config()
        configuration.save(self.state, self.config)
        self.names = Names(self.config.short)

    # --- the command line

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "andromede.cli", *words, "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")

    def up(self) -> None:
        done = self.run("up")
        assert done.returncode == 0, done.stderr

    def doctor(self) -> dict[str, Any]:
        done = self.run("doctor", "--json")
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if report["ok"] else 1), done
        return report

    def assert_healthy(self) -> None:
        """doctor finds nothing, at the latest once every reconciler has run."""
        last: dict[str, Any] = {}

        def clean() -> bool:
            last.update(self.doctor())
            return bool(last["ok"])

        try:
            until("a clean bill of health", clean, CONVERGED)
        except AssertionError as error:
            raise AssertionError(f"{error}: {json.dumps(last['cloud'], indent=1)}") from None

    # --- processes

    def pids(self) -> dict[str, int]:
        try:
            return dict(json.loads((self.paths.run / "supervisor.json").read_text())["roles"])
        except FileNotFoundError:
            return {}

    def supervisor(self) -> int:
        return int(json.loads((self.paths.run / "supervisor.json").read_text())["pid"])

    def kill_role(self, name: str) -> int:
        """Kill a role without warning; the id it had."""
        pid = self.pids()[name]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid

    def await_role(self, name: str, before: int) -> None:
        until(f"another {name}", lambda: self.pids().get(name) not in (0, None, before))

    def kill_supervisor(self) -> None:
        """Kill the supervisor; its roles end with it, as the kernel tells them."""
        roles = [pid for pid in self.pids().values() if pid]
        os.kill(self.supervisor(), signal.SIGKILL)
        until("the roles' end", lambda: not any(alive(pid) for pid in roles))

    def machines(self) -> dict[str, int]:
        """The QEMU processes of this cloud, by server."""
        found = process.marked(self.config.short, self.config.uid_base)
        return {server: pid for pid, server in found}

    def leasers(self) -> set[int]:
        """The dnsmasq processes of this cloud."""
        return set(dnsmasq.running(self.paths.run / "net"))

    def crash_host(self) -> None:
        """What a power cut leaves: files, and nothing in memory."""
        self.kill_supervisor()
        for pid in (*self.machines().values(), *self.leasers()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until("the guests' end", lambda: not self.machines() and not self.leasers())
        for name in namespaces.listed(f"{self.names.mark}-"):
            namespaces.remove(name)
        with links.netlink(None) as ip:
            for name, number in links.held().items():
                if name.startswith(self.names.mark):
                    ip.link("del", index=number)
        for family, name in nft.present():
            if name.startswith(self.names.mark):
                subprocess.run(["nft", "delete", "table", family, name], check=True)

    # --- the API

    def login(self) -> Session:
        held = logins.read(self.paths, "operator")
        assert held is not None
        api = Session(held["auth_url"], self.paths.tls / "ca.pem")
        secret = held["application_credential_secret"]
        api.login(credential(held["application_credential_id"], secret))
        return api

    def try_call(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """One request by a fresh login. None when nobody answered, or the cloud refused it for now:
        it may or may not have been accepted."""
        try:
            with closing(self.login()) as api:
                return api.call(service, method, path, body) or {}
        except ApiFailure as error:
            if error.status in (404, 409, 500, 503):
                return None
            raise
        except NOT_ANSWERED:
            return None

    def call(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """One request that is repeated until it is answered."""
        return until(path, lambda: self.try_call(service, method, path, body))

    def servers(self) -> dict[str, str]:
        """The status of every server."""
        listed = self.call("compute", "GET", "/servers/detail")["servers"]
        return {each["id"]: each["status"] for each in listed}

    def server_body(self, image: str, network: str | None) -> dict[str, Any]:
        nets: Any = [{"uuid": network}] if network else "none"
        server = {"name": "vm", "imageRef": image, "flavorRef": FLAVOR, "networks": nets}
        return {"server": server}

    def await_status(self, server: str, status: str, seconds: float = CONVERGED) -> None:
        until(f"{server} to be {status}", lambda: self.servers().get(server) == status, seconds)

    # --- the end

    def left(self) -> dict[str, object]:
        """What of this cloud is still on the host."""
        mark = self.names.mark
        groups = [each for root in set(limits.roots().values())
                  for each in root.glob(f"andromede-{self.config.short}*")]  # fmt: skip
        found: dict[str, object] = {
            "processes": [*self.machines(), *self.leasers(), *self._of_state()],
            "namespaces": namespaces.listed(f"{mark}-"),
            "links": [name for name in links.held() if name.startswith(mark)],
            "tables": [each for each in nft.present() if each[1].startswith(mark)],
            "groups": [*groups, *(each for each in scope.folders(self.config.short)
                                  if each.exists())],
            "files": [each.name for each in self.paths.owned() if each.exists()],
        }  # fmt: skip
        return {name: each for name, each in found.items() if each}

    def _of_state(self) -> list[str]:
        """Processes that name the state folder on their command line."""
        wanted, found = str(self.state).encode(), []
        for pid in os.listdir("/proc"):
            if pid.isdigit() and int(pid) != os.getpid():
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{pid}/cmdline").read_bytes()
                    if wanted in line:
                        found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


class Furnished:
    """A running cloud with an image and a network with DHCP."""

    def __init__(self, cloud: LiveCloud, image: BuiltImage) -> None:
        self.cloud = cloud
        with closing(cloud.login()) as api:
            self._furnish(api, image)

    def _furnish(self, api: Session, image: BuiltImage) -> None:
        body = {"name": "tiny", "disk_format": "qcow2", "container_format": "bare"}
        self.image: str = api.call("image", "POST", "/v2/images", body)["id"]
        with image.qcow2.open("rb") as file:
            api.upload("image", f"/v2/images/{self.image}/file", file, image.size)
        made = api.call("network", "POST", "/v2.0/networks", {"network": {"name": "n"}})
        self.network: str = made["network"]["id"]
        subnet = {"network_id": self.network, "cidr": "10.0.0.0/24", "ip_version": 4}
        api.call("network", "POST", "/v2.0/subnets", {"subnet": subnet})

    def create(self) -> str | None:
        """Ask for a server; its id if that was answered."""
        body = self.cloud.server_body(self.image, self.network)
        answer = self.cloud.try_call("compute", "POST", "/servers", body)
        return str(answer["server"]["id"]) if answer else None

    def server(self) -> str:
        """A server that runs."""
        server = until("a server to be accepted", self.create)
        self.cloud.await_status(server, "ACTIVE")
        return server

    def delete(self, server: str) -> Any:
        return self.cloud.try_call("compute", "DELETE", f"/servers/{server}")

    def clear(self) -> None:
        """Delete every server, and wait until none is left."""
        for server in self.cloud.servers():
            self.delete(server)
        until("all servers' end", lambda: not self.cloud.servers(), 120)
        until("all machines' end", lambda: not self.cloud.machines(), 30)


@contextlib.contextmanager
def live_host() -> Iterator[LiveCloud]:
    """A cloud that is up, on a host of its own; both are gone afterwards. Skips without root."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    host = f"live{secrets.token_hex(3)}"
    namespaces.create(host)
    with namespaces.inside(host):
        with links.netlink(None) as ip:
            ip.link("set", index=links.index("lo"), state="up")
        cloud = LiveCloud()
        try:
            cloud.up()
            yield cloud
        finally:
            cloud.run("reset", "--yes")
            shutil.rmtree(cloud.state)
            namespaces.remove(host)
