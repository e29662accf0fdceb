"""`doctor`: what this host can do and lacks, and what of a cloud is leaked or contradicts itself.

It looks only. The exit code is 1 when something is wrong; what merely costs is a note.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console

from andromede.cli import control, examine, host
from andromede.cli.errors import FAILED
from andromede.cli.host import Host, Port
from andromede.config import Config, Paths, new_config
from andromede.engine.preflight import Lack
from andromede.findings import Finding

LOOKS, BETWEEN = 4, 2.0  # what is under way when first seen is not wrong: seconds between looks
GIB = 1 << 30
console = Console(highlight=False, soft_wrap=True, markup=False)


class CloudReport(Struct, kw_only=True):
    """A cloud: its folder, whether it runs (None: that may not be seen), and what is wrong."""

    state: str
    running: bool | None
    engine: str
    findings: list[Finding]


class Report(Struct, kw_only=True):
    """Everything seen. `unseen` says what was not looked at, and why; `cloud` is None without one."""

    ok: bool
    host: Host
    lacks: list[Lack]
    ports: list[Port]
    cloud: CloudReport | None
    unseen: list[str]


def doctor(state: Path, *, as_json: bool) -> None:
    """Look, print, and end with 1 when something is wrong."""
    report = look(state)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)
    if not report.ok:
        raise SystemExit(FAILED)


def look(state: Path) -> Report:
    """Errors: CliError when there is a cloud whose settings cannot be read."""
    paths = Paths(state)
    config = _config(state)
    unseen: list[str] = []
    cloud = None if config is None else _cloud(state, config, unseen)
    running = cloud is not None and cloud.running is not False
    settings = config or new_config()
    seen = host.look(paths)
    lacks = host.lacks(paths, seen.accelerator)
    ports = [] if running else host.ports(settings)
    if os.geteuid() != 0:
        unseen.append("kernel features, tools' rights and control groups: only root can try them")
    wrong = bool(cloud and cloud.findings)
    wrong |= any(each.in_use for each in ports)
    wrong |= settings.engine == "embedded" and any(each.needed for each in lacks)
    return Report(ok=not wrong, host=seen, lacks=lacks, ports=ports, cloud=cloud, unseen=unseen)


def _config(state: Path) -> Config | None:
    try:
        there = Paths(state).config.exists()
    except PermissionError:
        there = True  # `load` says whose it is
    return control.load(state) if there else None


def _cloud(state: Path, config: Config, unseen: list[str]) -> CloudReport:
    running = _running(state, unseen)
    report = CloudReport(state=str(state), running=running, engine=config.engine, findings=[])
    if running:
        report.findings += examine.roles(state, config)
    report.findings += examine.certificates(Paths(state), running=bool(running))
    missed, lasting = _examine(config, Paths(state), running=bool(running))
    for _ in range(LOOKS - 1 if running else 0):
        if not lasting:
            break
        time.sleep(BETWEEN)
        missed, found = _examine(config, Paths(state), running=True)
        lasting &= found
    unseen += missed
    report.findings += sorted(lasting)
    return report


def _examine(config: Config, paths: Paths, *, running: bool) -> tuple[list[str], set[Finding]]:
    missed: list[str] = []
    return missed, set(examine.cloud(config, paths, missed, running=running))


def _running(state: Path, unseen: list[str]) -> bool | None:
    try:
        return control.running(state) is not None
    except PermissionError:
        unseen.append("whether the cloud runs: its folder belongs to another user")
        return None


def show(report: Report) -> None:
    """Print it for people."""
    seen = report.host
    verdict = seen.accelerator
    console.print(f"accelerator  {verdict.name}: {verdict.reason}")
    console.print(f"host         Linux {seen.kernel}, QEMU {seen.qemu or 'missing'}")
    console.print(
        f"processors   {seen.processors}; memory {seen.memory / GIB:.1f} GiB, "
        f"{seen.memory_available / GIB:.1f} available; disk {seen.disk_free / GIB:.1f} GiB free"
    )
    for lack in report.lacks:
        text = f"{lack.name}: {lack.cost}; {lack.remedy}"
        _line("lacks" if lack.needed else "note", text, wrong=lack.needed)
    for port in report.ports:
        if port.in_use:
            who = ", ".join(port.by) or "somebody this user may not see"
            remedy = f"end it, or give another address with --{port.listener}"
            _line("taken", f"{port.address} ({port.listener}) by {who}; {remedy}", wrong=True)
    _show_cloud(report.cloud)
    for text in report.unseen:
        console.print(f"not seen     {text}")


def _show_cloud(cloud: CloudReport | None) -> None:
    if cloud is None:
        console.print("cloud        none yet; start one with: andromede up")
        return
    states = {True: "running", False: "not running", None: "perhaps running"}
    console.print(f"cloud        {cloud.state}, {cloud.engine}, {states[cloud.running]}")
    for each in cloud.findings:
        text = f"{each.kind} {each.subject}: {each.problem}; {each.remedy}"
        _line("wrong", text, wrong=True)
    if not cloud.findings:
        console.print("findings     none")


def _line(label: str, text: str, *, wrong: bool = False) -> None:
    console.print(f"{label:12} {text}", style="red" if wrong else None)
