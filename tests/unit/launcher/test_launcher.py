"""The launcher installs what is missing, once, whoever starts it and whatever ended it before."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
MAKE_VENV = ("-m", "venv")
PIP = ("-m", "pip")


def load() -> ModuleType:
    loader = SourceFileLoader("launcher", str(CHECKOUT / "andromede"))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Commands:
    """Stands for what the launcher runs: notes each, and makes what a venv or pip would."""

    def __init__(self, launcher: ModuleType) -> None:
        self.launcher = launcher
        self.ran: list[list[str]] = []
        self.fails: Callable[[list[str]], bool] = lambda _: False

    def run(self, command: list[str], environment: dict[str, str]) -> None:
        self.ran.append(command)
        if tuple(command[1:3]) == MAKE_VENV:
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            (Path(command[-1]) / "lib" / version / "site-packages").mkdir(parents=True)
            (Path(command[-1]) / "pyvenv.cfg").touch()
        if self.fails(command):
            raise self.launcher.CannotInstallError("it failed")

    def did(self, what: tuple[str, str]) -> int:
        return sum(tuple(command[1:3]) == what for command in self.ran)


@pytest.fixture
def launcher(tmp_path: Path) -> ModuleType:
    """The launcher, with lists and an environment of its own below a scratch folder."""
    module: Any = load()
    module.HERE = tmp_path
    module.VENV = tmp_path / ".venv"
    module.LOCKS = tmp_path / "locks"
    module.LOCKS.mkdir()
    for name in ("run", "test", "client"):
        (module.LOCKS / f"{name}.txt").write_text(f"{name}==1\n")
    (module.LOCKS / "debian-run.txt").write_text("bash  # a shell\n\n# all of it\ndash\n")
    (module.LOCKS / "debian-image.txt").write_text("dash\nno-such-package\n")
    return module  # type: ignore[no-any-return]


@pytest.fixture
def commands(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands(launcher)
    monkeypatch.setattr(launcher, "run_quietly", found.run)
    monkeypatch.setattr(launcher, "has_pip", lambda: True)
    return found


@pytest.mark.parametrize(
    ("line", "debian", "python"),
    [
        ("quickstart --json", ("run", "image"), ("run",)),
        ("up", ("run",), ("run",)),
        ("up --engine simulated", (), ("run",)),
        ("up --engine=simulated", (), ("run",)),
        ("up --help", (), ("run",)),
        ("test --help", (), ("run",)),
        ("status", (), ("run",)),
        ("", (), ("run",)),
        ("--help", (), ("run",)),
        ("nonsense", (), ("run",)),
        ("image build tiny", ("run", "image"), ("run",)),
        ("image build --out x debian", ("run", "image", "guest"), ("run",)),
        ("image offer debian", ("run", "image"), ("run",)),
        (
            "test -k launcher",
            ("run", "image", "test"),
            ("run", "test", "client", "conformance", "foreign", "oracle"),
        ),
    ],
)
def test_a_command_needs_its_own_lists(
    line: str, debian: tuple[str, ...], python: tuple[str, ...]
) -> None:
    assert load().needs(line.split(), root=True) == (debian, python)


@pytest.mark.parametrize("command", ["up", "quickstart"])
def test_without_root_the_command_itself_says_what_it_cannot_do(command: str) -> None:
    assert load().needs([command], root=False) == ((), ("run",))


def test_every_list_exists_and_names_what_the_modules_need() -> None:
    from andromede import guest
    from andromede.engine.embedded import machine, net

    launcher = load()
    for debian, python in launcher.NEEDS.values():
        assert all((launcher.LOCKS / f"{name}.txt").exists() for name in python)
        assert launcher.listed(debian) or not debian
    essential = {"util-linux", "e2fsprogs"}  # in every Debian
    run = {*launcher.listed(("run",)), *essential}
    assert {*machine.DEBIAN_PACKAGES, *net.DEBIAN_PACKAGES} <= run
    assert set(guest.DEBIAN_PACKAGES) <= {*launcher.listed(("run", "image")), *essential}
    assert launcher.listed(("guest",)) == ["mmdebstrap"]


def test_debian_packages_are_named_once_and_missed_if_not_installed(launcher: ModuleType) -> None:
    wanted = launcher.listed(("run", "image"))
    assert wanted == ["bash", "dash", "no-such-package"]
    assert launcher.missing_debian(wanted) == ["no-such-package"]
    assert launcher.missing_debian([]) == []


def test_another_system_than_debian_is_told_so(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(launcher.CannotInstallError, match="no dpkg; run this command on Debian"):
        launcher.missing_debian(["bash"])


def test_without_root_missing_debian_packages_are_named(
    launcher: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(launcher.CannotInstallError) as refused:
        launcher.install(("run", "image"), ("run",))
    assert "apt-get install --no-install-recommends no-such-package" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert commands.ran == []
    assert not launcher.VENV.exists()


def test_a_cut_short_installation_of_debian_is_finished_first(
    launcher: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 100, "", "dpkg was interrupted")

    monkeypatch.setattr(subprocess, "run", fail)
    launcher.install_debian(["bash"])
    assert [command[:2] for command in commands.ran] == [
        ["dpkg", "--configure"],
        ["apt-get", "update"],
        ["apt-get", "install"],
    ]


def test_a_list_is_installed_once(launcher: ModuleType, commands: Commands) -> None:
    stages = [name for name, _ in launcher.install((), ("run", "client"))]
    assert stages == ["look for what is missing", "install Python packages"]
    assert commands.did(MAKE_VENV) == commands.did(PIP) == 2
    assert all("--require-hashes" in each for each in commands.ran if tuple(each[1:3]) == PIP)
    found = next(launcher.VENV.glob("lib/*/site-packages/andromede-checkout.pth"))
    assert found.read_text() == f"{launcher.HERE}/src\n"
    commands.ran.clear()
    launcher.install((), ("run", "client"))
    assert commands.ran == []


def test_what_is_installed_needs_no_write(
    launcher: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher.install((), ("run",))

    def refuse(*_: object) -> None:
        raise AssertionError("a lock was asked for")

    monkeypatch.setattr(fcntl, "flock", refuse)
    launcher.install((), ("run",))


def test_a_list_that_changed_is_installed_again(launcher: ModuleType, commands: Commands) -> None:
    launcher.install((), ("run",))
    (launcher.LOCKS / "run.txt").write_text("run==2\n")
    launcher.install((), ("run",))
    assert (commands.did(MAKE_VENV), commands.did(PIP)) == (1, 2)


def test_another_python_gets_another_environment(launcher: ModuleType, commands: Commands) -> None:
    launcher.install((), ("run",))
    next(launcher.VENV.glob("lib/python*")).rename(launcher.VENV / "lib" / "python3.1")
    launcher.VENV.joinpath("run.installed").write_text("of another Python")
    launcher.install((), ("run",))
    assert (commands.did(MAKE_VENV), commands.did(PIP)) == (2, 2)


@pytest.mark.parametrize("ended", [MAKE_VENV, PIP])
def test_an_interrupted_install_is_made_anew(
    launcher: ModuleType, commands: Commands, ended: tuple[str, str]
) -> None:
    commands.fails = lambda command: tuple(command[1:3]) == ended
    with pytest.raises(launcher.CannotInstallError):
        launcher.install((), ("run",))
    (launcher.VENV / "half").touch()
    commands.fails = lambda _: False
    launcher.install((), ("run",))
    assert not (launcher.VENV / "half").exists()
    assert launcher.missing_python(("run",)) == []


def test_a_folder_of_another_kind_is_left_alone(launcher: ModuleType, commands: Commands) -> None:
    launcher.VENV.mkdir()
    (launcher.VENV / "thesis.tex").touch()
    with pytest.raises(launcher.CannotInstallError, match="is no Python environment"):
        launcher.install((), ("run",))
    assert [path.name for path in launcher.VENV.iterdir()] == ["thesis.tex"]


def test_an_environment_that_may_not_be_written_is_named(
    launcher: ModuleType, commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    launcher.VENV = tmp_path / "file" / "venv"
    with pytest.raises(launcher.CannotInstallError, match="may not be written"):
        launcher.install((), ("run",))


def test_two_launchers_install_one_after_the_other(
    launcher: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the lock, and finds all installed when it has it."""
    waits, flock = threading.Event(), fcntl.flock

    def seen(*arguments: Any) -> None:
        waits.set()
        flock(*arguments)

    with (launcher.HERE / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setattr(fcntl, "flock", seen)
        second = threading.Thread(target=launcher.install_python, args=(["run"],))
        second.start()
        assert waits.wait(30)
        stamp, expected = launcher.stamp_of("run")
        stamp.parent.mkdir()
        stamp.write_text(expected)
    second.join()
    assert commands.ran == []


def test_python_that_is_too_old_is_told(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "OLDEST", (4, 0))
    assert launcher.main() == 1
    assert "Python 4.0 or newer is needed; this is 3." in capsys.readouterr().err


def test_what_cannot_be_installed_ends_the_command(
    launcher: ModuleType,
    commands: Commands,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands.fails = lambda _: True
    for words in (["status"], ["openstack", "server", "list"]):
        monkeypatch.setattr(sys, "argv", ["andromede", *words])
        assert launcher.main() == 1
        assert capsys.readouterr().err == "andromede: it failed\n"


def test_pages_are_unpacked_once_beside_the_environment(
    launcher: ModuleType, commands: Commands
) -> None:
    (launcher.LOCKS / "debian-pages.txt").write_text("# why\nnovnc\nnode-xterm\n")
    launcher.unpack_pages()
    [download] = commands.ran
    assert download[3:] == ["apt-get", "download", "-q", "novnc", "node-xterm"]
    assert (launcher.HERE / ".venv-pages" / "unpacked").read_text() == "novnc node-xterm\n"
    launcher.unpack_pages()
    assert commands.ran == [download]


def test_each_package_that_came_is_unpacked(
    launcher: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (launcher.LOCKS / "debian-pages.txt").write_text("novnc\n")

    def run(command: list[str], environment: dict[str, str]) -> None:
        if command[3:5] == ["apt-get", "download"]:
            (Path(command[2]) / "novnc_1.deb").touch()
        commands.run(command, environment)

    monkeypatch.setattr(launcher, "run_quietly", run)
    launcher.unpack_pages()
    name, package, home = commands.ran[1][:2], Path(commands.ran[1][2]), commands.ran[1][3]
    assert (name, package.name) == (["dpkg-deb", "-x"], "novnc_1.deb")
    assert home == str(launcher.HERE / ".venv-pages")


def test_a_cloud_starts_without_pages_that_cannot_be_had(
    launcher: ModuleType, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    (launcher.LOCKS / "debian-pages.txt").write_text("novnc\n")
    commands.fails = lambda command: "apt-get" in command
    launcher.unpack_pages()
    assert (
        capsys.readouterr().err == "andromede: consoles in a browser lack their files: it failed\n"
    )
    assert [command[-2:] for command in commands.ran] == [["-q", "novnc"], ["update", "-q"]]
    assert not (launcher.HERE / ".venv-pages").exists()
