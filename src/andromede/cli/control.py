"""Starting and ending a cloud: what `up`, `down` and `status` do, without their printing."""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from andromede import config as configuration
from andromede.cli import preflight
from andromede.cli.client import poll
from andromede.cli.errors import NOT_RUNNING, CliError
from andromede.config import Config, Paths
from andromede.roles.supervisor import hold_lock

HEALTHY_WITHIN = 60.0


def load(state: Path) -> Config:
    """The settings of the cloud at `state`.

    Errors: CliError when there is none, or its file is faulty.
    """
    try:
        return configuration.load(state)
    except FileNotFoundError:
        raise CliError(
            f"no cloud was ever started from {state}; start one with: andromede up", NOT_RUNNING
        ) from None
    except PermissionError:
        raise CliError(f"{state} belongs to another user; run this command as root") from None
    except ValueError as error:
        raise CliError(f"{error}; correct that file") from error


def running(state: Path) -> dict[str, Any] | None:
    """What the supervisor notes of itself; None when no supervisor lives."""
    paths = Paths(state)
    if not paths.run.is_dir():
        return None
    lock = hold_lock(paths)
    if lock is not None:
        os.close(lock)
        return None
    try:
        return dict(json.loads((paths.run / "supervisor.json").read_text()))
    except FileNotFoundError:
        return {"pid": None, "roles": {}}


def require_root(config: Config, doing: str) -> None:
    if config.engine == "embedded" and os.geteuid() != 0:
        raise CliError(
            f"{doing} needs root, because guests need network devices; run it as root, "
            f"or try the API alone with: andromede up --engine simulated"
        )


def start(state: Path, config: Config) -> float:
    """Start the supervisor in the background and wait until the cloud is healthy; seconds.

    Errors: CliError naming what failed, with the end of the log.
    """
    started = time.monotonic()
    paths = Paths(state)
    preflight.check(state, config)
    configuration.save(state, config)
    preflight.remember(state, config)
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "supervisor.log"
    said = log.stat().st_size if log.exists() else 0
    pid = _spawn_supervisor(state, log)
    while time.monotonic() - started < HEALTHY_WITHIN:
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            raise CliError(f"the cloud did not start: {_reason(log, said)}; more is in {log}")
        if health(config, paths)[0]:
            return time.monotonic() - started
        time.sleep(0.02)
    raise CliError(f"the cloud is not healthy after {HEALTHY_WITHIN:.0f} s; see {log}")


def _spawn_supervisor(state: Path, log: Path) -> int:
    """Start the supervisor in a session of its own; it outlives this process."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "andromede.roles.supervisor", str(state)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def stop(state: Path, within: float = 30.0) -> bool:
    """End the supervisor and its roles, and wait for it; whether there was one."""
    facts = running(state)
    if facts is None:
        return False
    if facts["pid"] is None:
        raise CliError("the cloud is just starting; try again in a second")
    os.kill(facts["pid"], signal.SIGTERM)
    poll(lambda: running(state) is None, within, "the cloud did not end")
    return True


def health(config: Config, paths: Paths) -> tuple[bool, dict[str, Any]]:
    """Ask the private listener how it is: whether all is up, and each part's state."""
    if not (paths.tls / "ca.pem").exists():
        return False, {"api": "down"}
    host, port = configuration.address(config.private)
    context = ssl.create_default_context(cafile=str(paths.tls / "ca.pem"))
    context.check_hostname = False
    where = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(
            f"https://{where}:{port}/healthz", timeout=2, context=context
        ) as answer:
            facts = json.load(answer)
    except urllib.error.HTTPError as error:
        facts = json.load(error)
    except (OSError, ValueError):
        return False, {"api": "down"}
    return bool(facts.get("healthy")), {"api": "up", **facts.get("parts", {})}


def _reason(log: Path, after: int) -> str:
    """Why the supervisor gave up, of what it logged after a position."""
    with open(log, "rb") as file:
        file.seek(after)
        lines = file.read().decode(errors="replace").splitlines()
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "reason" in event:
            return str(event["reason"])
    return lines[-1].strip() if lines else "it said nothing"
