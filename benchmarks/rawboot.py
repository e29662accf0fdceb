"""A server's QEMU started by hand: the command line, disk and config drive that the cloud made, on a
tap with DHCP in a namespace of its own."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from andromede.engine.embedded.machine import disks, drive
from andromede.engine.embedded.net import links, namespaces
from benchmarks import banner

GUEST, HOST = "10.77.0.10", "10.77.0.1"
TAP = "tap0"


class RawBoot:
    """Boots what a running server of the cloud boots, without the cloud.

    `pid` is that server's QEMU, whose command line is taken; its files are copied or used as they
    are, so that the same bytes are read.
    """

    def __init__(self, pid: int, folder: Path, bases: Path) -> None:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
        self.argv = [word.decode() for word in line.split(b"\0")]
        self.folder = Path(tempfile.mkdtemp(prefix="andromede-raw-"))
        shutil.copyfile(folder / drive.DRIVE, self.folder / drive.DRIVE)
        described = subprocess.run(
            ["qemu-img", "info", "-U", "--output=json", str(folder / disks.DISK)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        self.size = int(re.findall(r'"virtual-size": (\d+)', described)[-1])
        self.base = next(bases.glob("*.qcow2"))
        mac = next(re.search(r"mac=([0-9a-f:]+)", word) for word in self.argv if "mac=" in word)
        assert mac is not None
        self.mac = mac[1]
        self.namespace = f"rawboot-{secrets.token_hex(3)}"
        self._server = self._network()

    def _network(self) -> subprocess.Popen[bytes]:
        namespaces.create(self.namespace)
        with namespaces.inside(self.namespace):
            links.make_tap(TAP)
            for words in (
                f"addr add {HOST}/24 dev {TAP}",
                f"link set {TAP} up",
                # known from the start, so that no wait for ARP is counted
                f"neigh add {GUEST} lladdr {self.mac} nud permanent dev {TAP}",
            ):
                subprocess.run(["ip", *words.split()], check=True)
            quiet = subprocess.DEVNULL
            return subprocess.Popen(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                    f"--interface={TAP}", "--bind-interfaces", "--no-ping", "--leasefile-ro",
                    "--dhcp-authoritative", "--user=root", f"--dhcp-range={HOST},static",
                    f"--dhcp-host={self.mac},{GUEST}", "--pid-file=",
                ],
                stdout=quiet, stderr=quiet,
            )  # fmt: skip

    def boot(self) -> float:
        """Seconds from the process's start to the SSH banner."""
        disk = self.folder / disks.DISK
        disk.unlink(missing_ok=True)
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-F", "qcow2",
             "-b", str(self.base), str(disk), str(self.size)],
            check=True,
        )  # fmt: skip
        with contextlib.ExitStack() as stack:
            argv, passed = self._command(stack, disk)
            started = time.monotonic()
            process = subprocess.Popen(argv, pass_fds=passed)
            try:
                with namespaces.inside(self.namespace):
                    return banner.wait(GUEST) - started
            finally:
                process.kill()
                process.wait()

    def _command(self, stack: contextlib.ExitStack, disk: Path) -> tuple[list[str], list[int]]:
        """The command line with our own descriptors in place of the cloud's."""

        def opened(path: Path, flags: int) -> int:
            descriptor = os.open(path, flags, 0o600)
            stack.callback(os.close, descriptor)
            return descriptor

        def listening(name: str) -> int:
            (self.folder / name).unlink(missing_ok=True)
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(self.folder / name))
            listener.listen()
            return listener.fileno()

        with namespaces.inside(self.namespace):
            tap = links.attach_tap(TAP)
        stack.callback(os.close, tap)
        log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        mine = {
            r"^fd=\d+,set=1$": opened(self.folder / "console.log", log),
            r"^fd=\d+,set=2$": opened(disk, os.O_RDWR),
            r"^fd=\d+,set=3$": opened(self.base, os.O_RDONLY),
            r"^fd=\d+,set=4$": opened(self.folder / drive.DRIVE, os.O_RDONLY),
            r"^tap,id=net0,": tap,
        }
        argv = [word for word in self.argv if word != "-S"]  # nobody is there to have it go on
        for name in re.findall(r"(?<=\bsocket,id=)\w+(?=,fd=)", " ".join(argv)):
            mine[rf"^socket,id={name},"] = listening(name)
        for pattern, descriptor in mine.items():
            [at] = [index for index, word in enumerate(argv) if re.search(pattern, word)]
            argv[at] = re.sub(r"\bfd=\d+", f"fd={descriptor}", argv[at])
        return argv, list(mine.values())

    def close(self) -> None:
        self._server.terminate()
        self._server.wait()
        namespaces.remove(self.namespace)
        shutil.rmtree(self.folder)
