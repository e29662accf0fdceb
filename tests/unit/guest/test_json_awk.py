"""The guest's JSON reader, run by whichever awk the host has."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from andromede.guest.contents import ROOTFS

SCRIPT = ROOTFS / "root/usr/lib/andromede/json.awk"

pytestmark = pytest.mark.skipif(shutil.which("awk") is None, reason="the host has no awk")


def read(document: Any, want: str, folder: Path, *, indent: int | None = None) -> str:
    source = folder / "document.json"
    source.write_text(json.dumps(document, indent=indent))
    command = ["awk", "-v", f"want={want}", "-f", str(SCRIPT), str(source)]
    return subprocess.run(
        command, check=True, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    ).stdout.decode()


DOCUMENT = {
    "uuid": "6f0a2c1e",
    "hostname": "web-1.example.org",
    "keys": [{"name": "mine", "data": "ssh-rsa A/+="}, []],
    "public_keys": {'a/b "c": {x}': "ssh-rsa A/+= one\n", "two": "ssh-ed25519 B two"},
    "meta": {"hostname": "not this one", "uuid": "nor this", "empty": {}},
    "launch_index": 0,
    "none": None,
    "escaped": 'tab\tback\\slash "q" é',
    "last": "end",
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("want", "expected"),
    [
        ("uuid", "6f0a2c1e\n"),
        ("hostname", "web-1.example.org\n"),
        ("public_keys", "ssh-rsa A/+= one\n\nssh-ed25519 B two\n"),
        ("keys", "mine\nssh-rsa A/+=\n"),
        ("meta\thostname", "not this one\n"),
        ("launch_index", "0\n"),
        ("none", "null\n"),
        ("escaped", 'tab\tback\\slash "q" é\n'),
        ("last", "end\n"),
        ("absent", ""),
    ],
)
def test_leaves(want: str, expected: str, indent: int | None, tmp_path: Path) -> None:
    assert read(DOCUMENT, want, tmp_path, indent=indent) == expected


def test_a_damaged_document_ends(tmp_path: Path) -> None:
    source = tmp_path / "document.json"
    source.write_text('{"uuid": "x", "keys": [1, ')
    command = ["awk", "-v", "want=uuid", "-f", str(SCRIPT), str(source)]
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    assert done.stdout == b"x\n"
