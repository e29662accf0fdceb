"""What stands before the roles start: certificates, database, first rows, bound sockets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import structlog

from andromede.config import Config, Paths, role_uid
from andromede.db import migrate
from andromede.roles import api, assembly, certificate, courier, listen, worker
from andromede.roles.first_start import first_rows
from andromede.roles.listen import Sockets
from andromede.roles.preload import preload

log = structlog.get_logger("prepare")


def roles(config: Config, paths: Paths) -> dict[str, Callable[[], None]]:
    """Prepare the cloud and give the main function of each process, in the order of their start.

    Errors: listen.PortTakenError.
    """
    from andromede.edge import server as edge
    from andromede.inspect import server as inspect
    from andromede.keys import server as keys

    preload(config, paths)
    sockets = listen.listeners(config, paths)
    certificate.keep(config, paths)
    _in_child(lambda: _database(config, paths))
    urls = {"public": config.public_url, "private": config.private_url}
    others: dict[str, Callable[[], None]] = {
        "keys": lambda: keys.serve(config, paths),
        "inspect": lambda: inspect.serve(paths, config),
        "edge": lambda: edge.serve(paths, config),
        "worker": lambda: worker.serve(config, paths),
        "courier": lambda: courier.serve(config, paths),
    }
    mains = {name: _deaf(sockets, main) for name, main in others.items()}
    for number in range(config.api_processes):
        mains[f"api-{number}"] = _hearing(sockets, number, config, paths, urls)
    return mains


def _hearing(
    sockets: list[Sockets], number: int, config: Config, paths: Paths, urls: dict[str, str]
) -> Callable[[], None]:
    """An api process with the listeners that are its own."""

    def serve() -> None:
        listen.drop(sockets, keep=sockets[number])
        api.serve(config, paths, sockets[number], urls)

    return serve


def _deaf(sockets: list[Sockets], main: Callable[[], None]) -> Callable[[], None]:
    """A role that hears no client: it lets go of the listeners before anything else."""

    def serve() -> None:
        listen.drop(sockets)
        main()

    return serve


def _database(config: Config, paths: Paths) -> None:
    """Bring the tables up to date and have the first rows; the files belong to the api."""
    cloud = assembly.cloud(config, paths)
    before = migrate.upgrade(cloud.database)
    first_rows(cloud)
    cloud.database.dispose()
    log.info("database", before=before, now=migrate.head())
    own(paths.db, role_uid(config, "api"))


def own(folder: Path, uid: int) -> None:
    """Give a folder's files to a user."""
    if os.geteuid() == 0:
        for path in folder.iterdir():
            os.chown(path, uid, uid)


def _in_child(work: Callable[[], None]) -> None:
    """Run `work` in a process of its own, so that its connections and memory end with it.

    Errors: RuntimeError with what it could not do.
    """
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            log.exception("preparing failed")
            os.write(telling, _line(error).encode())
        finally:
            os._exit(status)
    os.close(telling)
    with os.fdopen(told, "rb") as answer:
        said = answer.read().decode(errors="replace")
    _, code = os.waitpid(pid, 0)
    if code != 0:
        raise RuntimeError(f"preparing the database: {said or 'the process was killed'}")


def _line(error: BaseException) -> str:
    """An error as one line that a pipe takes at once."""
    return (str(error).partition("\n")[0] or type(error).__name__)[:1_000]
