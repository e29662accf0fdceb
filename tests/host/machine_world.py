"""A cloud's machine half in a folder of its own, with guests of one boot sector."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from struct import pack

from andromede import jail
from andromede.config import Config, Paths, new_config
from andromede.engine.embedded.machine import Machines, process
from andromede.engine.protocol import DiskSpec, NicSpec, ServerSpec

MEBIBYTE = 1 << 20
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x2, 0x1000, 0x4000


def says(text: bytes) -> bytes:
    """Code that writes a text to the first serial port."""
    return b"\xfa\xba\xf8\x03" + b"".join(b"\xb0" + bytes([c]) + b"\xee" for c in text)


HALT = b"\xf4\xeb\xfd"
POWER_OFF = b"\xba\x04\x06\xb8\x00\x20\xef" + HALT  # sleep state 5 by the q35's PM1 control port
# enable the power button in PM1, then read the status until its bit is set
AWAIT_BUTTON = b"\xba\x02\x06\xb8\x00\x01\xef\xba\x00\x06\xed\xf6\xc4\x01\x74\xf7"
# write 127 sectors after 127 to the first disk through the BIOS, for ever
FILL_DISK = bytes.fromhex(
    "31c08ed88ec08ed0bc007cfb"  # segments and stack
    "b8 0043 b280 be207c cd13 66 83 06 287c 7f ebee".replace(" ", "")
).ljust(0x20, b"\x90") + pack("<BBHHHQ", 16, 0, 127, 0, 0x0800, 1)

IDLE = says(b"READY\r\n") + HALT
BUTTON = says(b"READY\r\n") + AWAIT_BUTTON + POWER_OFF
SUICIDE = says(b"BYE\r\n") + POWER_OFF
CHATTY = says(b"0123456789abcdef") + b"\xeb" + (256 - 4 - 16 * 3 + 2).to_bytes(1, "little")


class World:
    """One cloud's state folder and its machines."""

    def __init__(self, state: Path, config: Config | None = None) -> None:
        self.config = config or new_config()
        self.paths = Paths(state)
        for folder in (self.paths.images, self.paths.servers, self.paths.bases, self.paths.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.machines = self.fresh()

    def fresh(self, open_tap: Callable[[str], int] | None = None) -> Machines:
        """Another instance on the same folder, as a restarted worker has."""
        return Machines(self.config, self.paths, open_tap or no_tap)

    def image(self, code: bytes, size: int = MEBIBYTE) -> str:
        image_id = str(uuid.uuid4())
        sector = code.ljust(510, b"\0") + b"\x55\xaa"
        assert len(sector) == 512
        (self.paths.images / image_id).write_bytes(sector.ljust(size, b"\0"))
        return image_id

    def spec(self, code: bytes = IDLE, **more: object) -> ServerSpec:
        number = uuid.uuid4().int % 60_000
        given: dict[str, object] = {
            "id": str(uuid.uuid4()),
            "number": number,
            "project_id": "p",
            "name": "n",
            "vcpus": 1,
            "memory": 64 * MEBIBYTE,
            "nics": (),
            **more,
        }
        if "disk" not in given:
            given["disk"] = DiskSpec(
                image_id=self.image(code), image_format="raw", size=64 * MEBIBYTE
            )
        return ServerSpec(**given)  # type: ignore[arg-type]

    def console(self, server_id: str) -> bytes:
        descriptor = self.machines.console_output(server_id)
        if descriptor is None:
            return b""
        with os.fdopen(descriptor, "rb") as log:
            return log.read()

    def says(self, server_id: str, text: bytes, times: int = 1) -> None:
        until(lambda: self.console(server_id).count(text) >= times, f"the console says {text!r}")

    def pids(self, server_id: str) -> list[int]:
        """QEMU processes of a server on this host."""
        marked = process.marked(self.config.short, self.config.uid_base)
        return [pid for pid, name in marked if name == server_id]

    def end(self) -> None:
        self.machines.close()
        cleaner = self.fresh()
        for server_id in cleaner.observe().servers:
            cleaner.remove_server(server_id)
        cleaner.remove_strays()
        left = cleaner.observe()
        assert not left.servers
        assert not left.disks
        assert not left.strays


def until(true: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for a condition on the host that offers nothing to block on."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def no_tap(port_id: str) -> int:
    raise AssertionError(f"a tap of {port_id} was asked for")


def tap(port_id: str) -> int:
    """A tap in a network namespace that nothing else is in."""
    found: list[int] = []

    def make() -> None:
        jail.unshare(jail.CLONE_NEWNET)
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
        ioctl(descriptor, TUNSETIFF, pack("16sH22x", b"t0", flags))
        found.append(descriptor)

    maker = threading.Thread(target=make)
    maker.start()
    maker.join()
    return found[0]


def nic(port_id: str = "port", mac: str = "fa:16:3e:00:00:01") -> NicSpec:
    return NicSpec(port_id=port_id, network_id="net", mac=mac, mtu=1450)


@contextmanager
def small_file_system(where: Path, size: int) -> Iterator[Path]:
    """A file system of `size` bytes in memory."""
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(where)], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)
