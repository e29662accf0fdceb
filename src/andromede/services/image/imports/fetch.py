"""Fetching an image from the web: a GET to an address that was checked, within bounds of size and
time. Connects to nothing but what `sources` accepts; each redirection is a new question to it."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urljoin

from andromede.services.image.imports import sources
from andromede.services.image.imports.sources import Resolve, Source, SourceError

IDLE = 60.0  # seconds without a byte
LONGEST = 6 * 3600.0  # seconds of one download
PIECE = 1 << 20
MOST_REDIRECTIONS = 5
REDIRECTIONS = (301, 302, 303, 307, 308)
Write = Callable[[bytes], None]


class _Plain(http.client.HTTPConnection):
    """A connection to the address that was checked, whatever the name leads to by now."""

    def __init__(self, source: Source, address: str) -> None:
        super().__init__(source.host, source.port, timeout=IDLE)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _Secure(_Plain):
    """As _Plain, under TLS, where the certificate must be the name's."""

    def __init__(self, source: Source, address: str, tls: ssl.SSLContext) -> None:
        super().__init__(source, address)
        self.tls = tls

    def connect(self) -> None:
        super().connect()
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)


def fetch(
    url: str,
    write: Write,
    *,
    allowed: Sequence[str] = (),
    largest: int,
    resolve: Resolve = sources.resolve,
    tls: ssl.SSLContext | None = None,
    longest: float = LONGEST,
) -> None:
    """Give the bytes at a URL to `write`, in pieces.

    Errors: SourceError saying why not; what `write` raises.
    """
    secure = tls or ssl.create_default_context()
    for _ in range(MOST_REDIRECTIONS + 1):
        source = sources.parse(url)
        address = sources.address_of(source, allowed, resolve)
        plain = source.scheme == "http"
        connection = _Plain(source, address) if plain else _Secure(source, address, secure)
        with _asked(connection, source, longest) as answer:
            if answer.status not in REDIRECTIONS:
                _receive(answer, write, largest)
                return
            url = urljoin(url, answer.getheader("location") or "")
    raise SourceError(f"it redirects more than {MOST_REDIRECTIONS} times")


@contextmanager
def _asked(
    connection: _Plain, source: Source, longest: float
) -> Iterator[http.client.HTTPResponse]:
    """The answer to a GET; whatever takes longer than `longest` seconds is cut."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(AttributeError, OSError):  # not connected yet, or not any more
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(longest, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request("GET", source.target, headers={"Accept-Encoding": "identity"})
        yield connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"asking {source.host}: {error!r}") from error
    finally:
        timer.cancel()
        connection.close()
        if late.is_set():  # what came so far may look whole
            raise SourceError(f"asking {source.host}: it took longer than {longest:g} seconds")


def _receive(answer: http.client.HTTPResponse, write: Write, largest: int) -> None:
    if answer.status != 200:
        raise SourceError(f"it answered {answer.status}; 200 is accepted")
    if answer.getheader("content-encoding", "identity") != "identity":
        raise SourceError("it answered an encoded body; the image as it is is accepted")
    declared = answer.length
    if declared is not None and declared > largest:
        raise SourceError(f"it has {declared} bytes; at most {largest} are accepted")
    size = 0
    while piece := answer.read(PIECE):
        size += len(piece)
        if size > largest:
            raise SourceError(f"it has more than the {largest} bytes that are accepted")
        write(piece)
    if declared is not None and size != declared:
        raise SourceError(f"{size} bytes came in place of {declared}")
