"""A cloud of its own for a benchmark: a folder, free ports, a customer who may do everything."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
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
            **settings,
        )
        configuration.save(state, config)
        try:
            seconds = control.start(state, config)
            scratch = _log_in(state, config, seconds)
            yield scratch
            scratch.operator.close()
            scratch.customer.close()
        except Exception as error:
            for failure in failures(state):
                error.add_note(failure)
            raise
        finally:
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
    project = operator.call(
        "identity", "POST", "/projects", {"project": {"name": "bench", "domain_id": "default"}}
    )["project"]
    secret = secrets.token_urlsafe(16)
    user = operator.call(
        "identity",
        "POST",
        "/users",
        {"user": {"name": "bench", "domain_id": "default", "password": secret}},
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
    operator.call("network", "PUT", f"/v2.0/quotas/{project['id']}", {"quota": {"port": UNLIMITED}})
    customer = Session(f"https://{config.public}/identity/v3", paths.tls / "ca.pem")
    scope = {"project": {"id": project["id"]}}
    identity = password("bench", secret)
    customer.login(identity, scope)
    login = {"auth": {"identity": identity, "scope": scope}}
    return Scratch(state, config, operator, customer, login, seconds)


def wait(condition: Any, within: float, complaint: str) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(complaint)
        time.sleep(0.05)
