"""The guide of the first server: every `openstack` line in it, word for word, in its order."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.scratch import Scratch
from tests.clients.command import OpenStack
from tests.clients.conftest import customer_login
from tests.docs import pages

GUIDE = pages.ROOT / "docs/guide/first-server.md"
ASSIGNED = re.compile(r"([A-Z]+)=\$\((.*)\)")
OTHERS = ("alias ", "export ", "chmod ")  # what a person types besides
LEAST = 30


@pytest.fixture
def visitor(running: Scratch, tmp_path: Path) -> Iterator[OpenStack]:
    """The customer of the guide, with the image that quickstart leaves; its files go to a folder."""
    client = OpenStack(customer_login(running), tmp_path)
    (tmp_path / "disk.raw").write_bytes(bytes(65536))
    client.run("image", "create", "tiny", "--file", "disk.raw", "--disk-format", "raw")
    yield client
    client.run("image", "delete", "tiny")
    client.close()


def test_the_guide_of_the_first_server(visitor: OpenStack, tmp_path: Path) -> None:
    known: dict[str, str] = {}
    ran = 0
    for content in pages.blocks(GUIDE, "console"):
        for line in pages.prompted(content):
            if line.startswith(OTHERS):
                continue
            assigned = ASSIGNED.fullmatch(line)
            said = _run(visitor, assigned[2] if assigned else line, known)
            if assigned:
                known[assigned[1]] = said.strip()
            ran += 1
    assert ran >= LEAST
    assert "PRIVATE KEY" in (tmp_path / "mine.key").read_text()
    left = {each["Name"] for each in visitor.json("network", "list")}
    assert not left & {"lan", "back"}


def test_what_is_left_to_a_real_guest_is_little() -> None:
    lines = [line for text in pages.blocks(GUIDE, "console guest") for line in pages.prompted(text)]
    assert lines
    assert not [line for line in lines if line.startswith("openstack")]


def _run(client: OpenStack, line: str, known: dict[str, str]) -> str:
    command, *words = shlex.split(string.Template(line).substitute(known))
    assert command == "openstack", f"{line}: the guide has a command that nothing tries"
    return client.run(*words)
