"""Runs one dnsmasq per network, and one per router that announces itself: unprivileged, in its
namespace, outliving the worker.

Its process is known by its configuration file on its command line; it is signalled through a
process descriptor, so a reused process id is never hit.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from andromede.config import Config, role_uid
from andromede.engine.embedded.call import call
from andromede.engine.embedded.net import dhcp_files, namespaces, scope
from andromede.engine.embedded.net.store import replace_text
from andromede.engine.networks import NetworkSpec, PortSpec
from andromede.engine.protocol import EngineError

STOP_SECONDS = 2.0
_RELEASE = 7  # DHCPRELEASE, RFC 2132 section 9.6
_BINDTODEVICE = 25


class Daemon:
    """A dnsmasq of one namespace. Callers hold the lock of what it serves."""

    def __init__(self, short: str, uid: int, folder: Path, namespace: str) -> None:
        self.short, self.uid = short, uid
        self.folder = folder
        self.namespace = namespace
        self.config = folder / "dnsmasq.conf"

    def run(self, text: str, *, raw: bool) -> int | None:
        """Run with this configuration; `raw`: it speaks ICMPv6. The process, when it was running so
        before.

        Errors: EngineError with what dnsmasq said.
        """
        if not self.config.exists() or self.config.read_text() != text:
            self.stop()  # before the new file: what runs was started with the file that is there
            replace_text(self.config, text)
        pid = self.pid()
        if pid is None:
            self.stop()  # one that lives on in a namespace that is gone serves nobody
            self._start(raw=raw)
        return pid

    def stop(self) -> None:
        """End the process, and wait until it has."""
        end(self.config)

    def pid(self) -> int | None:
        """The process that serves this network: in its namespace, not in an earlier one."""
        pid = _pid(self.config)
        return pid if pid is not None and _lives_in(pid, self.namespace) else None

    def release(self, bridge: str, server: str, address: str, mac: str) -> None:
        """Make the server forget a lease, as its holder would (RFC 2131, section 4.4.6)."""
        head = struct.pack(">BBBBIHH", 1, 1, 6, 0, 0, 0, 0)
        ends = socket.inet_aton(address) + bytes(12)
        hardware = bytes.fromhex(mac.replace(":", "")) + bytes(10)
        fields = bytes([53, 1, _RELEASE, 54, 4]) + socket.inet_aton(server) + b"\xff"
        message = head + ends + hardware + bytes(192) + b"\x63\x82\x53\x63" + fields
        with (
            namespaces.inside(self.namespace),
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        ):
            out.setsockopt(socket.SOL_SOCKET, _BINDTODEVICE, bridge.encode() + b"\0")
            out.sendto(message, (server, 67))

    def _prepare_folder(self) -> None:
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        os.chown(self.folder, 0, self.uid)
        self.folder.chmod(0o750)
        os.chown(run, self.uid, self.uid)
        for parent in run.parents:
            if parent != self.folder and not parent.stat().st_mode & 0o001:
                raise EngineError(
                    f"starting dnsmasq as user {self.uid}: folder {parent} is closed to others; "
                    "it must be open to passage (mode o+x)"
                )

    def _start(self, *, raw: bool) -> None:
        program = shutil.which("dnsmasq") or "/usr/sbin/dnsmasq"
        drop = f"--reuid={self.uid} --regid={self.uid} --clear-groups --no-new-privs"
        caps = "-all,+net_admin,+net_raw" if raw else "-all,+net_admin"
        keep = [f"--{kind}={caps}" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
        command = ["setpriv", *drop.split(), *keep, program]  # it refuses DHCP without NET_ADMIN
        with namespaces.inside(self.namespace):
            result = call(
                [*command, f"--conf-file={self.config}"], f"starting dnsmasq with {self.config}",
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True, cwd="/", env={"PATH": os.defpath},
            )  # fmt: skip
        if result.returncode:
            said = result.stderr.decode(errors="replace").strip()
            raise EngineError(f"starting dnsmasq with {self.config}: {said} (package dnsmasq-base)")
        pid = self.pid()
        if pid is not None:
            scope.join(self.short, pid)


class Dnsmasq(Daemon):
    """The DHCP and DNS server of one network. Callers hold the network's lock."""

    def __init__(self, config: Config, folder: Path, namespace: str) -> None:
        super().__init__(config.short, role_uid(config, "dnsmasq"), folder, namespace)
        self.told: dict[str, str] = {}  # the files that the process surely has read

    def ensure(self, spec: NetworkSpec, bridge: str, ports: Iterable[PortSpec]) -> None:
        """Run with these documents, restarted only when subnets changed, else told to read again.

        Errors: EngineError with what dnsmasq said.
        """
        six = bool(dhcp_files.served6(spec))
        if not six and not dhcp_files.served(spec):
            self.stop()
            return
        ports = list(ports)
        text = dhcp_files.configuration(spec, bridge, self.folder, ports)
        files = {
            "hosts": dhcp_files.reservations(spec, ports),
            "options": dhcp_files.options(ports),
            "names": dhcp_files.names(spec, ports),
        }
        self._prepare_folder()
        for name, body in files.items():
            replace_text(self.folder / name, body)
        pid = self.run(text, raw=six)
        if pid is not None and self.told != files:
            _send(pid, self.config, signal.SIGHUP, wait=0)
        self.told = files


class Advertiser(Daemon):
    """What announces a router in its networks. Callers hold the router's lock."""

    def ensure(self, text: str) -> None:
        """Run with this configuration; none: do not run.

        Errors: EngineError with what dnsmasq said.
        """
        if text:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._prepare_folder()
            self.run(text, raw=True)
        else:
            self.remove()

    def remove(self) -> None:
        """End it, and forget its files."""
        if self.folder.exists():
            self.stop()
            shutil.rmtree(self.folder)


def running(root: Path) -> dict[int, Path]:
    """Every dnsmasq whose configuration lies below `root`: process id to that file."""
    found = {}
    for entry in os.listdir("/proc"):
        config = _config_of(int(entry)) if entry.isdecimal() else None
        if config is not None and config.is_relative_to(root):
            found[int(entry)] = config
    return found


def end(config: Path) -> None:
    """End the dnsmasq that runs with this file, and wait until it has; none is fine."""
    pid = _pid(config)
    if pid is not None and not _send(pid, config, signal.SIGTERM, wait=STOP_SECONDS):
        _send(pid, config, signal.SIGKILL, wait=STOP_SECONDS)


def _pid(config: Path) -> int | None:
    """The process, as its own file says and its command line confirms."""
    try:
        pid = int((config.parent / "run" / "dnsmasq.pid").read_text())
    except (FileNotFoundError, ValueError):
        return next((pid for pid, each in running(config.parent).items() if each == config), None)
    return pid if _config_of(pid) == config else None


def _lives_in(pid: int, namespace: str) -> bool:
    try:
        status = os.stat(f"/proc/{pid}/ns/net")
        return (status.st_dev, status.st_ino) == namespaces.identity(namespace)
    except (FileNotFoundError, ProcessLookupError):
        return False


def _config_of(pid: int) -> Path | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if not words[0].endswith(b"dnsmasq"):
        return None
    given = [word for word in words if word.startswith(b"--conf-file=")]
    return Path(os.fsdecode(given[0].partition(b"=")[2])) if given else None


def _send(pid: int, config: Path, number: signal.Signals, *, wait: float) -> bool:
    """Signal the process if it still is the one meant. True: it is gone by the end of the wait."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if _config_of(pid) != config:
            return True
        signal.pidfd_send_signal(handle, number)
        return bool(select.select([handle], [], [], wait)[0]) if wait else False
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)
