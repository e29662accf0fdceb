"""What is looked at before a cloud starts, so that one that cannot start changes nothing.

Reads the host and the state folder; what it tries out on the host it takes away again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import andromede
from andromede import config as configuration
from andromede import sqlite_file
from andromede.cli import sockets
from andromede.cli.errors import CliError
from andromede.config import Config, Paths
from andromede.roles import listen

LEAST_FREE = 256 << 20  # bytes that a cloud needs to start and to keep its books
LEAST_FILES = 1_000
MIGRATIONS = Path(andromede.__file__).parent / "db" / "migrations" / "versions"
TOOLS = ("qemu-system-x86_64", "qemu-img", "genisoimage", "nft", "dnsmasq", "setpriv")
BOOT = Path("/proc/sys/kernel/random/boot_id")


def check(state: Path, config: Config) -> None:
    """See whether this cloud can start here.

    Errors: CliError with the first thing that is wrong and what to do.
    """
    paths = Paths(state)
    _folder(state)
    room(state)
    _database(config, paths)
    _ports(config)
    if config.engine == "embedded":
        _host(paths)
    _way(state)


def remember(state: Path, config: Config) -> None:
    """Note that this host, as it is now, has all that the engine needs."""
    if config.engine == "embedded":
        paths = Paths(state)
        paths.run.mkdir(parents=True, exist_ok=True)
        _checked(paths).write_text(_fingerprint())


def _folder(state: Path) -> None:
    there = _existing(state)
    if not there.is_dir():
        raise CliError(f"{there} is no folder; give another with --state")
    if not os.access(there, os.W_OK | os.X_OK):
        why = "is read-only" if os.statvfs(there).f_flag & os.ST_RDONLY else "may not be written"
        raise CliError(
            f"{there} {why} as user {os.geteuid()}; run this command as root, or give a folder "
            f"of your own with --state"
        )


def _way(state: Path) -> None:
    """Errors: CliError when the cloud's own users cannot come to the state folder, as root can."""
    if os.geteuid() != 0:
        return
    for folder in reversed(state.parents):
        if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
            raise CliError(
                f"{folder} is closed to the users that the cloud's processes become; open it with "
                f"chmod o+x {folder}, or give another folder with --state"
            )


def room(state: Path) -> None:
    """Errors: CliError when the file system of the state folder is all but full."""
    there = _existing(state)
    figures = os.statvfs(there)
    free = figures.f_bavail * figures.f_frsize
    if free < LEAST_FREE:
        raise CliError(
            f"{free >> 20} MiB are free below {there}, and a cloud needs {LEAST_FREE >> 20} to "
            f"start; free some, or give another folder with --state"
        )
    if figures.f_files and figures.f_favail < LEAST_FILES:
        raise CliError(
            f"the file system of {there} takes {figures.f_favail} more files, and a cloud needs "
            f"{LEAST_FILES} to start; remove some, or give another folder with --state"
        )


def _existing(path: Path) -> Path:
    """The nearest folder above that is there, or the path itself."""
    while not path.exists():
        path = path.parent
    return path


def _database(config: Config, paths: Paths) -> None:
    """The SQLite file is readable, and of no newer version than this program."""
    path = paths.db / "andromede.sqlite"
    if config.database or not _there(path):
        return
    try:
        version = _version(path)
    except sqlite3.DatabaseError as error:
        raise CliError(
            f"reading the database {path}: {error}; restore it from a copy, or erase the cloud "
            f"with: andromede reset --yes"
        ) from error
    if version is not None and not any(MIGRATIONS.glob(f"{version}_*.py")):
        raise CliError(
            f"the database {path} stands at migration {version}, which this program does not "
            f"know; run the newer program it was used with"
        )


def _there(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _version(path: Path) -> str | None:
    file, query = sqlite_file.read_only(path)
    with closing(sqlite3.connect(f"{file}?{urlencode(query)}", uri=True)) as connection:
        known = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(known).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def _ports(config: Config) -> None:
    try:
        listen.check(config)
    except listen.PortTakenError as error:
        where = [*listen.public_addresses(config), configuration.address(config.private)]
        holders = {name for _, port in where for name in sockets.holders(port)}
        who = f" (held by {', '.join(sorted(holders))})" if holders else ""
        raise CliError(f"{error}{who}") from error


def _host(paths: Paths) -> None:
    """The kernel features and tools that the embedded engine cannot work without."""
    try:
        if _checked(paths).read_text() == _fingerprint():
            return
    except OSError:
        pass
    from andromede.engine.embedded.machine import preflight as machine
    from andromede.engine.embedded.net import preflight as net

    lacks = [each for each in (*machine.needed(), *net.check()) if each.needed]
    if lacks:
        first, more = lacks[0], len(lacks) - 1
        rest = f" ({more} more: andromede doctor)" if more else ""
        raise CliError(f"this host lacks {first.name}: {first.cost}; {first.remedy}{rest}")


def _checked(paths: Paths) -> Path:
    return paths.run / "host.checked"


def _fingerprint() -> str:
    """What the check of the host depends on: this boot, its rights, the program, the tools."""
    status = Path("/proc/self/status").read_text().splitlines()
    rights = next(line for line in status if line.startswith("CapEff"))
    facts = [BOOT.read_text().strip(), rights, andromede.__version__]
    search = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    for tool in TOOLS:
        found = shutil.which(tool, path=search)
        facts.append(f"{found} {os.stat(found).st_mtime_ns}" if found else f"no {tool}")
    return "\n".join(facts)
