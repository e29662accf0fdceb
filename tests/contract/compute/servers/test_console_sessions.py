"""Consoles from a browser's side: a WebSocket through the api, the edge and the worker to a simulated
machine, with every token that must not open one."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import urlopen

import pytest
import sqlalchemy as sa
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from andromede import clock
from andromede.cli.client import poll
from andromede.console.door import AWAY, ENDED, NOT_BYTES, PATH, REVOKED, Door
from andromede.services.identity.tokens import store as revocations
from andromede.sovereignty.log.leaves import leaf
from tests.contract.compute.servers.helpers import Site
from tests.contract.compute.servers.test_consoles import ask, token_of
from tests.unit.edge.conftest import EdgeInThread, supplying


class House:
    """A listener with its door, and an edge and a worker behind it."""

    def __init__(self, site: Site, listener: str, stack: ExitStack) -> None:
        self.site = site
        dispatcher = site.cloud.public if listener == "public" else site.cloud.private
        told = dispatcher.base_url if listener == "public" else ""
        self.door = Door(
            site.cloud.cloud, dispatcher, listener=listener, base_url=told, recheck=0.05
        )
        config = uvicorn.Config(
            self.door, ws="websockets-sansio", lifespan="off", log_config=None, access_log=False
        )
        self.server = uvicorn.Server(config)
        self.listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        stack.callback(self._end)

    def _serve(self) -> None:
        asyncio.run(self.server.serve(sockets=[self.listening]))

    def _end(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive()

    def open(self, query: str, path: str = PATH, **more: Any) -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{self.port}{path}?{query}", subprotocols=["binary"],  # type: ignore[list-item]
            proxy=None, open_timeout=10, close_timeout=5, **more,
        )  # fmt: skip

    def refused(self, query: str, **more: Any) -> int:
        with pytest.raises(InvalidStatus) as error:
            self.open(query, **more)
        assert error.value.response.body in (b"", None)
        return error.value.response.status_code


@pytest.fixture
def houses(site: Site) -> Iterator[dict[str, House]]:
    edge = EdgeInThread(site.cloud.paths.run)
    edge.start()
    with supplying(site.cloud.engine, edge), ExitStack() as stack:
        yield {name: House(site, name, stack) for name in ("public", "private")}
    edge.stop()


@pytest.fixture
def house(houses: dict[str, House]) -> House:
    return houses["public"]


def token(site: Site, server: str, kind: str = "vnc", **more: Any) -> str:
    types = {"vnc": "novnc", "serial": "serial"}
    found = ask(site, server, kind, types[kind], **more).expect(200)
    return f"token={token_of(found['remote_console']['url'])}"


def greeted(line: ClientConnection) -> tuple[int, int, str]:
    """What a screen says it is, in the steps that Tempest takes too."""
    assert line.recv(timeout=5) == b"RFB 003.008\n"
    line.send(b"RFB 003.008\n")
    assert line.recv(timeout=5) == b"\x01\x01"
    line.send(b"\x01")
    assert line.recv(timeout=5) == bytes(4)
    line.send(b"\x01")
    said = line.recv(timeout=5)
    assert isinstance(said, bytes)
    width, height = struct.unpack(">HH", said[:4])
    assert len(said) == 24 + struct.unpack(">I", said[20:24])[0]
    return width, height, said[24:].decode()


def picture(line: ClientConnection, width: int, height: int, *, incremental: bool) -> bytes:
    """The screen, asked for and taken whole."""
    line.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height))
    size, data = 16 + width * height * 4, b""
    while len(data) < size:
        part = line.recv(timeout=5)
        assert isinstance(part, bytes)
        data += part
    assert len(data) == size
    return data[16:]


def test_a_screen_is_seen_and_typed_into(site: Site, house: House) -> None:
    server = site.build(name="one")["id"]
    with house.open(token(site, server)) as line:
        assert line.subprotocol == "binary"
        width, height, name = greeted(line)
        assert name == "simulated (one)"
        line.send(struct.pack(">BxHi", 2, 1, 0))
        line.send(
            b"\x00\x00\x00\x00" + struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, *[255] * 3, 16, 8, 0)
        )
        before = picture(line, width, height, incremental=False)
        line.send(b"\x05\x00\x00\x01\x00\x01")
        line.send(b"\x06\x00\x00\x00" + struct.pack(">I", 3) + b"abc")
        line.send(struct.pack(">BBxxI", 4, 1, 0x61) + struct.pack(">BBxxI", 4, 0, 0x61))
        assert picture(line, width, height, incremental=True) != before


def test_a_serial_port_answers_and_the_log_keeps_it(site: Site, house: House) -> None:
    server = site.build()["id"]
    with house.open(token(site, server, "serial")) as line:
        assert line.recv(timeout=5) == b"login: "
        line.send(b"cirros\r")
        assert line.recv(timeout=5) == b"cirros\r\nlogin: "
    assert b"cirros\r\nlogin: " in site.cloud.engine.console[server]


def kept(line: ClientConnection) -> dict[str, str]:
    """The header that a browser sends from now on: what it was given to keep."""
    assert line.response is not None
    cookie, *rules = line.response.headers["Set-Cookie"].split("; ")
    assert set(rules) >= {"Path=/console/socket", "HttpOnly", "SameSite=Strict"}
    [age] = [int(each.partition("=")[2]) for each in rules if each.startswith("Max-Age=")]
    assert 500 < age <= 600
    return {"Cookie": f"theme=dark; {cookie}; other"}


def test_a_token_is_of_the_browser_that_opened_it_first(site: Site, house: House) -> None:
    server = site.build()["id"]
    query, another = token(site, server), token(site, server)
    with house.open(query) as line:
        greeted(line)
        mine = kept(line)
        assert house.refused(query) == 403, "who read the address over a shoulder"
    with house.open(another) as line:
        theirs = kept(line)
    for headers in (None, theirs, {"Cookie": mine["Cookie"].replace("=", "=x")}):
        assert house.refused(query, additional_headers=headers) == 403
    for _ in range(2):
        with house.open(query, additional_headers=mine) as line:
            assert line.response is not None
            assert "Set-Cookie" not in line.response.headers
            greeted(line)
    assert [each.status for each in opened(site)] == [101] * 4
    assert house.refused(query) == 403
    later = clock.now() + 601 * clock.SECOND
    clock.set_source(lambda: later)
    try:
        assert house.refused(query, additional_headers=mine) == 403
    finally:
        clock.set_source(None)


def test_a_page_is_loaded_again_once_the_machine_runs_again(site: Site, house: House) -> None:
    """What refuses an opening is asked at each, and uses the browser's token up at none."""
    server = site.build()["id"]
    query = token(site, server)
    with house.open(query) as line:
        mine = kept(line)
    for act, status in (("os-stop", 403), ("os-start", 101)):
        site.act(server, act).expect(202)
        site.cloud.settle()
        if status == 403:
            assert house.refused(query, additional_headers=mine) == status
    with house.open(query, additional_headers=mine) as line:
        greeted(line)
    assert [each.status for each in opened(site)] == [101, 409, 101]
    revoke(site, "user:u1")
    assert house.refused(query, additional_headers=mine) == 403


def test_what_is_kept_is_sent_over_tls_alone_where_there_is_tls(
    site: Site, houses: dict[str, House]
) -> None:
    """The public listener here is told of the proxy with TLS before it; the private one has neither."""
    server = site.build()["id"]
    with houses["public"].open(token(site, server)) as line:
        assert line.response is not None
        assert line.response.headers["Set-Cookie"].endswith("; Secure")
    with houses["private"].open(token(site, server, client=site.admin)) as line:
        assert line.response is not None
        assert "Secure" not in line.response.headers["Set-Cookie"]


def test_what_is_no_token_opens_nothing(site: Site, house: House) -> None:
    good = token(site, site.build()["id"])
    for query in ("", "token=", good.replace("token=", "token=bad"), "token=%00", "token=é"):
        assert house.refused(query) == 403
    assert house.refused(good, path="/console/other") == 403
    with house.open(good) as line:
        greeted(line)


def test_a_token_expires(site: Site, house: House) -> None:
    query = token(site, site.build()["id"])
    later = clock.now() + 601 * clock.SECOND
    clock.set_source(lambda: later)
    try:
        assert house.refused(query) == 403
    finally:
        clock.set_source(None)


def test_other_origins_are_refused_and_use_nothing_up(site: Site, houses: dict[str, House]) -> None:
    house = houses["public"]
    query = token(site, site.build()["id"])
    foreign = ("https://evil.example", "null", f"https://127.0.0.1:{house.port}")
    for each in houses.values():
        for origin in foreign:
            assert each.refused(query, origin=origin) == 403
    with house.open(query, origin=f"http://127.0.0.1:{house.port}") as line:
        greeted(line)
    with house.open(
        token(site, site.show(site.build()["id"])["id"]), origin="https://cloud.test:8443"
    ) as line:
        greeted(line)


def test_another_projects_token_opens_its_own_server_alone(site: Site, house: House) -> None:
    """A token names no server in its address, so it can be turned at no other."""
    mine = site.build(name="mine")["id"]
    query = token(site, mine)
    ask(site, mine, client=site.other).expect(404)
    with house.open(f"{query}&id=another&server=another") as line:
        assert greeted(line)[2] == "simulated (mine)"


def test_the_end_of_the_machine_ends_the_session(site: Site, house: House) -> None:
    server = site.build()["id"]
    with house.open(token(site, server)) as line:
        greeted(line)
        site.act(server, "os-stop").expect(202)
        site.cloud.settle()
        assert closed(line) == ENDED
    site.act(server, "os-start").expect(202)
    site.cloud.settle()
    waiting = token(site, server)
    site.act(server, "os-stop").expect(202)
    site.cloud.settle()
    assert house.refused(waiting) == 403, "nor does a token open what was stopped since"


def closed(line: ClientConnection) -> int | None:
    """The code with which a session is closed, once what was under way came."""
    with pytest.raises(ConnectionClosed):  # noqa: PT012
        while True:
            line.recv(timeout=10)
    return line.close_code


def revoke(site: Site, *names: str) -> None:
    site.cloud.database.transact(lambda connection: revocations.revoke(connection, names))


@pytest.mark.parametrize("subject", ["user:u1", "grant:u1:p1", "project:p1", "role:member"])
def test_what_was_revoked_ends_sessions_and_tokens(site: Site, house: House, subject: str) -> None:
    server = site.build()["id"]
    waiting = token(site, server)
    with house.open(token(site, server)) as line:
        greeted(line)
        revoke(site, "user:another")
        with house.open(token(site, server)) as other:
            greeted(other)
        revoke(site, subject)
        assert closed(line) == REVOKED
    assert house.refused(waiting) == 403
    with house.open(token(site, server)) as line:  # one that was asked for after it
        greeted(line)


def test_a_deleted_server_ends_the_session(site: Site, house: House) -> None:
    server = site.build()["id"]
    with house.open(token(site, server, "serial")) as line:
        line.recv(timeout=5)
        site.member.delete(f"/compute/v2.1/servers/{server}").expect(204)
        site.cloud.settle()
        assert closed(line) in (ENDED, REVOKED)


def test_all_else_is_the_dispatchers(house: House) -> None:
    with urlopen(f"http://127.0.0.1:{house.port}/compute/") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("said", [b"\x02", b"\x01\x01\xff"], ids=["password", "message"])
def test_who_speaks_otherwise_is_left(site: Site, house: House, said: bytes) -> None:
    with house.open(token(site, site.build()["id"])) as line:
        line.send(b"RFB 003.008\n")
        line.send(said)
        assert closed(line) == ENDED


def test_text_is_no_message(site: Site, house: House) -> None:
    with house.open(token(site, site.build()["id"])) as line:
        line.recv(timeout=5)
        line.send("text")
        assert closed(line) == NOT_BYTES


def test_an_edge_that_is_away_is_said(
    site: Site, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = token(site, site.build()["id"])
    (site.cloud.paths.run / "session.sock").unlink()
    with house.open(query) as line:
        assert closed(line) == AWAY
        assert "The edge role" in str(line.close_reason)


def test_sessions_are_bounded(site: Site, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from andromede.console import door

    monkeypatch.setattr(door, "MOST", 1)
    server = site.build()["id"]
    first, second = token(site, server), token(site, server)
    with house.open(first) as line:
        greeted(line)
        assert house.refused(second) == 403
    poll(lambda: house.door._open == 0, 5, "the session that ended is counted still")
    with house.open(second) as line:
        greeted(line)


def test_a_session_has_an_end(site: Site, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from andromede.console import door

    monkeypatch.setattr(door, "LONGEST", 0.05)
    with house.open(token(site, site.build()["id"])) as line:
        assert closed(line) == ENDED
        assert line.close_reason == "it was open for as long as one may be"


def opened(site: Site) -> list[Any]:
    with site.cloud.database.read() as connection:
        return list(
            connection.execute(
                sa.select(leaf).where(leaf.c.action == "compute:console:open").order_by(leaf.c.time)
            ).all()
        )


def test_each_opening_is_a_leaf_of_the_project(site: Site, houses: dict[str, House]) -> None:
    server = site.build()["id"]
    with houses["public"].open(token(site, server, "serial")) as line:
        line.recv(timeout=5)
    operators = token(site, server, client=site.admin)
    assert houses["public"].refused(operators) == 403, "operators come by the private listener"
    with houses["private"].open(token(site, server, client=site.admin)) as line:
        greeted(line)
    found = [
        (each.actor, each.subject, each.project_id, each.status, each.detail)
        for each in opened(site)
    ]
    assert found == [
        ("u1", server, "p1", 101, {"type": "serial"}),
        ("user-of-ops", server, "p1", 403, {"type": "novnc"}),
        ("user-of-ops", server, "p1", 101, {"type": "novnc"}),
    ]
