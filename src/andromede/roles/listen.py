"""The sockets the api role is handed: bound by the supervisor, so that ports and files are its own.

Each process of the api has its own socket of each address, and the kernel deals connections out
among them: of one socket that all share, whoever wakes first takes every connection that waits.
While one of them is started again, what the kernel dealt it waits for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from andromede.config import Config, Paths, address, external_gateway, role_uid

BACKLOG = 1024
IP_FREEBIND = 15


class PortTakenError(Exception):
    """An address cannot be listened on; the text says which and what to do."""


Sockets = dict[str, list[socket.socket]]  # by listener: public, private, internal


def listeners(config: Config, paths: Paths) -> list[Sockets]:
    """The listening sockets of each api process.

    Errors: PortTakenError.
    """
    check(config)  # an address that is shared can be bound beside another cloud's
    internal = _unix(config, paths)
    return [
        {
            "public": [tcp(*each, shared=True) for each in public_addresses(config)],
            "private": [tcp(*address(config.private), shared=True)],
            "internal": [internal],
        }
        for _ in range(config.api_processes)
    ]


def drop(sockets: Iterable[Sockets], keep: Sockets | None = None) -> None:
    """Close what a forked process has no use for; the supervisor's own stay open."""
    wanted = [each for held in (keep or {}).values() for each in held]
    for each in {each for many in sockets for held in many.values() for each in held}:
        if each not in wanted:
            each.close()


def check(config: Config) -> None:
    """See whether the listeners' addresses are free.

    Errors: PortTakenError.
    """
    for host, port in (*public_addresses(config), address(config.private)):
        tcp(host, port).close()


def free(host: str, port: int) -> bool:
    """Whether an address can be listened on."""
    try:
        tcp(host, port).close()
    except PortTakenError:
        return False
    return True


def public_addresses(config: Config) -> list[tuple[str, int]]:
    """Where the public listener answers: its own address, and the gateway of the external network,
    by which guests reach it."""
    host, port = address(config.public)
    where = [(host, port)]
    if config.engine == "embedded" and host not in ("0.0.0.0", "::"):  # noqa: S104
        where.append((external_gateway(config), port))
    return where


def hosts(config: Config) -> list[str]:
    """Every name and address that a client may reach a listener by, for its certificate."""
    found = {host for host, _ in public_addresses(config)}
    return sorted({*found, address(config.private)[0], "127.0.0.1", "localhost"})


def tcp(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; with `shared` others of this user may listen on the address too.

    Errors: PortTakenError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    listening.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise PortTakenError(
            f"listening on {host}:{port}: {error.strerror}; end what uses it, or give another "
            f"address with --public or --private"
        ) from error
    listening.setblocking(False)
    return listening


def _unix(config: Config, paths: Paths) -> socket.socket:
    path = paths.run / "internal.sock"
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o660)
    if os.geteuid() == 0:
        os.chown(path, role_uid(config, "api"), role_uid(config, "edge"))
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
