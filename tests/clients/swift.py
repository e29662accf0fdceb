"""A Swift from PyPI on loopback, which asks the cloud's identity service about every token.

It is unmodified, with unmodified keystonemiddleware in front of it. Objects are kept in memory, by
Swift's own server for that: not every file system keeps the attributes that the other one needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scratch import free_port
from tests.clients.command import CHECKOUT

RINGS = Path(__file__).with_name("swift_rings.py")
PATIENCE = 60.0  # seconds for a server to listen
STORES = {"account": "account", "container": "container", "object": "mem_object"}
PROXIES = {"proxy": 300, "strict": -1}  # for how many seconds each remembers a token


@dataclass(frozen=True)
class Login:
    """How Swift logs in to the identity service: its service user."""

    auth_url: str
    ca: Path
    user: str
    password: str
    project: str


@dataclass(frozen=True)
class Swift:
    """A running one. `url` is that of the proxy that remembers tokens, `strict` of one that asks
    each time."""

    url: str
    strict: str


def foreign_folder() -> Path:
    """Where the programs of the environment are that foreign services are installed in."""
    ours = Path(os.environ.get("ANDROMEDE_VENV") or CHECKOUT / ".venv")
    return ours.with_name(f"{ours.name}-foreign") / "bin"


@contextlib.contextmanager
def serve(folder: Path, login: Login) -> Iterator[Swift]:
    """Start its five processes, and end them afterwards."""
    names = [*STORES, *PROXIES]
    ports = {name: free_port() for name in names}
    (folder / "devices" / "disk").mkdir(parents=True)
    _write(folder / "swift.conf", {"swift-hash": {"swift_hash_path_suffix": "loopback"}})
    for name in STORES:
        _write(folder / f"{name}.conf", _store(folder, name, ports[name]))
    for name, seconds in PROXIES.items():
        _write(folder / f"{name}.conf", _proxy(folder, ports[name], login, seconds))
    programs = foreign_folder()
    python = [str(programs / "python"), "-P", "-W", "ignore"]
    subprocess.run([*python, str(RINGS), str(folder), json.dumps(ports)], check=True)
    with contextlib.ExitStack() as running:
        for name in names:
            program = programs / f"swift-{name if name in STORES else 'proxy'}-server"
            command = [*python, str(program), str(folder / f"{name}.conf")]
            running.enter_context(_process(command, folder / f"{name}.log"))
        for name in names:
            _wait(ports[name], folder / f"{name}.log")
        at = {name: f"http://127.0.0.1:{ports[name]}/v1" for name in PROXIES}
        yield Swift(at["proxy"], at["strict"])


@contextlib.contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=clean)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int, log: Path) -> None:
    """Errors: AssertionError with the server's last words when it does not come to listen."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, f"{log.stem}: {log.read_text()[-2000:]}"
            time.sleep(0.05)
        else:
            return


def _write(path: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    lines = []
    for name, options in sections.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""]
    path.write_text("\n".join(lines))
    path.chmod(0o600)


def _common(folder: Path, port: int) -> dict[str, object]:
    return {
        "bind_ip": "127.0.0.1", "bind_port": port, "workers": 0, "swift_dir": folder,
        "devices": folder / "devices", "mount_check": "false", "log_level": "WARNING",
        "user": pwd.getpwuid(os.geteuid()).pw_name,
    }  # fmt: skip


def _store(folder: Path, name: str, port: int) -> dict[str, dict[str, object]]:
    return {
        "DEFAULT": _common(folder, port),
        "pipeline:main": {"pipeline": f"{name}-server"},
        f"app:{name}-server": {"use": f"egg:swift#{STORES[name]}"},
    }


def _proxy(folder: Path, port: int, login: Login, seconds: int) -> dict[str, dict[str, object]]:
    """Accounts of projects are their members' to fill and their readers' to read; those with the
    prefix SERVICE ask for a service's token beside the user's."""
    return {
        "DEFAULT": _common(folder, port),
        "pipeline:main": {"pipeline": "catch_errors gatekeeper authtoken keystoneauth proxy-server"},
        "filter:catch_errors": {"use": "egg:swift#catch_errors"},
        "filter:gatekeeper": {"use": "egg:swift#gatekeeper"},
        "filter:authtoken": {
            "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
            "www_authenticate_uri": login.auth_url, "auth_url": login.auth_url,
            "auth_type": "password", "username": login.user, "password": login.password,
            "user_domain_id": "default", "project_name": login.project,
            "project_domain_id": "default", "cafile": login.ca, "interface": "public",
            "region_name": "RegionOne", "delay_auth_decision": "True",
            "service_token_roles": "service", "service_token_roles_required": "True",
            "token_cache_time": seconds, "service_type": "object-store",
        },
        "filter:keystoneauth": {
            "use": "egg:swift#keystoneauth", "reseller_prefix": "AUTH, SERVICE",
            "operator_roles": "member", "SERVICE_service_roles": "service",
            "project_reader_roles": "reader",
        },
        "app:proxy-server": {"use": "egg:swift#proxy", "account_autocreate": "true"},
    }  # fmt: skip
