"""A private PostgreSQL server for a test session: a folder in /tmp, a unix socket, no port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Hashable
from pathlib import Path

import sqlalchemy as sa

INSTALLED = Path("/usr/lib/postgresql")
FASTER = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
USER = "nobody"  # PostgreSQL refuses to run as root
GROUP = "nogroup"
SECONDS = 60


class PostgresMissing(Exception):
    """There is no PostgreSQL on this machine."""


def program(name: str) -> str:
    """The path of a program of the newest PostgreSQL here.

    Errors: PostgresMissing.
    """
    found = sorted(INSTALLED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise PostgresMissing(
            f"{name} is neither below {INSTALLED} nor on PATH; Debian's package postgresql has it"
        )
    return path


class Postgres:
    """The server. `start()` it, ask for one `database()` per test, or an `empty()` one, `stop()` it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="andromede-pg-", dir="/tmp"))
        self.process: subprocess.Popen[bytes] | None = None
        self.made = 0  # databases
        self.templates: dict[Hashable, str] = {}

    def start(self) -> None:
        """Make the server and wait until it answers.

        Errors: PostgresMissing; CalledProcessError; TimeoutError.
        """
        data, server = self.folder / "data", program("postgres")
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, GROUP)
        self.folder.chmod(0o711)  # a cloud's roles reach the socket under their own users
        subprocess.run(
            [*_unprivileged(), program("initdb"), "-D", str(data), "-U", "tests",
             "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd=self.folder,
        )  # fmt: skip
        options = [part for option in FASTER for part in ("-c", option)]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*_unprivileged(), server, "-D", str(data), "-k", str(self.folder),
                 "-c", "listen_addresses=", *options],
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        engine = sa.create_engine(self.url(), poolclass=sa.NullPool)
        while True:
            try:
                engine.connect().close()
                return
            except sa.exc.OperationalError:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text()
                    raise TimeoutError(f"PostgreSQL does not answer: {log}") from None
                time.sleep(0.05)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://tests@/{database}?host={self.folder}"

    def database(self, kind: Hashable, fill: Callable[[str], None]) -> str:
        """The URL of a new database: a copy of one that `fill` filled, once for each kind."""
        if kind not in self.templates:
            template = self._database("")
            fill(self.url(template))
            self.templates[kind] = template
        return self.url(self._database(f"TEMPLATE {self.templates[kind]}"))

    def _database(self, like: str) -> str:
        self.made += 1
        name = f"test_{self.made}"
        self._execute(f"CREATE DATABASE {name} {like}")
        return name

    def empty(self) -> str:
        """The URL of a new database without tables."""
        return self.url(self._database(""))

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(SECONDS)
        shutil.rmtree(self.folder)


def _unprivileged() -> list[str]:
    """Run as a user who is not root, and end when the tests do, however they end."""
    drop = [f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *drop, "--pdeathsig=INT"]
