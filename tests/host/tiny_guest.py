"""A QEMU guest of the tiny image for tests: user-mode network, config drive, QMP, SSH."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

MACHINE = ("-nodefaults", "-machine", "q35", "-accel", "tcg,thread=multi", "-smp", "1")


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = 60) -> T:
    """The first true result of `probe`, asked every 20 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := probe():
            return result
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_drive(folder: Path, metadata: dict[str, Any], user_data: str) -> Path:
    """An ISO 9660 config drive as OpenStack makes it."""
    latest = folder / "drive" / "openstack" / "latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text(json.dumps(metadata))
    (latest / "user_data").write_text(user_data)
    image = folder / "config.iso"
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-V", "config-2", "-J", "-r"]
    subprocess.run([*command, "-o", image, folder / "drive"], check=True, capture_output=True)
    return image


class Network:
    """A namespace with a tap for one guest, a DHCP server and a metadata address of its own."""

    def __init__(self, name: str, folder: Path, dhcp: Sequence[str]) -> None:
        self.name = name
        self.inside = ["ip", "netns", "exec", name]
        self._servers: list[subprocess.Popen[bytes]] = []
        for line in (
            f"netns add {name}",
            f"-n {name} link set lo up",
            f"-n {name} tuntap add tap0 mode tap",
            f"-n {name} addr add 10.77.0.1/24 dev tap0",
            f"-n {name} addr add fd77::1/64 dev tap0 nodad",
            f"-n {name} addr add 169.254.169.254/32 dev lo",
            f"-n {name} link set tap0 up",
        ):
            subprocess.run(["ip", *line.split()], check=True)
        leases = [f"--dhcp-leasefile={folder}/leases", "--pid-file="]
        self._serve("dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", *leases, *dhcp)
        where = ["--bind", "169.254.169.254", "--directory", str(folder)]
        self._serve(sys.executable, "-m", "http.server", "80", *where)

    def _serve(self, *command: str) -> None:
        quiet = subprocess.DEVNULL
        self._servers.append(subprocess.Popen([*self.inside, *command], stdout=quiet, stderr=quiet))

    def close(self) -> None:
        for server in self._servers:
            server.terminate()
            server.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


class Guest:
    """One running guest on an overlay of the image; `started` is when QEMU was."""

    def __init__(
        self,
        folder: Path,
        image: Path,
        *,
        drive: Path | None = None,
        netdev: str = "",
        network: "Network | None" = None,
        disk_size: str = "1G",
        memory: int = 128,
    ) -> None:
        self.folder = folder
        self.address = "127.0.0.1"
        self.prefix = network.inside if network else []
        self.port = 22 if network else free_port()
        self.console_path = folder / "console.log"
        self.key = folder / "key"
        overlay = folder / "disk.qcow2"
        if not overlay.exists():
            create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(image)]
            subprocess.run([*create, str(overlay), disk_size], check=True)
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:22"
        command = [
            *self.prefix,
            "qemu-system-x86_64",
            *MACHINE,
            "-m",
            str(memory),
            "-display",
            "none",
        ]
        command += ["-no-reboot", "-serial", f"file:{self.console_path}"]
        command += ["-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
        command += ["-device", "pcie-root-port,id=spare,chassis=1,slot=1"]
        command += ["-drive", f"if=none,id=disk,format=qcow2,file={overlay}"]
        command += ["-device", "virtio-blk-pci,drive=disk,bootindex=1"]
        tap = "tap,id=net,ifname=tap0,script=no,downscript=no"
        command += ["-netdev", tap if network else f"user,id=net,{forward}{netdev}"]
        command += ["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]
        if drive:
            command += ["-drive", f"if=none,id=config,format=raw,readonly=on,file={drive}"]
            command += ["-device", "virtio-blk-pci,drive=config"]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command)
        self._qmp = wait_for("the QMP socket", self._connect_qmp)
        self._lines = self._qmp.makefile("rw")
        self._lines.readline()
        self.events: list[str] = []
        self.qmp("qmp_capabilities")

    def console(self) -> str:
        return self.console_path.read_text(errors="replace")

    def wait_console(self, text: str, seconds: float = 60) -> str:
        """The console's text once it has `text`."""

        def probe() -> str | None:
            said = self.console()
            return said if text in said else None

        try:
            return wait_for(f"{text!r} on the console", probe, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.console()}") from None

    def wait_banner(self) -> float:
        """Seconds from the start of QEMU to the SSH banner."""

        def probe() -> bool:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.settimeout(0.3)
                    return connection.recv(8).startswith(b"SSH-2.0")
            except OSError:
                return False

        wait_for("the SSH banner", probe)
        return time.monotonic() - self.started

    def ssh(self, command: str) -> str:
        """Standard output of a command run by cirros, logged in by key."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        options += ["BatchMode=yes", "ConnectTimeout=20", "IdentitiesOnly=yes"]
        words = [*self.prefix, "ssh", "-i", str(self.key), "-p", str(self.port)]
        words += [part for option in options for part in ("-o", option)]
        done = subprocess.run(
            [*words, f"cirros@{self.address}", command],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def qmp(self, command: str, **arguments: Any) -> Any:
        """What a QMP command returns; events met on the way are kept."""
        json.dump({"execute": command, "arguments": arguments}, self._lines)
        self._lines.flush()
        while True:
            answer = json.loads(self._lines.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]
            self.events.append(answer.get("event", ""))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._lines.close()
        self._qmp.close()

    def _connect_qmp(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.folder / "qmp"))
        except OSError:
            connection.close()
            return None
        return connection
