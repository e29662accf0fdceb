"""The install list on a Debian with nothing but Python: from a checkout that only root may read, and
from one of a user without rights. The bare Debian is a folder that mmdebstrap fills."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.host, pytest.mark.full]

CHECKOUT = Path(__file__).parents[2]
INCLUDE = "python3,ca-certificates"
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# How this host reaches its registries, the bare one needs as well.
REACH = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")
USER = 65_534


def registries(root: Path) -> None:
    """Let the bare Debian reach what this host reaches: names, certificates, pip's and apt's."""
    for file in (Path("/etc/resolv.conf"), Path("/etc/hosts"), CERTIFICATES, Path("/etc/pip.conf")):
        if file.exists():
            shutil.copyfile(file, root / file.relative_to("/"))
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        text = file.read_text()
        if "Acquire" in text and "DPkg::Post-Invoke" not in text:
            shutil.copyfile(file, root / file.relative_to("/"))


class Bare:
    """A bare Debian with a copy of this checkout at `where` inside."""

    def __init__(self, root: Path, where: str) -> None:
        self.root = root
        self.where = where
        target = root / where.lstrip("/")
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True
        ).stdout
        for name in filter(None, listed.decode().split("\0")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target / name)

    def run(self, *words: str, uid: int = 0, home: str = "/root", code: int = 0) -> str:
        """Run the launcher inside; what it said. Its mounts end with it."""
        environment = {name: os.environ[name] for name in REACH if name in os.environ}
        environment |= {"HOME": home, "PATH": PATHS, "PIP_CERT": str(CERTIFICATES)}
        binds = [f"--bind {self.root} {self.root}"]  # a root is a mount, as jails expect it
        binds += [f"--rbind /{name} {self.root}/{name}" for name in ("proc", "sys", "dev")]
        mounts = " && ".join(f"mount {each}" for each in binds)
        become = "" if uid == 0 else f"setpriv --reuid={uid} --regid={uid} --clear-groups "
        inner = f"cd {self.where} && exec {become}./andromede {shlex.join(words)}"
        script = f"{mounts} && exec chroot {self.root} /bin/sh -c {shlex.quote(inner)}"
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def debian() -> Iterator[Path]:
    """The bare Debian's root."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    base = Path(tempfile.mkdtemp(prefix="andromede-bare-"))
    base.chmod(0o755)
    root = base / "root"
    sources = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt").glob("*.d/*.sources")]
    kind = ("--quiet", "--variant=minbase", f"--include={INCLUDE}")
    subprocess.run(["mmdebstrap", *kind, "bookworm", str(root), *map(str, sources)], check=True)
    registries(root)
    yield root
    shutil.rmtree(base)


@pytest.fixture
def options() -> list[str]:
    """Free ports, and a state folder inside."""
    found = []
    for name in ("--public", "--private"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            found += [name, f"127.0.0.1:{server.getsockname()[1]}"]
    return [*found, "--state", f"/var/tmp/{secrets.token_hex(4)}"]


def cycle(run: Callable[..., str], options: list[str]) -> None:
    """Help, a whole life of a cloud on the simulated engine, and doctor in between."""
    state = options[-2:]
    assert "quickstart" in run("--help")
    assert "up in" in run("up", "--engine", "simulated", *options)
    try:
        assert "healthy" in run("status", *state)
        said = run("doctor", *state)
        assert "findings     none" in said
        assert "already running" in run("up", "--engine", "simulated", *options)
    finally:
        run("down", "--servers", *state)
    assert "erased" in run("reset", "--yes", *state)


def test_root_installs_and_starts_from_a_folder_of_its_own(
    debian: Path, options: list[str]
) -> None:
    """The roles give up root in a checkout that only root may enter."""
    bare = Bare(debian, "/root/andromede")
    (debian / "root").chmod(0o700)
    cycle(bare.run, options)
    packages = subprocess.run(
        ["chroot", str(debian), "dpkg-query", "-W", "-f", "${Package}\n"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert "python3-venv" in packages
    assert "qemu-system-x86" not in packages
    lacking = bare.run("doctor", *options[-2:], code=1)
    assert "apt-get install qemu-system-x86" in lacking


def test_the_embedded_engine_finds_all_that_it_runs(debian: Path, options: list[str]) -> None:
    """The install list of `up` leaves the host with all that the engine needs."""
    bare = Bare(debian, "/root/andromede")
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        said = bare.run("up", *options, "--public", where, code=1)
    assert f"listening on {where}" in said  # all was installed by then, and nothing was started
    assert "apt-get install" not in bare.run("doctor", *options[-2:])


def test_a_user_without_rights_starts_the_simulated_engine(
    debian: Path, options: list[str]
) -> None:
    Bare(debian, "/root/andromede").run("--help")  # root installs what Debian packages there are
    bare = Bare(debian, "/srv/andromede")
    for path in (debian / "srv/andromede", *(debian / "srv/andromede").rglob("*")):
        os.chown(path, USER, USER)
    cycle(lambda *words: bare.run(*words, uid=USER, home="/srv/andromede"), options)
    said = bare.run("up", *options, uid=USER, home="/srv/andromede", code=1)
    assert "needs root" in said
