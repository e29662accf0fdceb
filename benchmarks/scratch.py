"""A cloud of its own for a benchmark: a folder, free ports, a customer who may do everything."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from andromede import config as configuration
from andromede import logins
from andromede.cli import control
from andromede.cli.client import Session, credential, password
from andromede.config import Config, Paths

UNLIMITED = -1


@dataclass
class Scratch:
    """A running cloud with an operator's and a customer's session."""

    state: Path
    config: Config
    operator: Session
    customer: Session
    login: dict[str, Any]
    seconds: float  # from `up` to healthy, on its first start
    sessions: list[Session]  # closed with the cloud

    def another(self, name: str) -> tuple[Session, dict[str, Any]]:
        """One more customer, with a project of its own."""
        session, login = new_customer(self.operator, self.state, self.config, name)
        self.sessions.append(session)
        return session, login


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def cloud(engine: str = "simulated", **settings: Any) -> Iterator[Scratch]:
    """Start a cloud, and end and erase it afterwards."""
    with tempfile.TemporaryDirectory(prefix="andromede-bench-") as folder:
        state = Path(folder)
        state.chmod(0o711)
        config = configuration.new_config(
            engine=engine,
            public=f"127.0.0.1:{free_port()}",
            private=f"127.0.0.1:{free_port()}",
            **{"external_cidr": free_range(), **settings},
        )
        configuration.save(state, config)
        sessions: list[Session] = []
        try:
            seconds = control.start(state, config)
            made = _log_in(state, config, seconds)
            sessions = made.sessions
            yield made
        except Exception as error:
            for failure in failures(state):
                error.add_note(failure)
            raise
        finally:
            for each in sessions:
                each.close()
            andromede("reset", "--yes", state=state)


def failures(state: Path) -> list[str]:
    """What the roles logged as their own failures: nothing, in a cloud that is well."""
    found = []
    for path in sorted((state / "logs").glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if '"exception"' in line:
                entry = json.loads(line)
                found.append(f"{path.stem}: {entry['event']}\n{entry['exception'][-3000:]}")
    return found


def andromede(*arguments: str, state: Path) -> None:
    """Run a command of the command line on a cloud."""
    subprocess.run(
        [sys.executable, "-m", "andromede.cli", *arguments, "--state", str(state)],
        check=True,
        capture_output=True,
    )


def _log_in(state: Path, config: Config, seconds: float) -> Scratch:
    paths = Paths(state)
    held = logins.read(paths, "operator")
    assert held is not None
    operator = Session(held["auth_url"], paths.tls / "ca.pem")
    operator.login(
        credential(held["application_credential_id"], held["application_credential_secret"])
    )
    customer, login = new_customer(operator, state, config, "bench")
    return Scratch(state, config, operator, customer, login, seconds, [operator, customer])


def new_customer(
    operator: Session, state: Path, config: Config, name: str
) -> tuple[Session, dict[str, Any]]:
    """A project and its user of that name, without quotas, logged in on the public listener."""
    project = operator.call(
        "identity", "POST", "/projects", {"project": {"name": name, "domain_id": "default"}}
    )["project"]
    secret = secrets.token_urlsafe(16)
    user = operator.call(
        "identity",
        "POST",
        "/users",
        {"user": {"name": name, "domain_id": "default", "password": secret}},
    )["user"]
    role = operator.find("identity", "/roles", "roles", "member")
    assert role is not None
    operator.call(
        "identity", "PUT", f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}"
    )
    operator.call(
        "compute",
        "PUT",
        f"/os-quota-sets/{project['id']}",
        {"quota_set": {"instances": UNLIMITED, "cores": UNLIMITED, "ram": UNLIMITED}},
    )
    quota = {"port": UNLIMITED, "floatingip": UNLIMITED}
    operator.call("network", "PUT", f"/v2.0/quotas/{project['id']}", {"quota": quota})
    customer = Session(f"https://{config.public}/identity/v3", Paths(state).tls / "ca.pem")
    scope = {"project": {"id": project["id"]}}
    identity = password(name, secret)
    customer.login(identity, scope)
    return customer, {"auth": {"identity": identity, "scope": scope}}


def upload(cloud: Scratch, image: Path, name: str = "tiny") -> str:
    """Make a tiny image public, as an operator does; its id."""
    body = {
        "name": name,
        "disk_format": "qcow2",
        "container_format": "bare",
        "visibility": "public",
        "hw_qemu_guest_agent": "yes",
        "os_admin_user": "cirros",
    }
    made = cloud.operator.call("image", "POST", "/v2/images", body)
    with image.open("rb") as file:
        size = image.stat().st_size
        cloud.operator.upload("image", f"/v2/images/{made['id']}/file", file, size)
    return str(made["id"])


def free_range() -> str:
    """A /24 of the block kept for measurements (RFC 2544) that no link of this host holds."""
    held = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True)
    while True:
        found = f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}"
        if f" {found}." not in held.stdout:
            return f"{found}.0/24"
