"""The courier role: submits the log's checkpoints to the witnesses that operators named, and fetches
the images that customers import from the web.

It runs as the api's user and listens to nothing. It connects to the witnesses' configured https
addresses and, for images, to public addresses and to those that the setting `image_sources` names.
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
from andromede.db import Database
from andromede.roles import assembly
from andromede.roles.api import Wake
from andromede.services.image import api as image
from andromede.sovereignty.log.courier import Answer, due, submit
from andromede.work.store import set_wake

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


def fetch_images(config: Config, paths: Paths, database: Database, stop: threading.Event) -> None:
    """Fetch what is to be imported from the web, until `stop` is set. A download under way then is
    begun anew at the next start."""
    under_way: dict[str, threading.Thread] = {}
    while not stop.is_set():
        try:
            due = image.downloads(database)
        except Exception:
            log.exception("imports not looked for")
            due = []
        under_way = {name: each for name, each in under_way.items() if each.is_alive()}
        for task in due:
            if task.id not in under_way:
                arguments = (config, paths, database, task)
                thread = threading.Thread(target=image.download, args=arguments, daemon=True)
                under_way[task.id] = thread
                thread.start()
        stop.wait(EVERY)


def serve(config: Config, paths: Paths) -> None:
    """Submit and fetch until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = assembly.cloud(config, paths).database
    set_wake(Wake(paths.run / "wake.sock"))
    patience = Patience()
    log.info("started")

    def one(row: sa.RowMapping) -> None:
        patience.note(row["name"], well=submit(database, row, send))

    fetching = threading.Thread(
        target=fetch_images, args=(config, paths, database, stop), name="fetch", daemon=True
    )
    fetching.start()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="courier") as pool:
        while not stop.is_set():
            try:
                list(pool.map(one, (row for row in due(database) if patience.ready(row["name"]))))
            except Exception:
                log.exception("courier failed")
            stop.wait(EVERY)
    database.dispose()
