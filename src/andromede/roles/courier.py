"""The courier role: submits the log's checkpoints to the witnesses that operators named.

It runs as the api's user, listens to nothing, and connects to the configured https addresses only.
"""

from __future__ import annotations

import http.client
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog

from andromede.config import Config, Paths
from andromede.roles import assembly
from andromede.sovereignty.log.courier import Answer, due, submit

log = structlog.get_logger("courier")
EVERY = 1.0  # seconds between looks
TIMEOUT = 10.0
LARGEST = 64 * 1024  # bytes of an answer
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0  # seconds a failing witness is left alone
AT_ONCE = 8


def send(row: sa.RowMapping, body: bytes) -> Answer:
    """One submission. Redirections are not followed.

    Errors: OSError.
    """
    where = urlsplit(row["url"])
    tls = ssl.create_default_context(cadata=row["certificate"] or None)
    assert where.hostname is not None
    connection = http.client.HTTPSConnection(
        where.hostname, where.port or 443, timeout=TIMEOUT, context=tls
    )
    try:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        connection.request("POST", f"{where.path}/add-checkpoint", body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(LARGEST))
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer: {error!r}") from error
    finally:
        connection.close()


class Patience:
    """When each witness may be asked again: later and later while it fails."""

    def __init__(self) -> None:
        self._pauses: dict[str, tuple[float, float]] = {}  # until, how long

    def ready(self, name: str) -> bool:
        return time.monotonic() >= self._pauses.get(name, (0.0, 0.0))[0]

    def note(self, name: str, *, well: bool) -> None:
        if well:
            self._pauses.pop(name, None)
            return
        pause = min(self._pauses.get(name, (0.0, FIRST_PAUSE / 2))[1] * 2, LONGEST_PAUSE)
        self._pauses[name] = (time.monotonic() + pause, pause)


def serve(config: Config, paths: Paths) -> None:
    """Submit until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = assembly.cloud(config, paths).database
    patience = Patience()
    log.info("started")

    def one(row: sa.RowMapping) -> None:
        patience.note(row["name"], well=submit(database, row, send))

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="courier") as pool:
        while not stop.is_set():
            try:
                list(pool.map(one, (row for row in due(database) if patience.ready(row["name"]))))
            except Exception:
                log.exception("courier failed")
            stop.wait(EVERY)
    database.dispose()
