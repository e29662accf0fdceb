"""The inspect role in its jail, as root starts it."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from andromede.config import Config, Paths, new_config, role_uid
from andromede.inspect import client, server
from andromede.inspect.verdict import InspectionError, Verdict
from tests.host.machine_world import until

pytestmark = pytest.mark.host


class Role:
    def __init__(self, config: Config, paths: Paths, pid: int) -> None:
        self.config, self.paths, self.pid = config, paths, pid

    def inside(self) -> int:
        """The pid of the process that serves."""
        (child,) = self._children()
        return int(child)

    def _children(self) -> list[str]:
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()

    def locked_up(self) -> bool:
        """The last step of its locking up, its file mode mask, is done."""
        return bool(self._children()) and status(self.inside(), "Umask") == ["0077"]

    def ask(self, image: Path, declared: str, uid: int | None = None) -> Verdict:
        """Ask as a user, by default the api's."""
        return as_user(
            role_uid(self.config, "api") if uid is None else uid,
            self.config.uid_base,
            lambda: client.inspect(self.paths.run / server.SOCKET, opened(image), declared),
        )


def opened(image: Path) -> int:
    return os.open(image, os.O_RDONLY)


def as_user(uid: int, gid: int, work: Callable[[], Verdict]) -> Verdict:

    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([gid])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.write(writer, msgspec.json.encode(work()))
        except InspectionError as error:
            os.write(writer, b"!" + str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    if said.startswith(b"!"):
        raise InspectionError(said[1:].decode())
    return msgspec.json.decode(said, type=Verdict)


@pytest.fixture(scope="module")
def role() -> Iterator[Role]:
    state = Path(tempfile.mkdtemp(prefix=f"andromede-{secrets.token_hex(3)}-"))
    state.chmod(0o711)
    config, paths = new_config(), Paths(state)
    paths.run.mkdir()
    os.chown(paths.run, 0, config.uid_base)
    paths.run.chmod(0o1770)
    paths.images.mkdir()
    os.chown(paths.images, role_uid(config, "api"), 0)
    pid = os.fork()
    if pid == 0:
        try:
            server.serve(paths, config)
        finally:
            os._exit(1)
    try:
        until((paths.run / server.SOCKET).exists, "it listens")
        made = Role(config, paths, pid)
        until(made.locked_up, "it is locked up")
        yield made
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        shutil.rmtree(state)


def status(pid: int, field: str) -> list[str]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.split()
    raise AssertionError(field)


def stored(role: Role, *options: str) -> Path:
    image = role.paths.images / secrets.token_hex(4)
    command = ["qemu-img", "create", "-q", "-f", "qcow2", *options, str(image), "16M"]
    subprocess.run(command, check=True)
    os.chown(image, role_uid(role.config, "api"), -1)
    image.chmod(0o600)
    return image


def test_it_judges_what_the_api_hands_it(role: Role) -> None:
    verdict = role.ask(stored(role), "qcow2")
    assert verdict.ok, verdict.reason
    assert verdict.virtual_size == 16 << 20


def test_it_hears_the_api_alone(role: Role) -> None:
    image = stored(role)
    image.chmod(0o644)
    role.paths.images.chmod(0o711)
    with pytest.raises(InspectionError):
        role.ask(image, "qcow2", uid=role_uid(role.config, "edge"))


def test_it_is_its_own_user_with_nothing_of_the_host(role: Role) -> None:
    pid = role.inside()
    uid = str(role_uid(role.config, "inspect"))
    assert status(pid, "Uid") == [uid] * 4
    assert status(pid, "Groups") == []
    assert {int(status(pid, name)[0], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    proc = Path(f"/proc/{pid}")
    assert set(os.listdir(proc / "root")) <= {"usr", "dev", "proc", "bin", "lib", "lib32", "lib64"}
    assert [name for name in os.listdir(proc / "root/proc") if name.isdigit()] == ["1"]
    lines = (proc / "net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    config, paths = new_config(), Paths(tmp_path)
    paths.run.mkdir()
    pid = os.fork()
    if pid == 0:
        try:
            server.serve(paths, config)
        finally:
            os._exit(1)
    until((paths.run / server.SOCKET).exists, "it listens")
    made = Role(config, paths, pid)
    until(made.locked_up, "it is locked up")
    inside = os.pidfd_open(made.inside())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    assert select.select([inside], [], [], 10)[0]
    os.close(inside)
