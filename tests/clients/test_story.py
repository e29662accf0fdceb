"""The story of the sovereignty guide: every command word for word, and what it is said to answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.cli.client import poll
from andromede.cli.errors import CliError
from benchmarks.scratch import free_port
from tests.clients.command import client_folder
from tests.docs import pages

GUIDE = pages.ROOT / "docs/guide/sovereignty.md"
STATE = "/var/lib/andromede"
ENDED = "@@ended "
PATIENCE = 60  # seconds until what the worker does of itself is there
READS = re.compile(r"andromede sovereignty (findings|notices|plan|ownership|exposures)\b")
ID = re.compile(r"\b[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?")
LEAST = 35


class Shell:
    """One bash that keeps its variables, in which the guide's words mean this checkout's."""

    def __init__(self, folder: Path, state: Path, ports: tuple[int, int]) -> None:
        listeners = f"--public 127.0.0.1:{ports[0]} --private 127.0.0.1:{ports[1]}"
        run = f'"{sys.executable}" -m andromede.cli'
        client = client_folder() / "openstack"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("OS_")},
            "ANDROMEDE_STATE": str(state),
            "ANDROMEDE_CHECKOUT": str(pages.ROOT),
            "PYTHONPATH": str(pages.ROOT / "src"),
        }
        self._bash = subprocess.Popen(
            ["/bin/bash", "--norc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder, env=environment,
        )  # fmt: skip
        self.run(
            f'andromede() {{ if [ "$1" = up ]; then {run} "$@" {listeners} </dev/null; '
            f'else {run} "$@" </dev/null; fi; }}; openstack() {{ "{client}" "$@" </dev/null; }}'
        )

    def run(self, line: str) -> tuple[str, int]:
        """What a line says, errors included, and its exit code."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{line}\necho '{ENDED}'$?\n")
        self._bash.stdin.flush()
        said = []
        for text in self._bash.stdout:
            before, mark, code = text.partition(ENDED)
            said.append(before)
            if mark:
                return "".join(said), int(code)
        raise AssertionError(f"bash ended at: {line}")

    def close(self) -> None:
        self._bash.communicate("exit\n")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the cloud's own users may come, which pytest's folders are not."""
    with tempfile.TemporaryDirectory(prefix="andromede-story-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def shell(folder: Path) -> Iterator[Shell]:
    state, ports = folder / "state", (free_port(), free_port())
    for kind in ("toml", "yaml"):
        for content in pages.blocks(GUIDE, kind):
            name = content.partition("\n")[0].removeprefix("# ")
            text = content.replace(STATE, str(state)).replace(":8443", f":{ports[0]}")
            (folder / name).write_text(text)
    shell = Shell(folder, state, ports)
    watch = threading.Timer(600, shell._bash.kill)  # a command that never ends
    watch.start()
    yield shell
    watch.cancel()
    shell.run("andromede reset --yes")
    shell.close()


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each command of the guide with the lines it is said to answer."""
    for content in pages.blocks(GUIDE, "console"):
        command, told = "", list[str]()
        for line in content.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, told
                command, told = line[2:], []
            else:
                told.append(line)
        yield command, told


def plain(text: str) -> str:
    """A line without what differs from run to run: ids, times, the width of columns."""
    return " ".join(TIME.sub("TIME", ID.sub("ID", text)).split())


def missing(told: list[str], said: str) -> str | None:
    """The first line of the guide that the answer lacks, in the guide's order; None when none."""
    lines = iter([plain(line) for line in said.splitlines()])
    for line in told:
        parts = [re.escape(plain(part)) for part in line.split("…")]
        if parts == ["", ""]:
            continue
        wanted = re.compile(r"\s*.*\s*".join(parts))
        if not any(wanted.fullmatch(each) for each in lines):
            return line
    return None


def test_the_story_is_true(shell: Shell) -> None:
    ran = 0
    for command, told in steps():
        if command.startswith("alias "):
            continue
        line = command.replace(STATE, "$ANDROMEDE_STATE")
        answer = shell.run(line)
        refused = any(each.startswith(("ForbiddenException", "false")) for each in told)
        if READS.match(command) and missing(told, answer[0]) is not None:
            answer = _repeat(shell, line, told)
        said, code = answer
        assert (code != 0) is refused, f"{command}: exit code {code}: {said}"
        lacking = missing(told, said)
        assert lacking is None, f"{command}: the guide says {lacking!r}; it said:\n{said}"
        ran += 1
    assert ran >= LEAST


def _repeat(shell: Shell, line: str, told: list[str]) -> tuple[str, int]:
    """The answer once it is as told: the worker weighs what is placed after the act."""
    said = [("", 0)]

    def as_told() -> bool:
        said[0] = shell.run(line)
        return missing(told, said[0][0]) is None

    try:
        poll(as_told, PATIENCE, "not as the guide says")
    except CliError:
        pytest.fail(f"{line}: {missing(told, said[0][0])!r} is not in:\n{said[0][0]}")
    return said[0]


@pytest.mark.parametrize(
    ("told", "said", "lacks"),
    [
        (["a  b"], "a b\n", None),
        (["…", "b"], "a\nb\n", None),
        (["b", "a"], "a\nb\n", "a"),
        (["a … c"], "a b c\n", None),
        (["on 2026-11-22"], "on 2027-01-01\n", None),
        (["shown"], "not shown\n", "shown"),
    ],
)
def test_what_a_page_says_is_held_to_the_answer(
    told: list[str], said: str, lacks: str | None
) -> None:
    assert missing(told, said) == lacks
