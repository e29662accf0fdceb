"""Imports from the web: fetched by the courier within bounds, imported by the worker; and all that
a hostile URL or server tries."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from andromede import quotas, tls
from andromede.config import Config
from andromede.roles import courier
from andromede.services.image import api
from andromede.services.image.data import files as data
from andromede.services.image.imports import fetch as web
from andromede.services.image.imports import store
from andromede.services.image.imports.sources import SourceError
from tests.contract.image.helpers import create, files, put, qcow2, show
from tests.harness import Answer, Client, TestCloud, caller

DISK = qcow2()


class Web(BaseHTTPRequestHandler):
    """Serves a disk, and all that goes wrong."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # noqa: PLR0911 (one for each mishap)
        Web.seen.append(self.path)
        path = self.path.strip("/")
        if path.startswith("to:"):
            return self._say(302, location=path.removeprefix("to:"))
        if path == "loop":
            return self._say(301, location="/loop")
        if path == "hang":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
            self.wfile.flush()
            self.rfile.read(1)  # until the other side lets go
            return None
        if path == "short":
            self.close_connection = True
            return self._say(200, b"1234", length=9)
        if path == "many":
            self.close_connection = True
            return self._say(200, bytes(3 << 20), length=-1)
        if path == "zip":
            return self._say(200, b"x", encoding="gzip")
        if path == "junk":
            self.close_connection = True
            self.wfile.write(b"SSH-2.0-nothing\r\n")
            return None
        return self._say(200, DISK) if path.startswith("disk") else self._say(404, b"no")

    def _say(
        self, status: int, body: bytes = b"", location: str = "", length: int | None = None,
        encoding: str = "",
    ) -> None:  # fmt: skip
        self.send_response(status)
        if location:
            self.send_header("location", location)
        if encoding:
            self.send_header("content-encoding", encoding)
        if length is None or length >= 0:
            self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def opened(cloud: TestCloud, server: str) -> TestCloud:
    """A cloud whose operator allows the test's server."""
    cloud.config = msgspec.structs.replace(cloud.config, image_sources=(server,))
    cloud.cloud.config = cloud.config
    return cloud


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), accept="application/json")


def nothing(_: bytes) -> None:
    return


def begin(client: Client, image: dict[str, Any], uri: Any) -> Answer:
    body = {"method": {"name": "web-download", "uri": uri}}
    return client.post(f"/image/v2/images/{image['id']}/import", body)


def courier_runs(cloud: TestCloud, **more: Any) -> None:
    for task in api.downloads(cloud.database):
        api.download(cloud.config, cloud.paths, cloud.database, task, **more)


def told(client: Client, image: dict[str, Any]) -> dict[str, Any]:
    found = client.get(f"/image/v2/images/{image['id']}/tasks").expect(200)["tasks"]
    return dict(found[-1])


def test_a_disk_from_the_web(opened: TestCloud, member: Client, server: str) -> None:
    image = create(member, disk_format="qcow2")
    assert begin(member, image, f"http://{server}/disk").status == 202
    assert show(member, image["id"])["status"] == "importing"
    assert put(member, image["id"], b"data").status == 409
    opened.settle()
    assert told(member, image)["status"] == "pending", "the worker does not fetch"
    courier_runs(opened)
    waiting = show(member, image["id"])
    assert (waiting["status"], waiting["size"]) == ("importing", len(DISK))
    assert told(member, image)["status"] == "processing"
    assert api.downloads(opened.database) == []
    opened.settle()
    done = show(member, image["id"])
    assert (done["status"], done["size"], done["virtual_size"]) == ("active", len(DISK), 1 << 20)
    assert told(member, image)["status"] == "success"
    assert member.get(f"/image/v2/images/{image['id']}/file").body == DISK


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("loop", "redirects more than"), ("short", "in place of 9"), ("zip", "encoded"),
        ("none", "answered 404"), ("junk", "BadStatusLine"), ("to:file:///etc/passwd", "scheme"),
        ("to:http://127.0.0.1:1/", "port 1"), ("to:http://169.254.169.254/latest", "no public"),
        ("to:http://[::1]/", "no public"), ("to:", "redirects more than"),
    ],
)  # fmt: skip
def test_what_fails_leaves_nothing(
    opened: TestCloud, member: Client, server: str, path: str, why: str
) -> None:
    image = create(member, disk_format="qcow2")
    assert begin(member, image, f"http://{server}/{path}").status == 202
    courier_runs(opened)
    task = told(member, image)
    assert task["status"] == "failure"
    assert why in task["message"]
    found = show(member, image["id"])
    assert (found["status"], found["size"]) == ("queued", None)
    assert found["os_glance_failed_import"] == "local"
    assert files(opened) == []
    assert begin(member, image, f"http://{server}/to:/disk").status == 202
    courier_runs(opened)
    opened.settle()
    assert show(member, image["id"])["status"] == "active"


@pytest.mark.parametrize(
    "uri",
    [None, 3, "", "file:///etc/passwd", "http://169.254.169.254/", "http://127.0.0.1/",
     "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "http://h.example:8443/",
     "https://u:p@h.example/"],
)  # fmt: skip
def test_a_url_that_is_refused_at_once(cloud: TestCloud, member: Client, uri: Any) -> None:
    image = create(member)
    answer = begin(member, image, uri)
    assert answer.status == 400
    assert b"does not pass filtering" in answer.body
    assert show(member, image["id"]) == image
    assert api.downloads(cloud.database) == []


def test_a_name_that_leads_inside_is_not_asked(
    cloud: TestCloud, member: Client, server: str
) -> None:
    image = create(member)
    before = len(Web.seen)
    assert begin(member, image, "http://images.example/disk").status == 202

    def fetch(url: str, write: web.Write, **more: Any) -> None:
        web.fetch(url, write, resolve=lambda _, __: ["127.0.0.1"], **more)

    courier_runs(cloud, fetch=fetch)
    assert "leads to 127.0.0.1" in told(member, image)["message"]
    assert len(Web.seen) == before


def test_the_address_that_was_checked_is_the_one_that_is_asked(server: str) -> None:
    _, _, port = server.partition(":")
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    got: list[bytes] = []
    allowed = [f"images.example:{port}"]
    url = f"http://images.example:{port}/disk"
    web.fetch(url, got.append, allowed=allowed, largest=1 << 20, resolve=resolve)
    assert (b"".join(got), asked) == (DISK, ["images.example"])


@pytest.mark.parametrize(("path", "largest"), [("disk", 10), ("many", 1 << 20)])
def test_bounds_of_size(server: str, path: str, largest: int) -> None:
    size = 0

    def write(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    with pytest.raises(SourceError, match="bytes"):
        web.fetch(f"http://{server}/{path}", write, allowed=[server], largest=largest)
    assert size <= largest


def test_bounds_of_time(server: str) -> None:
    with pytest.raises(SourceError, match="longer than"):
        web.fetch(f"http://{server}/hang", nothing, allowed=[server], largest=99, longest=0.2)


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(SourceError, match="refused"):
        web.fetch(f"http://{where}/", nothing, allowed=[where], largest=99)


def test_a_project_without_room(opened: TestCloud, member: Client, server: str) -> None:
    opened.database.transact(lambda c: quotas.set_limits(c, "image", "p1", {"image_size_total": 0}))
    image = create(member)
    assert begin(member, image, f"http://{server}/disk").status == 202
    courier_runs(opened)
    assert "at most 0 are accepted" in told(member, image)["message"]


def test_tls_is_checked_against_the_name(tmp_path: Path) -> None:
    tls.ensure(tmp_path, "images", ["127.0.0.1"], os.geteuid())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        where = f"127.0.0.1:{listening.server_port}"
        trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        got: list[bytes] = []
        url = f"https://{where}/disk"
        web.fetch(url, got.append, allowed=[where], largest=1 << 20, tls=trusted)
        assert b"".join(got) == DISK
        with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
            web.fetch(url, got.append, allowed=[where], largest=1 << 20)
        listening.shutdown()
        thread.join()


def test_one_process_downloads_at_a_time(opened: TestCloud, member: Client, server: str) -> None:
    image = create(member)
    assert begin(member, image, f"http://{server}/disk").status == 202
    held = data.claim(opened.paths.images, image["id"])
    courier_runs(opened)
    assert told(member, image)["status"] == "pending"
    os.close(held)
    courier_runs(opened)
    assert told(member, image)["status"] == "processing"


@pytest.mark.parametrize("removed", [True, False])
def test_what_ended_meanwhile_is_not_fetched(
    opened: TestCloud, member: Client, server: str, removed: bool
) -> None:
    image = create(member)
    assert begin(member, image, f"http://{server}/disk").status == 202
    (task,) = api.downloads(opened.database)

    def deleted(*_: Any, **__: Any) -> None:
        assert member.delete(f"/image/v2/images/{image['id']}").status == 204
        if removed:
            opened.settle()

    api.download(opened.config, opened.paths, opened.database, task, fetch=deleted)
    opened.settle()
    api.download(opened.config, opened.paths, opened.database, task)
    assert files(opened) == []


def test_the_courier_fetches_until_it_is_told_to_stop(
    opened: TestCloud, member: Client, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "EVERY", 0.01)
    image = create(member)
    assert begin(member, image, f"http://{server}/disk").status == 202
    stop, ended = threading.Event(), threading.Event()
    rounds: list[int] = []

    def download(config: Config, paths: Any, database: Any, task: store.Task) -> None:
        api_download(config, paths, database, task)
        ended.set()

    def downloads(database: Any) -> list[store.Task]:
        rounds.append(1)
        if len(rounds) == 1:
            raise OSError("the database is away")
        if ended.is_set():
            stop.set()
        return api_downloads(database)

    api_download, api_downloads = api.download, api.downloads
    monkeypatch.setattr("andromede.services.image.api.download", download)
    monkeypatch.setattr("andromede.services.image.api.downloads", downloads)
    courier.fetch_images(opened.config, opened.paths, opened.database, stop)
    opened.settle()
    assert show(member, image["id"])["status"] == "active"
