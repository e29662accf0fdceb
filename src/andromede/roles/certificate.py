"""The listeners' certificate while a cloud lives: who holds the authority's key renews it, and the api
takes up the new one. Touches the folder of certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import structlog

from andromede import tls
from andromede.config import Config, Paths, role_uid
from andromede.roles import listen

log = structlog.get_logger("certificate")
LOOK = 5.0  # seconds between looks at the file


def keep(config: Config, paths: Paths) -> None:
    """Have a certificate for the listeners that is good for some weeks more."""
    if tls.ensure(paths.tls, config.name, listen.hosts(config), role_uid(config, "api")):
        log.info("certificate made", days=tls.left(paths.tls / tls.SERVER).days)


def load(context: ssl.SSLContext, folder: Path) -> None:
    """Present the folder's certificate from the next connection on.

    Errors: OSError and ssl.SSLError when its files cannot be read or do not belong together.
    """
    context.load_cert_chain(folder / tls.SERVER, folder / tls.SERVER_KEY)


async def follow(contexts: Sequence[ssl.SSLContext], folder: Path, every: float = LOOK) -> NoReturn:
    """Load the certificate again whenever its files were replaced."""
    loaded = _version(folder)
    while True:
        await asyncio.sleep(every)
        found = _version(folder)
        if found == loaded:
            continue
        try:
            for context in contexts:
                load(context, folder)
        except (OSError, ssl.SSLError) as error:  # the key is there, its certificate not yet
            log.warning("certificate not loaded", error=str(error))
            continue
        loaded = found
        log.info("certificate loaded")


def _version(folder: Path) -> tuple[int, ...]:
    """What differs once a file was replaced; empty while one is not there."""
    try:
        files = [(folder / name).stat() for name in (tls.SERVER, tls.SERVER_KEY)]
    except FileNotFoundError:
        return ()
    return tuple(number for each in files for number in (each.st_ino, each.st_mtime_ns))
