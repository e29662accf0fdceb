"""`up`, `down` and `status`."""

from __future__ import annotations

import ipaddress
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console

from andromede import config as configuration
from andromede.cli import control
from andromede.cli.client import poll
from andromede.cli.declared import Declared
from andromede.cli.errors import NOT_RUNNING, USAGE, CliError
from andromede.config import ENGINES, Config, Paths

if TYPE_CHECKING:
    from andromede.sovereignty.world.document import Document

SMALLEST_EXTERNAL = 29  # prefix length: this host, a router and a few floating addresses

console = Console(stderr=True, highlight=False, soft_wrap=True)


def up(
    state: Path, declared: Declared, *, policy: Sequence[str] = (), **settings: str | None
) -> None:
    """Start the cloud with these settings, or keep the ones of its first start. `declared` is where
    it stands; `policy` are fields of the cloud's policy to set, as `operator_access=open`."""
    wanted = _policy(policy)
    config = settle(state, {key: value for key, value in settings.items() if value is not None})
    config = declared.placed(state, config)
    control.require_root(config, "starting the embedded engine")
    if control.running(state) is not None:
        require_unchanged(state, config)
        if wanted:
            raise CliError(
                "the cloud runs, and --policy is applied by a start; change its policy with: "
                "andromede sovereignty policy set cloud FIELD=VALUE",
                USAGE,
            )
        console.print(f"already running: https://{config.public} (public)")
        declared.declare(state)
        return
    _ask(state, wanted, declared.document)
    seconds = control.start(state, config)
    console.print(
        f"up in {seconds:.1f} s: https://{config.public} (public), "
        f"https://{config.private} (private, operators)"
    )
    console.print(
        f"operator: export OS_CLIENT_CONFIG_FILE={operator_file(state)} OS_CLOUD=operator"
    )


def _policy(assignments: Sequence[str]) -> dict[str, Any]:
    """The fields that were given.

    Errors: CliError for a faulty one.
    """
    document: dict[str, Any] = {}
    if not assignments:
        return document
    from andromede.sovereignty.policy import model

    try:
        for each in assignments:
            model.assign(document, each)
        model.read(document, lax=True)
    except ValueError as error:
        raise CliError(f"--policy: {error}", USAGE) from error
    return document


def _ask(state: Path, policy: dict[str, Any], world: Document | None) -> None:
    """Leave for the start what it is to have in the database; nothing is left of an earlier try."""
    if Paths(state).asked.exists():
        Paths(state).asked.unlink()
    if policy or world is not None:
        from andromede.roles import asked

        asked.write(Paths(state), asked.Asked(policy=policy, world=world))


def require_unchanged(state: Path, config: Config) -> None:
    """Errors: CliError when a running cloud was given other settings than it runs with."""
    if config != control.load(state):
        raise CliError(
            "the cloud runs with other settings, and was not changed; end it first with: "
            "andromede down",
            USAGE,
        )


def ensure_up(state: Path, config: Config) -> bool:
    """Have the cloud running and healthy; whether it was started now."""
    if control.running(state) is None:
        control.start(state, config)
        return True
    paths = Paths(state)
    poll(lambda: control.health(config, paths)[0], 30, "the running cloud is not healthy")
    return False


def operator_file(state: Path) -> Path:
    """The clouds.yaml of the local operator, which `up` writes for root alone."""
    return Paths(state).clients / "operator" / "clouds.yaml"


def settle(state: Path, given: dict[str, str]) -> Config:
    """The cloud's settings: those it has, with the given ones on top.

    Errors: CliError for an unknown engine or a faulty address, or a change that a cloud with
    resources cannot make.
    """
    if given.get("engine", "embedded") not in ENGINES:
        raise CliError(f"--engine {given['engine']}: {' or '.join(ENGINES)} is accepted", USAGE)
    for name in ("public", "private"):
        if name in given:
            try:
                configuration.address(given[name])
            except ValueError as error:
                raise CliError(f"--{name}: {error}", USAGE) from error
    if "external_cidr" in given:
        _require_network(given["external_cidr"])
    if not Paths(state).config.exists():
        return configuration.new_config(**given)
    config = control.load(state)
    for fixed in ("engine", "database", "external_cidr"):
        if fixed in given and given[fixed] != getattr(config, fixed):
            option = fixed.replace("_", "-")
            raise CliError(
                f"--{option}: the cloud at {state} was started with "
                f"{getattr(config, fixed) or 'SQLite'!s}; give another --state for another cloud",
                USAGE,
            )
    return msgspec.structs.replace(config, **given)


def _require_network(cidr: str) -> None:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise CliError(
            f"--external-cidr: {error}; an IPv4 network is accepted, as in 172.24.4.0/24", USAGE
        ) from error
    if network.prefixlen > SMALLEST_EXTERNAL:
        raise CliError(
            f"--external-cidr: {cidr} is too small; /{SMALLEST_EXTERNAL} or larger is accepted",
            USAGE,
        )


def down(state: Path, *, servers: bool) -> None:
    """End the cloud's processes, and with `servers` its guests and their networks."""
    config = control.load(state)
    control.require_root(config, "stopping the embedded engine")
    started = time.monotonic()
    was = control.stop(state)
    if servers and config.engine == "embedded":
        _clear_host(state, config)
    if was:
        rest = "" if servers or config.engine == "simulated" else "; guests run on"
        console.print(f"down in {time.monotonic() - started:.1f} s{rest}")
    else:
        console.print("not running")


def _clear_host(state: Path, config: Config) -> None:
    """Take every guest's power away and remove the cloud's networks from the host; disks stay."""
    from andromede.engine.embedded import EmbeddedEngine

    EmbeddedEngine(config, Paths(state)).clear_host()


def reset(state: Path, *, yes: bool) -> None:
    """Erase the cloud: its processes, guests, networks, database, images and keys."""
    config = control.load(state)
    control.require_root(config, "erasing the embedded engine's cloud")
    if not yes:
        raise CliError(
            f"reset erases the cloud at {state} with all its servers, images and keys; "
            f"nothing was erased; say so with: andromede reset --yes",
            USAGE,
        )
    control.stop(state)
    if config.engine == "embedded":
        _clear_host(state, config)
    for path in (*Paths(state).owned(), Paths(state).config):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    console.print(f"erased the cloud at {state}; what was built and cached stays")


def status(state: Path, *, as_json: bool) -> None:
    """Print the state; the exit code is 3 when the cloud is not running, 1 when it is unwell."""
    config = control.load(state)
    facts = control.running(state)
    healthy, parts = control.health(config, Paths(state)) if facts else (False, {})
    if as_json:
        document = {
            "running": facts is not None,
            "healthy": healthy,
            "parts": parts,
            "public": f"https://{config.public}",
            "private": f"https://{config.private}",
            "engine": config.engine,
            "processes": facts["roles"] if facts else {},
        }
        print(json.dumps(document))
    elif facts is None:
        print(f"not running; start it with: andromede up (state: {state})")
    else:
        told = ", ".join(f"{name} {said}" for name, said in parts.items())
        print(f"{'healthy' if healthy else 'unwell'}: {told}")
        print(f"public https://{config.public}, private https://{config.private}")
        for name, pid in sorted(facts["roles"].items()):
            print(f"  {name:10} pid {pid}")
    if facts is None:
        raise SystemExit(NOT_RUNNING)
    if not healthy:
        raise SystemExit(1)
