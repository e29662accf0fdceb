"""The courier's way out: TLS to the configured address and to nobody else, with patience."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from andromede import tls
from andromede.config import Paths
from andromede.roles import courier
from andromede.roles.courier import LONGEST_PAUSE, Patience, send


class Witness(BaseHTTPRequestHandler):
    """Answers what it got; `/moved` sends elsewhere, `/mute` closes."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/mute"):
            self.close_connection = True
            return
        moved = self.path.startswith("/moved")
        self.send_response(307 if moved else 200)
        if moved:
            self.send_header("location", "https://127.0.0.1:1/")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A witness's address, and who signed its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    tls.ensure(folder, "witness", ["127.0.0.1"], os.geteuid())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Witness) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{listening.server_port}", (folder / "ca.pem").read_text()
        listening.shutdown()
        thread.join()


def row(url: str, certificate: str | None) -> Any:
    return {"url": url, "certificate": certificate}


def test_it_reaches_a_witness_that_it_can_trust(server: tuple[str, str]) -> None:
    url, authority = server
    answer = send(row(f"{url}/witness", authority), b"old 0\n")
    assert (answer.status, answer.body) == (200, b"old 0\n")
    assert send(row(f"{url}/moved", authority), b"x").status == 307, "and follows nobody"


def test_it_trusts_nobody_else(server: tuple[str, str]) -> None:
    url, _ = server
    with pytest.raises(ssl.SSLCertVerificationError):
        send(row(url, None), b"x")


def test_what_is_no_answer_is_an_error_of_the_system(server: tuple[str, str]) -> None:
    url, authority = server
    with pytest.raises(OSError, match="no HTTP answer"):
        send(row(f"{url}/mute", authority), b"x")
    with pytest.raises(OSError, match="refused"):
        send(row("https://127.0.0.1:1", authority), b"x")


def test_patience_grows_and_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(courier.time, "monotonic", lambda: now[0])
    patience = Patience()
    assert patience.ready("w")
    waits = []
    for _ in range(12):
        patience.note("w", well=False)
        began = now[0]
        while not patience.ready("w"):
            now[0] += 1
        waits.append(now[0] - began)
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_PAUSE
    patience.note("w", well=False)
    patience.note("w", well=True)
    assert patience.ready("w")


def test_the_role_does_rounds_until_it_is_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing round is logged and the next one is made; SIGTERM ends them."""
    import signal
    from types import SimpleNamespace

    handlers: dict[int, Any] = {}
    rounds: list[str] = []
    monkeypatch.setattr(courier.signal, "signal", handlers.__setitem__)
    database = SimpleNamespace(dispose=lambda: rounds.append("disposed"))
    cloud = SimpleNamespace(database=database)
    monkeypatch.setattr(courier.assembly, "cloud", lambda *_: cloud)
    monkeypatch.setattr(courier, "EVERY", 0)
    rows = [{"name": "good"}, {"name": "bad"}]

    def due(_: object) -> list[Any]:
        rounds.append("round")
        if len(rounds) == 1:
            raise RuntimeError("the database is away")
        if len(rounds) > 3:
            handlers[signal.SIGTERM](15, None)
        return rows

    asked: list[str] = []

    def submit(_: object, row: Any, __: object) -> bool:
        asked.append(row["name"])
        return row["name"] == "good"

    monkeypatch.setattr(courier, "due", due)
    monkeypatch.setattr(courier, "submit", submit)
    fetching, woken = threading.Event(), []
    monkeypatch.setattr(courier, "fetch_images", lambda *_: fetching.set())
    monkeypatch.setattr(courier, "Wake", str)
    monkeypatch.setattr(courier, "set_wake", woken.append)
    courier.serve(None, Paths(Path("/state")))  # type: ignore[arg-type]
    assert rounds[-1] == "disposed"
    assert woken == ["/state/run/wake.sock"]
    assert fetching.wait(10)
    assert asked.count("bad") == 1, "it is left alone for a while"
    assert asked.count("good") > 1
