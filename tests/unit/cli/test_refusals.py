"""What a command cannot do it says in one line, with what to do, and changes nothing."""

from __future__ import annotations

import errno
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from andromede import config as configuration
from andromede.cli import control, images, main, preflight
from andromede.engine.embedded.machine import preflight as machine
from andromede.engine.embedded.net import preflight as net
from andromede.engine.preflight import Lack
from andromede.guest.provenance import KINDS

NOBODY = 65_534
Refuse = Callable[..., str]


def snapshot(folder: Path) -> dict[str, object]:
    """Names, kinds, sizes and times of all there is below a folder."""
    if not folder.exists():
        return {}
    found: dict[str, object] = {}
    for path in [folder, *folder.rglob("*")]:
        facts = path.lstat()
        found[str(path)] = (facts.st_mode, facts.st_size, facts.st_mtime_ns)
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def free() -> list[str]:
    """Options that name ports nobody has."""
    found = []
    for name in ("--public", "--private"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            found += [name, f"127.0.0.1:{server.getsockname()[1]}"]
    return found


@pytest.fixture
def refuse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path
) -> Refuse:
    """Run a command that is refused; the one line it says. Nothing changes below the state."""

    def run(*words: str) -> str:
        before = snapshot(state)
        monkeypatch.setattr(sys, "argv", ["andromede", *words, "--state", str(state)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        assert ended.value.code not in (0, None)
        said = capsys.readouterr().err
        assert re.fullmatch(r"andromede: [^\n]+\n", said), said
        assert snapshot(state) == before
        return said

    return run


def test_a_taken_port_is_named_with_who_holds_it(refuse: Refuse, state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        said = refuse("up", "--engine", "simulated", "--public", where)
        assert f"listening on {where}" in said
        assert f"({os.getpid()})" in said
        said = refuse("up", "--engine", "simulated", "--private", where)
        assert "--private" in said


def test_a_full_disk_is_named(
    refuse: Refuse, monkeypatch: pytest.MonkeyPatch, free: list[str]
) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE", 1 << 62)
    assert "MiB are free below" in refuse("up", "--engine", "simulated", *free)
    monkeypatch.setattr(preflight, "LEAST_FREE", 0)
    monkeypatch.setattr(preflight, "LEAST_FILES", 1 << 62)
    assert "more files" in refuse("up", "--engine", "simulated", *free)


@pytest.mark.parametrize("command", ["up", "quickstart"])
@pytest.mark.parametrize("cidr", ["everything", "10.0.0.1/24", "10.0.0.0/30", "fd00::/64"])
def test_a_faulty_external_network_is_named(refuse: Refuse, command: str, cidr: str) -> None:
    assert "--external-cidr" in refuse(command, "--external-cidr", cidr)


def test_what_is_fixed_at_the_first_start_is_kept(refuse: Refuse, state: Path) -> None:
    configuration.save(state, configuration.new_config(engine="simulated"))
    assert "172.24.4.0/24" in refuse("up", "--external-cidr", "10.9.0.0/24")


def test_a_running_cloud_takes_no_other_settings(
    refuse: Refuse, monkeypatch: pytest.MonkeyPatch, state: Path, free: list[str]
) -> None:
    configuration.save(state, configuration.new_config(engine="simulated"))
    monkeypatch.setattr(control, "running", lambda _: {"pid": 1, "roles": {}})
    assert "andromede down" in refuse("up", *free)


@pytest.mark.host
def test_a_really_full_disk_is_named(tmp_path: Path, free: list[str]) -> None:
    command = [sys.executable, "-m", "andromede.cli", "up", "--engine", "simulated", *free]
    script = (
        f"mount -t tmpfs -o size=1m none {tmp_path} || exit 9; "
        f'"$@" --state {tmp_path}/state; code=$?; find {tmp_path} -mindepth 1; exit $code'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done
    assert re.fullmatch(rf"andromede: \d MiB are free below {tmp_path}, .*\n", done.stderr)
    assert done.stdout == ""


def test_a_disk_that_fills_meanwhile_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    state: Path,
    free: list[str],
) -> None:
    state.mkdir()
    real = Path.write_text

    def full(self: Path, *arguments: object, **more: object) -> int:
        real(self, "")
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    before = set(state.iterdir())
    monkeypatch.setattr(sys, "argv", ["andromede", "up", "--state", str(state), *free])
    monkeypatch.setattr(preflight, "_host", lambda _: None)
    monkeypatch.setattr(preflight, "_way", lambda _: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit):
        main.run()
    assert "No space left on device; free some space there" in capsys.readouterr().err
    assert set(state.iterdir()) == before


LACK = Lack(name="nft", cost="no networks", remedy="apt-get install nftables", needed=True)


@pytest.mark.parametrize("command", ["up", "quickstart"])
@pytest.mark.parametrize("half", [(machine, "needed"), (net, "check")], ids=["machine", "net"])
def test_what_the_host_lacks_is_named(
    refuse: Refuse,
    monkeypatch: pytest.MonkeyPatch,
    half: tuple[object, str],
    command: str,
    free: list[str],
    state: Path,
) -> None:
    monkeypatch.setattr(machine, "needed", list)
    monkeypatch.setattr(net, "check", list)
    monkeypatch.setattr(*half, lambda: [LACK, LACK])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if command == "quickstart":
        ports = {free[0][2:]: free[1], free[2][2:]: free[3]}
        configuration.save(state, configuration.new_config(**ports))
        free = []
    said = refuse(command, *free)
    assert "this host lacks nft: no networks; apt-get install nftables (1 more" in said


def test_a_host_that_was_checked_is_not_checked_again(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    config = configuration.new_config()
    preflight.remember(state, config)
    monkeypatch.setattr(machine, "needed", lambda: [LACK])
    preflight._host(configuration.Paths(state))
    monkeypatch.setattr(preflight, "TOOLS", ("qemu-img", "another"))
    with pytest.raises(main.CliError, match="this host lacks nft"):
        preflight._host(configuration.Paths(state))


FOREIGN = {
    "not toml": "is this a cloud?",
    "not text": b"\xff\xfe\x00",
    "empty": "",
    "another program's": 'title = "My site"\n',
    "a newer program's": 'short = "abcd"\nuid_base = 1\nunheard = 1\n',
    "a faulty mark": 'short = "ABCDE"\nuid_base = 1\n',
    "faulty user ids": 'short = "abcd"\nuid_base = 0\n',
    "an unknown engine": 'short = "abcd"\nuid_base = 1\nengine = "warp"\n',
    "a faulty address": 'short = "abcd"\nuid_base = 1\npublic = "here"\n',
    "a faulty network": 'short = "abcd"\nuid_base = 1\nexternal_cidr = "10.0.0.1/8"\n',
    "no process": 'short = "abcd"\nuid_base = 1\napi_processes = 0\n',
}
COMMANDS = (["up"], ["down"], ["status"], ["reset", "--yes"], ["quickstart"])


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_a_faulty_cloud_toml_is_named(
    refuse: Refuse, state: Path, command: list[str], text: str | bytes
) -> None:
    state.mkdir()
    content = text.encode() if isinstance(text, str) else text
    (state / "cloud.toml").write_bytes(content)
    assert f"reading {state}/cloud.toml: " in refuse(*command)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_a_cloud_toml_that_is_a_folder_is_named(
    refuse: Refuse, state: Path, command: list[str]
) -> None:
    (state / "cloud.toml").mkdir(parents=True)
    assert f"{state}/cloud.toml" in refuse(*command)


def test_a_state_that_is_a_file_is_named(refuse: Refuse, state: Path, free: list[str]) -> None:
    state.write_text("")
    assert "give another with --state" in refuse("up", "--engine", "simulated", *free)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's cloud has users of its own")
def test_a_state_that_the_clouds_users_cannot_come_to_is_named(
    refuse: Refuse, state: Path, free: list[str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    closed = next(each for each in reversed(state.parents) if not each.stat().st_mode & 0o001)
    said = refuse("up", "--engine", "simulated", *free)
    assert f"{closed} is closed to the users" in said
    assert f"chmod o+x {closed}" in said


def database(state: Path, version: str) -> None:
    (state / "db").mkdir(parents=True)
    with closing(sqlite3.connect(state / "db" / "andromede.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", [version])


def test_a_newer_database_is_named(refuse: Refuse, state: Path, free: list[str]) -> None:
    database(state, "9999")
    assert "stands at migration 9999" in refuse("up", "--engine", "simulated", *free)


def test_a_corrupt_database_is_named(refuse: Refuse, state: Path, free: list[str]) -> None:
    (state / "db").mkdir(parents=True)
    (state / "db" / "andromede.sqlite").write_bytes(b"no database" * 1000)
    said = refuse("up", "--engine", "simulated", *free)
    assert "file is not a database; restore it from a copy" in said


@pytest.fixture
def others(state: Path) -> Path:
    """A cloud of root's in a folder that anybody may pass."""
    configuration.save(state, configuration.new_config())
    for name, mode in (("db", 0o700), ("run", 0o1770), ("logs", 0o700)):
        (state / name).mkdir()
        (state / name).chmod(mode)
    for folder in (state, *state.parents):
        if folder.owner() == "root" and folder.stat().st_mode & 0o1000 == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return state


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    "command",
    [*COMMANDS, ["down", "--servers"], ["logs"], ["up", "--engine", "simulated"]],
    ids=" ".join,
)
def test_without_root_a_command_says_so(others: Path, command: list[str]) -> None:
    before = snapshot(others)
    code, said = as_nobody([*command, "--state", str(others)])
    assert code not in (0, 9), said
    assert re.fullmatch(r"andromede: [^\n]+\n", said), said
    assert "root" in said or "was started with" in said
    assert snapshot(others) == before


def as_nobody(words: list[str], *, out: bool = False) -> tuple[int, str]:
    """Run a command in a child that gave up root; what is imported stays readable. Its exit code
    and what it said on standard error, or on standard output."""
    from andromede.cli import control, logs, quickstart, up  # noqa: F401

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            sys.argv = ["andromede", *words]
            setattr(sys, "stdout" if out else "stderr", os.fdopen(writing, "w"))
            main.run()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 9
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


@pytest.mark.parametrize(
    ("verb", "name", "accepted"),
    [("build", "windows", "debian, tiny, tiny-test"), ("offer", "tiny-test", "debian, tiny")],
)
def test_an_image_that_is_none_of_ours_is_named(
    refuse: Refuse, verb: str, name: str, accepted: str
) -> None:
    said = refuse("image", verb, name)
    assert f"image {verb} {name}: one of {accepted} is accepted" in said


def test_an_image_is_offered_when_it_is_built_and_the_cloud_runs(
    refuse: Refuse, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    assert "andromede up" in refuse("image", "offer", "debian")
    configuration.save(state, configuration.new_config(engine="simulated"))
    assert "andromede image build debian" in refuse("image", "offer", "debian")
    guests = configuration.Paths(state).guests
    guests.mkdir()
    (guests / "debian.qcow2").write_bytes(b"disk")
    assert "andromede up" in refuse("image", "offer", "debian")
    monkeypatch.setattr(control, "running", lambda _: {"pid": 1, "roles": {}})
    monkeypatch.setattr(images, "operator_session", lambda _: BytesIO())
    said = refuse("image", "offer", "debian")
    assert "debian.provenance.json" in said
    assert "andromede image build debian" in said
    beside = guests / "debian.provenance.json"
    beside.write_text('{"builder_version": 1, "source_date_epoch": 1}')
    assert not images.built("debian", guests)
    said = refuse("image", "offer", "debian")
    assert "was built by version 1 of its builder" in said
    assert "andromede image build debian" in said
    beside.write_text(f'{{"builder_version": {KINDS["debian"].version}}}')
    assert images.built("debian", guests)
    assert not images.built("tiny", guests)
