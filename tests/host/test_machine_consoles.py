"""A real machine's screen and serial port, opened through its QEMU, which listens for neither."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.protocol import EngineError, Power
from tests.host.machine_world import HALT, World, says, until

# read the port's line status until a byte is there, take it, and send it back
ECHO = says(b"READY\r\n") + bytes.fromhex("ba fd 03 ec a8 01 74 f8 ba f8 03 ec ee eb f1")
# write a white block to the first cell of the screen in text mode, then halt
WHITE = bytes.fromhex("b8 00 b8 8e c0 26 c7 06 00 00 db 0f") + says(b"READY\r\n") + HALT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.end()


def connect(world: World, server_id: str, kind: str) -> socket.socket:
    descriptor = world.machines.open_console(server_id, kind)
    assert descriptor is not None
    line = socket.socket(fileno=descriptor)
    line.settimeout(20)
    return line


def take(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        assert part, f"ended after {data!r}"
        data += part
    return data


def greet(line: socket.socket) -> tuple[int, int]:
    """Shake hands as RFC 6143 has it, without a password; the screen's size."""
    assert take(line, 12) == b"RFB 003.008\n"
    line.sendall(b"RFB 003.008\n")
    assert take(line, 2) == b"\x01\x01"
    line.sendall(b"\x01")
    assert take(line, 4) == bytes(4)
    line.sendall(b"\x01")
    head = take(line, 24)
    take(line, struct.unpack(">I", head[20:])[0])
    width, height = struct.unpack(">HH", head[:4])
    return width, height


def picture(line: socket.socket, width: int, height: int) -> bytes:
    """The whole screen as it is, four bytes a pixel."""
    line.sendall(struct.pack(">BxHi", 2, 1, 0))
    line.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    kind, count = struct.unpack(">BxH", take(line, 4))
    assert kind == 0
    pixels = bytearray(width * height * 4)
    for _ in range(count):
        x, y, wide, high, encoding = struct.unpack(">HHHHi", take(line, 12))
        assert encoding == 0
        data = take(line, wide * high * 4)
        for row in range(high):
            at = ((y + row) * width + x) * 4
            pixels[at : at + wide * 4] = data[row * wide * 4 : (row + 1) * wide * 4]
    return bytes(pixels)


def test_a_serial_port_takes_and_gives_and_its_log_keeps_all(world: World) -> None:
    spec = world.spec(ECHO)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    with connect(world, spec.id, "serial") as line:
        line.sendall(b"hello")
        assert take(line, 5) == b"hello"
    with connect(world, spec.id, "serial") as line:
        line.sendall(b" again")
        assert take(line, 6) == b" again"
    world.says(spec.id, b"hello again")
    assert world.machines.observe_server(spec.id).power is Power.ON


def test_a_screen_is_shown_to_several_and_to_nobody_else(world: World) -> None:
    spec = world.spec(WHITE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    with connect(world, spec.id, "vnc") as one, connect(world, spec.id, "vnc") as other:
        assert greet(one) == greet(other)
        one.setblocking(True)
        seen: list[bytes] = []

        def white() -> bool:
            with connect(world, spec.id, "vnc") as line:
                width, height = greet(line)
                seen[:] = [picture(line, width, height)]
            return seen[0][:3] == b"\xff\xff\xff"

        until(white, "the first cell is white")
        assert b"\0\0\0" in seen[0], "and all is not"
    [pid] = world.pids(spec.id)
    assert pid
    world.machines.stop_server(spec.id)
    assert world.machines.open_console(spec.id, "vnc") is None
    assert world.machines.open_console(spec.id, "serial") is None


def test_the_end_of_a_machine_ends_its_consoles(world: World) -> None:
    spec = world.spec(ECHO)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    with connect(world, spec.id, "vnc") as screen, connect(world, spec.id, "serial") as port:
        greet(screen)
        world.machines.stop_server(spec.id)
        assert screen.recv(1) == b""
        assert port.recv(1) == b""


def test_a_paused_machine_shows_where_it_stands(world: World) -> None:
    spec = world.spec(WHITE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    world.machines.pause_server(spec.id)
    with connect(world, spec.id, "vnc") as line:
        assert greet(line) > (0, 0)


def test_what_no_machine_has_is_not_opened(world: World) -> None:
    assert world.machines.open_console("no-such-server", "vnc") is None
    with pytest.raises(EngineError, match="names no folder"):
        world.machines.open_console("../x", "serial")
