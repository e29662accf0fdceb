"""Consoles on demand: the edge asks the worker for a log, reads its end and lets go of it; and for
what a machine used."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from andromede.edge import consoles
from andromede.edge import supply as supplies
from andromede.edge.client import ControlClient, EdgeClient
from andromede.edge.supply import Supply, reconciler
from andromede.engine.protocol import EngineError
from andromede.figures import Figures
from tests.unit.edge.conftest import EdgeInThread, supplying

FIGURES = Figures(
    paused=False, accelerator="tcg", uptime=1, cpu_times=(2,), memory=3, memory_used=None,
    disks=(), cards=(),
)  # fmt: skip


class Engine:
    """Logs of servers, in a folder, and figures of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0

    def figures(self, server_id: str) -> Figures | None:
        if server_id == "s-odd":
            raise EngineError("it is being changed")
        return FIGURES if server_id == "s-1" else None

    def console_output(self, server_id: str) -> int | None:
        self.asked += 1
        if server_id == "s-odd":
            raise EngineError("it cannot be opened")
        try:
            return os.open(self.folder / f"{server_id}.log", os.O_RDONLY)
        except FileNotFoundError:
            return None


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "s-1.log").write_bytes(b"one\ntwo \x1b[1m\xff\nthree")
    (tmp_path / "s-2.log").write_bytes(b"another")
    return Engine(tmp_path)


@pytest.fixture
def worker(edge: EdgeInThread, engine: Engine) -> Iterator[Supply]:
    with supplying(engine, edge) as supply:
        yield supply


@pytest.fixture
def reader(edge: EdgeInThread) -> EdgeClient:
    return EdgeClient(edge.console_path)


@pytest.mark.usefixtures("worker")
def test_consoles_are_read_from_their_end(reader: EdgeClient, tmp_path: Path) -> None:
    path = tmp_path / "s-1.log"
    assert reader.console_output("s-1", None) == "one\ntwo [1m\ufffd\nthree"
    assert reader.console_output("s-1", 2) == "two [1m\ufffd\nthree"
    assert reader.console_output("s-1", 0) == ""
    with path.open("ab") as log:
        log.write(b"\nfour")
    assert reader.console_output("s-1", 1) == "four"
    path.unlink()
    path.write_bytes(b"fresh")  # another file: the server was built anew
    assert reader.console_output("s-1", None) == "fresh"
    path.write_bytes(b"\n".join(b"%09d" % number for number in range(50_000)))
    whole = reader.console_output("s-1", None)
    assert len(whole) == 100 * 1024
    assert whole.endswith("000049999")


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("server", ["s-none", "s-odd", "../s-1", "s 1", "é"])
def test_what_no_server_has_is_not_there(reader: EdgeClient, server: str) -> None:
    with pytest.raises(FileNotFoundError):
        reader.console_output(server, None)
    assert reader.console_output("s-2", None) == "another"


@pytest.mark.usefixtures("worker")
def test_an_odd_length_is_refused(reader: EdgeClient) -> None:
    with pytest.raises(OSError, match="not valid"):
        reader.console_output("s-1", -1)


@pytest.mark.usefixtures("worker")
def test_nothing_is_held_and_nothing_asked_unless_somebody_reads(
    reader: EdgeClient, engine: Engine
) -> None:
    assert reader.console_output("s-1", 1) == "three"
    before = len(os.listdir("/proc/self/fd"))
    asked = engine.asked
    for _ in range(10):
        reader.console_output("s-1", 1)
    assert engine.asked == asked + 10
    assert len(os.listdir("/proc/self/fd")) < before + 10  # other threads open some of their own


@pytest.mark.usefixtures("worker")
def test_many_read_at_once_and_each_gets_its_own(reader: EdgeClient) -> None:
    seen: dict[int, str] = {}

    def read(number: int) -> None:
        seen[number] = reader.console_output(f"s-{1 + number % 2}", 1)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == {number: ("three", "another")[number % 2] for number in range(20)}


def answering(
    edge: EdgeInThread, answer: Callable[[socket.socket, bytes], None]
) -> threading.Thread:
    """A worker that takes one question, in its own way, and goes away."""
    asking = ControlClient(edge.control_path).take_consoles()

    def run() -> None:
        with asking:
            asking.settimeout(5)
            answer(asking, asking.recv(65536))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_worker_that_went_away_is_waited_for(
    edge: EdgeInThread, engine: Engine, reader: EdgeClient
) -> None:
    gone = answering(edge, lambda *_: None)
    asked = threading.Event()
    seen: list[str] = []

    def read() -> None:
        asked.set()
        seen.append(reader.console_output("s-2", None))

    reading = threading.Thread(target=read)
    reading.start()
    gone.join()
    again = Supply(engine, edge.control_path)
    while reading.is_alive():
        again.run()
    reading.join()
    again.close()
    assert seen == ["another"]


@pytest.mark.parametrize("wrong", ["another id", "two descriptors", "a socket", "no document"])
def test_odd_answers_are_never_read(
    edge: EdgeInThread, reader: EdgeClient, tmp_path: Path, wrong: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(consoles, "SECONDS", 0.3)
    path = tmp_path / "log"
    path.write_text("secret")

    def answer(asking: socket.socket, asked: bytes) -> None:
        with path.open() as one, path.open() as two:
            if wrong == "another id":
                socket.send_fds(asking, [b'{"id":"s-9"}'], [one.fileno()])
            elif wrong == "two descriptors":
                socket.send_fds(asking, [asked], [one.fileno(), two.fileno()])
            elif wrong == "a socket":
                socket.send_fds(asking, [asked], [asking.fileno()])
            else:
                socket.send_fds(asking, [b"{"], [one.fileno()])

    worker = answering(edge, answer)
    with pytest.raises(ConnectionError, match="gave no console"):
        reader.console_output("s-1", None)
    worker.join()


def test_a_worker_that_is_away_or_says_nothing_is_named(
    edge: EdgeInThread, reader: EdgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consoles, "SECONDS", 0.2)
    with pytest.raises(ConnectionError, match=r"server s-1.*The worker gave no console within"):
        reader.console_output("s-1", None)
    over = threading.Event()
    silent = answering(edge, lambda *_: over.wait(5))
    with pytest.raises(ConnectionError, match="gave no console"):
        reader.console_output("s-1", None)
    over.set()
    silent.join()


def test_a_later_worker_takes_the_place_of_an_earlier(
    edge: EdgeInThread, engine: Engine, reader: EdgeClient
) -> None:
    first = ControlClient(edge.control_path).take_consoles()
    second = answering(edge, lambda asking, asked: socket.send_fds(asking, [asked], []) and None)
    with pytest.raises(FileNotFoundError):
        reader.console_output("s-1", None)
    second.join()
    assert first.recv(1) == b"", "the edge let go of the first"
    first.close()


def test_an_edge_that_is_away_is_looked_for_again(
    edge: EdgeInThread, engine: Engine, reader: EdgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supplies, "QUIET", 0.05)
    cloud = SimpleNamespace(paths=SimpleNamespace(run=edge.folder))
    supplied = reconciler(SimpleNamespace(engine=engine, cloud=cloud))
    supplied.run()
    edge.stop()
    for _ in range(2):
        supplied.run()
    edge.start()
    seen: list[str] = []
    reading = threading.Thread(target=lambda: seen.append(reader.console_output("s-2", None)))
    reading.start()
    while reading.is_alive():
        supplied.run()
    reading.join()
    assert seen == ["another"]
    edge.stop()
    supplied.run()


def test_a_strange_question_is_not_answered(engine: Engine) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        supply = Supply(engine, Path("unused"))
        supply._asking = ours
        theirs.send(json.dumps({"id": "../../etc"}).encode())
        supply.run()
        assert theirs.recv(1) == b"", "the connection is closed"
    assert engine.asked == 0


@pytest.mark.usefixtures("worker")
def test_figures_are_handed_on(reader: EdgeClient) -> None:
    assert reader.figures("s-1") == FIGURES
    assert reader.figures("s-off") is None
    assert reader.console_output("s-2", None) == "another"
    with pytest.raises(ConnectionError, match="server s-odd: its machine does not say now"):
        reader.figures("s-odd")


def test_figures_that_are_none_are_refused(
    edge: EdgeInThread, reader: EdgeClient, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_text("a console")

    def answer(asking: socket.socket, asked: bytes) -> None:
        with path.open() as held:
            socket.send_fds(asking, [asked], [held.fileno()])

    worker = answering(edge, answer)
    with pytest.raises(OSError, match="answered 'a console'"):
        reader.figures("s-1")
    worker.join()
