"""What guests may do on the metadata address: ask within bounds, and nothing else."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from andromede.edge import metadata
from andromede.edge.bucket import Buckets
from andromede.edge.client import ControlClient
from andromede.edge.wire import Response
from tests.unit.edge.conftest import Api, EdgeInThread

Served = tuple[EdgeInThread, Api, int]


@pytest.fixture
def served(edge: EdgeInThread, api: Api, listening: socket.socket) -> Served:
    control = ControlClient(edge.control_path)
    control.hand_over("net-1", listening.fileno())
    control.close()
    return edge, api, listening.getsockname()[1]


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str):  # type: ignore[no-untyped-def]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers["content-type"]
    finally:
        connection.close()


def query(api: Api) -> dict[str, list[str]]:
    split = urlsplit(api.asked[-1].target)
    assert split.path == "/internal/v1/metadata"
    return parse_qs(split.query)


def test_who_asks_is_told_by_the_socket_alone(served: Served) -> None:
    _, api, port = served
    api.response = Response(status=200, body=b'{"a":1}', media_type="application/json")
    answer = ask(
        port, "/openstack/latest/meta_data.json?network=other&address=10.0.0.1",
        **{"X-Forwarded-For": "10.0.0.9", "X-Instance-ID": "someone-else"},
    )  # fmt: skip
    assert answer == (200, b'{"a":1}', "application/json")
    assert query(api) == {
        "network": ["net-1"], "address": ["127.0.0.1"],
        "path": ["/openstack/latest/meta_data.json"],
    }  # fmt: skip
    ask(port, "/a%26network=x/..%2f%20")
    assert query(api)["path"] == ["/a%26network=x/..%2f%20"]
    assert query(api)["network"] == ["net-1"]


def test_connections_are_kept_and_head_has_no_body(served: Served) -> None:
    _, _, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, body in (("GET", b"facts"), ("HEAD", b""), ("GET", b"facts")):
        connection.request(method, "/latest/")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, body)
        assert response.headers["content-length"] == "5"
    connection.close()


def test_a_password_is_passed_on(served: Served) -> None:
    _, api, port = served
    api.response = Response(status=200)
    assert ask(port, "/openstack/latest/password", "POST", b"secret")[0] == 200
    assert api.asked[-1].method == "POST"
    assert json.loads(api.asked[-1].body) == {"password": "secret"}
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(
            b"POST /openstack/latest/password HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert raw.recv(1000).startswith(b"HTTP/1.1 100")
        raw.sendall(b"abc")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200")


def test_other_methods_and_large_bodies_are_refused(served: Served) -> None:
    _, api, port = served
    assert ask(port, "/", "DELETE")[0] == 405
    assert ask(port, "/", "POST", b"x" * 5000)[0] == 413
    assert api.asked == []


@pytest.mark.parametrize(
    "raw",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"x" * 40_000,
     b"\x16\x03\x01\x00\xff\r\n\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_refused(served: Served, raw: bytes) -> None:
    _, api, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as odd:
        odd.sendall(raw)
        assert odd.recv(1000).startswith(b"HTTP/1.1 4")
    assert api.asked == []


def test_a_guest_that_leaves_or_dawdles_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, port = served
    monkeypatch.setattr("andromede.edge.wire.IDLE", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        slow.sendall(b"GET / HT")
        assert slow.recv(1000) == b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as short:
        short.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        short.shutdown(socket.SHUT_WR)
        while short.recv(1000):
            pass
    assert ask(port, "/")[0] == 200


def test_an_api_that_is_away_or_slow_is_a_503(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, api, port = served
    monkeypatch.setattr(metadata, "SECONDS", 0.05)

    async def never() -> Response:
        await asyncio.sleep(3600)
        return Response(status=200)

    waiting = never()
    api.response = waiting
    assert ask(port, "/")[0] == 503
    edge.internal_path.unlink()
    assert ask(port, "/")[0] == 503


def test_answers_have_a_bound(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    _, api, port = served
    monkeypatch.setattr(metadata, "LARGEST_ANSWER", 100)
    api.response = Response(status=200, body=b"x" * 101)
    assert ask(port, "/")[0] == 503


def test_who_asks_too_often_waits(served: Served) -> None:
    edge, _, port = served
    edge.metadata._buckets = Buckets(0.0, 2)
    assert [ask(port, "/")[0] for _ in range(3)] == [200, 200, 429]


def test_one_network_has_so_many_connections(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, port = served
    monkeypatch.setattr(metadata, "CONNECTIONS", 1)
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    kept.request("GET", "/")
    kept.getresponse().read()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(port, "/")
    kept.close()


def test_a_forgotten_network_is_served_no_more(served: Served, listening: socket.socket) -> None:
    edge, _, port = served
    control = ControlClient(edge.control_path)
    control.forget("net-1")
    control.close()
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/")


def test_buckets_fill_again_and_are_bounded() -> None:
    moment = [0.0]
    buckets = Buckets(1.0, 2, most=2, clock=lambda: moment[0])
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    moment[0] = 1.0
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    assert buckets.take("b")
    assert buckets.take("c")  # and `a` is forgotten
    assert [buckets.take("a") for _ in range(2)] == [True, True]
