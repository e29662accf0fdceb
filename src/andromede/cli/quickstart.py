"""`quickstart`: from nothing to a server that a person can log in to.

The operator, on the private listener, makes a project, a user and a public image; all else is done
as that customer through the public API.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from andromede import logins
from andromede.cli import control, images, preflight, up
from andromede.cli.client import Session, password, poll
from andromede.cli.errors import CliError
from andromede.cli.firstlight import FirstLight
from andromede.cli.timeline import Timeline
from andromede.config import Config, Paths

CUSTOMER = "demo"
IMAGE = "tiny"
SSH_WITHIN = 180.0
LOGIN = "cirros"


class Tools(threading.Thread):
    """Installs the `openstack` command beside the main work; `problem` says if that failed."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.problem = ""

    def run(self) -> None:
        checkout = os.environ.get("ANDROMEDE_CHECKOUT", "")
        done = subprocess.run(
            [f"{checkout}/andromede", "openstack", "--version"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            self.problem = done.stderr.strip() or f"exit code {done.returncode}"


def quickstart(state: Path, *, as_json: bool, **settings: str | None) -> None:
    """Do it all, or what is missing of it, and print the timeline.

    `settings` are those of `up`, for a cloud that does not run yet.
    """
    config = _config(state, settings)
    timeline = Timeline()
    tools = Tools()
    tools.start()
    image = images.path(IMAGE, Paths(state).guests)
    there = images.built(IMAGE, Paths(state).guests)
    with ThreadPoolExecutor(1) as beside:
        building = None if there else beside.submit(images.build_quietly, IMAGE, state)
        with timeline.stage("start the cloud"):
            started = up.ensure_up(state, config)
        if building is not None:
            with timeline.stage("build the tiny image from Debian packages, since the start"):
                building.result()
    config = control.load(state)
    paths = Paths(state)
    with timeline.stage("operator: project, user, image"):
        auth = as_operator(paths, config, image)
    light = FirstLight(customer(paths, config, auth), logins.folder(paths, CUSTOMER))
    with timeline.stage("customer: network, router, security group, key pair"):
        light.prepare(IMAGE)
    with timeline.stage("server: accepted to ACTIVE, with its floating address"):
        server, address = light.server()
    with timeline.stage("server: boot, until it answers over SSH"):
        output = _ssh_until(light.key, address)
    with timeline.stage("the openstack command"):
        tools.join()
    report = {
        "ok": True,
        "ssh_ok": bool(output),
        "accelerator": _accelerator(paths),
        "started": started,
        "address": address,
        "server": server["id"],
        "output": output,
        "openstack_command": tools.problem or "installed",
        "stages": [{"name": name, "seconds": round(s, 3)} for name, s in timeline.stages],
        "total_s": round(timeline.total(), 3),
    }
    if as_json:
        print(json.dumps(report))
    else:
        _tell(timeline, report, logins.folder(paths, CUSTOMER), light.key, tools.problem)


def _config(state: Path, settings: dict[str, str | None]) -> Config:
    """The settings of the cloud that runs, or of one that can start here.

    Errors: CliError; nothing was changed.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    config = up.settle(state, given)
    if config.engine != "embedded":
        raise CliError(f"the cloud at {state} has the simulated engine; its servers take no login")
    control.require_root(config, "quickstart")
    if control.running(state) is None:
        preflight.check(state, config)
    else:
        up.require_unchanged(state, config)
    return config


def _accelerator(paths: Paths) -> str:
    """What the engine found that its servers can run under, and noted before it ran the first."""
    return str(json.loads(paths.accelerator.read_text())["verdict"]["name"])


def as_operator(paths: Paths, config: Config, image: Path) -> dict[str, str]:
    """Have the customer's project and user and the public image; the customer's login."""
    about = {"name": CUSTOMER, "domain_id": "default", "description": "First light"}
    with closing(images.operator_session(paths)) as operator:
        project = operator.find("identity", "/projects", "projects", CUSTOMER)
        if project is None:
            made = operator.call("identity", "POST", "/projects", {"project": about})
            project = made["project"]
        auth = _customer_login(paths, config, operator, project["id"])
        images.publish(operator, image)
    return auth


def _customer_login(
    paths: Paths, config: Config, operator: Session, project_id: str
) -> dict[str, str]:
    held = logins.read(paths, CUSTOMER)
    user = operator.find("identity", "/users", "users", CUSTOMER)
    if held is None or user is None:
        secret = secrets.token_urlsafe(24)
        if user is None:
            body = {"user": {"name": CUSTOMER, "domain_id": "default", "password": secret}}
            user = operator.call("identity", "POST", "/users", body)["user"]
        else:
            operator.call(
                "identity", "PATCH", f"/users/{user['id']}", {"user": {"password": secret}}
            )
        held = {
            "username": CUSTOMER,
            "password": secret,
            "project_name": CUSTOMER,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        logins.write(paths, config, CUSTOMER, "public", held)
    role = operator.find("identity", "/roles", "roles", "member")
    assert role is not None, "every cloud has the role member"
    operator.call(
        "identity", "PUT", f"/projects/{project_id}/users/{user['id']}/roles/{role['id']}"
    )
    found = logins.read(paths, CUSTOMER)
    assert found is not None
    return found


def customer(paths: Paths, config: Config, auth: dict[str, str]) -> Session:
    """The customer's session, on the public listener."""
    base = config.public_url or f"https://{config.public}"
    session = Session(f"{base}/identity/v3", paths.tls / "ca.pem")
    scope = {"project": {"name": auth["project_name"], "domain": {"id": "default"}}}
    session.login(password(auth["username"], auth["password"]), scope)
    return session


def _ssh_until(key: Path, address: str) -> str:
    """Run a command in the guest as soon as it lets us in; what it printed."""

    def attempt() -> str:
        done = subprocess.run(
            [*ssh_command(key, address), "uname -sr; cat /proc/uptime; hostname"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    return str(poll(attempt, SSH_WITHIN, f"the server at {address} did not answer over SSH"))


def ssh_command(key: Path, address: str) -> list[str]:
    """An ssh command line that asks nothing and remembers no host."""
    if shutil.which("ssh") is None:
        raise CliError("the ssh command is missing; install the Debian package openssh-client")
    options = {
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "ConnectTimeout": "2",
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "IdentitiesOnly": "yes",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-i", str(key), *flags, f"{LOGIN}@{address}"]


def _tell(timeline: Timeline, report: dict[str, Any], where: Path, key: Path, problem: str) -> None:
    """What a person does next."""
    out = Console(highlight=False, soft_wrap=True, file=sys.stdout)
    out.print()
    out.print(timeline.table())
    out.print(f"\nThe server runs under {report['accelerator']} and said:")
    for line in report["output"].splitlines():
        out.print(f"  {line}")
    out.print("\nNext:")
    out.print(f"  export OS_CLIENT_CONFIG_FILE={where}/clouds.yaml OS_CLOUD={CUSTOMER}")
    out.print("  ./andromede openstack server list")
    out.print(f"  ssh -i {key} {LOGIN}@{report['address']}")
    out.print(f"  (or: source {where}/openrc)")
    out.print("  ./andromede down --servers     # stop everything; `down` leaves guests running")
    if problem:
        out.print(f"\nThe openstack command could not be installed: {problem}")
