"""`openstack` on images: files go in and come out as they were."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.clients.command import OpenStack


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    raw = tmp_path / "disk.raw"
    raw.write_bytes(bytes(range(256)) * 4096)
    qcow2 = tmp_path / "disk.qcow2"
    subprocess.run(
        ["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", str(raw), str(qcow2)], check=True
    )
    return {"raw": raw, "qcow2": qcow2}


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_image(customer: OpenStack, files: dict[str, Path], tmp_path: Path, form: str) -> None:
    name = f"disk-{form}"
    made = customer.json(
        "image", "create", name, "--file", str(files[form]), "--disk-format", form,
        "--property", "os_distro=debian", "--tag", "test",
    )  # fmt: skip
    assert made["status"] in ("active", "queued")
    shown = customer.json("image", "show", name)
    assert (shown["status"], shown["size"]) == ("active", files[form].stat().st_size)
    assert shown["properties"]["os_distro"] == "debian"
    assert name in {each["Name"] for each in customer.json("image", "list")}
    customer.run("image", "set", name, "--property", "os_version=12", "--min-disk", "1")
    shown = customer.json("image", "show", name)
    assert (shown["min_disk"], shown["properties"]["os_version"]) == (1, "12")
    customer.run("image", "unset", name, "--property", "os_version", "--tag", "test")
    back = tmp_path / "back"
    customer.run("image", "save", name, "--file", str(back))
    assert _digest(back) == _digest(files[form])
    customer.run("image", "delete", name)
    customer.fails("image", "show", name)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
