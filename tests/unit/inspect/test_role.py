"""The inspect role without its jail: what goes over the socket, and who may ask."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from andromede.inspect import client, qemu, server
from andromede.inspect.verdict import InspectionError

needs_qemu_img = pytest.mark.skipif(not qemu.QEMU_IMG.exists(), reason="needs qemu-img")


@pytest.fixture
def role(tmp_path: Path) -> Path:
    """A serving role's socket; its thread ends with the process."""
    path = tmp_path / "inspect.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen(4)
    serving = threading.Thread(
        target=server.answer_all, args=(listener, {os.geteuid()}), daemon=True
    )
    serving.start()
    return path


def qcow2(path: Path, *options: str) -> Path:
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", *options, str(path), "16M"], check=True
    )
    return path


def asked(role: Path, image: Path, declared: str) -> client.Verdict:
    with image.open("rb+") as file:
        return client.InspectClient(role)(file.fileno(), declared)


@needs_qemu_img
def test_a_sound_image_is_ok(role: Path, tmp_path: Path) -> None:
    verdict = asked(role, qcow2(tmp_path / "i"), "qcow2")
    assert verdict.ok
    assert verdict.virtual_size == 16 << 20


@needs_qemu_img
@pytest.mark.parametrize(
    "options",
    [
        ("-o", "compat=0.10"),
        ("-o", "extended_l2=on"),
        ("-o", "cluster_size=512"),
        ("-o", "compression_type=zstd"),
        ("-o", "cluster_size=2M,lazy_refcounts=on"),
    ],
)
def test_what_qemu_makes_is_ok(role: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    verdict = asked(role, qcow2(tmp_path / "i", *options), "qcow2")
    assert verdict.reason is None
    assert verdict.virtual_size == 16 << 20


@needs_qemu_img
def test_backing_and_data_files_are_refused(role: Path, tmp_path: Path) -> None:
    base = qcow2(tmp_path / "base")
    child = qcow2(tmp_path / "child", "-b", str(base), "-F", "qcow2")
    split = qcow2(tmp_path / "split", "-o", f"data_file={tmp_path / 'data'}")
    assert "backing file" in str(asked(role, child, "qcow2").reason)
    assert "external" in str(asked(role, split, "qcow2").reason)


@needs_qemu_img
def test_damaged_tables_are_found_by_qemu(role: Path, tmp_path: Path) -> None:
    image = qcow2(tmp_path / "i")
    subprocess.run(["qemu-io", "-c", "write 0 1M", str(image)], check=True, capture_output=True)
    with image.open("rb+") as file:
        file.seek(40)
        table = int.from_bytes(file.read(8), "big")
        file.seek(table)
        file.write((1 << 63 | 1 << 40).to_bytes(8, "big"))  # an L2 table beyond the file
    verdict = asked(role, image, "qcow2")
    assert not verdict.ok
    assert "QEMU" in str(verdict.reason)


def test_raw_that_is_declared_as_qcow2_is_marked(role: Path, tmp_path: Path) -> None:
    image = tmp_path / "i"
    image.write_bytes(b"\1" * 1024)
    verdict = asked(role, image, "qcow2")
    assert (verdict.ok, verdict.format_found) == (False, "raw")


def test_the_file_becomes_readable_and_is_not_handed_over_for_writing(
    role: Path, tmp_path: Path
) -> None:
    image = tmp_path / "i"
    image.write_bytes(b"\1" * 1024)
    image.chmod(0o600)
    assert asked(role, image, "raw").ok
    assert stat.S_IMODE(image.stat().st_mode) == 0o644


def test_what_is_no_file_fails_and_is_not_judged(role: Path) -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(InspectionError, match="not a regular file"):
            client.inspect(role, reader, "raw")
    finally:
        os.close(reader)
        os.close(writer)


def test_no_role_is_an_inspection_error(tmp_path: Path) -> None:
    with (tmp_path / "i").open("wb") as file, pytest.raises(InspectionError, match="asking"):
        client.inspect(tmp_path / "nobody.sock", file.fileno(), "raw")


@pytest.mark.parametrize(
    ("message", "said"),
    [(b"{}", "declared"), (b"no json", "JSON"), (b'{"declared": "raw"}', "one")],
)
def test_bad_requests_are_answered_with_what_is_wrong(
    role: Path, message: bytes, said: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(str(role))
        connection.send(message)
        answer = msgspec.json.decode(connection.recv(4_096), type=server.Failure)
    assert said in answer.error


def test_another_user_is_not_heard(tmp_path: Path) -> None:
    path = tmp_path / "inspect.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(1)
        threading.Thread(
            target=server.answer_all, args=(listener.dup(), {os.geteuid() + 1}), daemon=True
        ).start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(str(path))
            connection.settimeout(5)
            assert connection.recv(10) == b""
