"""A cloud looked at for `doctor`: its roles, its rows and what the host has of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy.exc

from andromede import tls
from andromede.cli import control
from andromede.config import Config, Paths
from andromede.engine.protocol import EngineError, Observation
from andromede.findings import CONVERGES, Finding
from andromede.keys.vault import PUBLIC
from andromede.roles import assembly
from andromede.roles.audit import audit, open_cloud

LOGS = "read: andromede logs"
SERVER_DAYS, AUTHORITY_DAYS = 30, 180  # how long before its end a certificate is told of
CONVERGES_HOURLY = "the worker renews it within an hour; if not, read: andromede logs worker"


def roles(state: Path, config: Config) -> list[Finding]:
    """Roles that do not live, and parts of the cloud that are not up."""
    facts: dict[str, Any] = control.running(state) or {"roles": {}}
    found = [
        Finding(kind="role", subject=name, problem="does not run", remedy=f"{LOGS} {name}")
        for name, pid in facts["roles"].items()
        if not Path(f"/proc/{pid}").exists()
    ]
    _, parts = control.health(config, Paths(state))
    found += [
        Finding(kind="part", subject=name, problem=f"is {said}", remedy=LOGS)
        for name, said in parts.items()
        if said != "up"
    ]
    return found


def cloud(config: Config, paths: Paths, unseen: list[str], *, running: bool) -> list[Finding]:
    """What is leaked or contradicts itself; `unseen` gets what could not be looked at."""
    held, found = _host(config, paths, unseen)
    return [*found, *_rows(config, paths, held, unseen, running=running)]


def certificates(paths: Paths, *, running: bool) -> Iterator[Finding]:
    """Certificates that ended or will soon, with what renews them."""
    renews = CONVERGES_HOURLY if running else "andromede up renews it"
    replace = (
        f"clients need another authority in time: andromede down, move {paths.tls} away, "
        f"andromede up, and give them the new {tls.AUTHORITY}"
    )
    soon = ((tls.SERVER, SERVER_DAYS, renews), (tls.AUTHORITY, AUTHORITY_DAYS, replace))
    for name, days, remedy in soon:
        try:
            left = tls.left(paths.tls / name)
        except FileNotFoundError:
            continue
        except ValueError as error:
            problem = f"cannot be read: {error}"
            yield Finding(kind="certificate", subject=name, problem=problem, remedy=remedy)
            continue
        if left.days < days:
            problem = f"ends in {left.days} days" if left.days >= 0 else "has ended"
            yield Finding(kind="certificate", subject=name, problem=problem, remedy=remedy)


def _verifier(paths: Paths, unseen: list[str]) -> str | None:
    """The log's public key, as the keys role wrote it down."""
    try:
        return (paths.keys / PUBLIC).read_text()
    except OSError as error:
        unseen.append(f"signatures of the log's checkpoints: its public key: {error.strerror}")
        return None


def _host(
    config: Config, paths: Paths, unseen: list[str]
) -> tuple[Observation | None, list[Finding]]:
    if config.engine == "simulated":
        unseen.append("what the engine holds: the simulated one is in the worker's memory")
        return None, []
    if os.geteuid() != 0:
        unseen.append("processes, networks and disks of the cloud: only root sees them")
        return None, []
    from andromede.engine.embedded.look import look

    try:
        seen = look(config, paths)
    except (EngineError, OSError) as error:
        unseen.append(f"processes, networks and disks of the cloud: {error}")
        return None, []
    found = [
        Finding(kind=each.kind, subject=each.id, problem=each.problem, remedy=CONVERGES)
        for each in seen.broken
    ]
    return seen.held, found


def _rows(
    config: Config, paths: Paths, held: Observation | None, unseen: list[str], *, running: bool
) -> Iterator[Finding]:
    if not config.database and not os.access(paths.db, os.R_OK | os.X_OK):
        unseen.append(f"the database in {paths.db}: it belongs to the api role; root may read it")
        return
    if not config.database and not (paths.db / "andromede.sqlite").exists():
        return
    opened, verifier = open_cloud(config, paths), _verifier(paths, unseen)
    try:
        yield from audit(opened, held, assembly.lifecycles(), running=running, verifier=verifier)
    except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        problem = f"cannot be read: {str(error).splitlines()[0]}"
        remedy = "restore it from a copy, or end what holds it"
        yield Finding(kind="database", subject=paths.database_url(config), problem=problem,
                      remedy=remedy)  # fmt: skip
    finally:
        opened.database.dispose()
