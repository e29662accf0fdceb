"""The edges of the HTTP side: bodies cut short, foreign media, addresses told, versions asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from andromede.http import body
from andromede.http.access import PROJECT_READER
from andromede.http.context import Context
from andromede.http.dispatch import Dispatcher
from andromede.http.errors import (
    BadRequest,
    NotAcceptable,
    TooLarge,
    UnsupportedMediaType,
    plain_shape,
)
from andromede.http.microversion import Microversions
from andromede.http.operation import Operation, Service, Transaction
from tests.harness import TestCloud, caller

VERSIONS = Microversions(
    service="thing", lowest=(2, 1), latest=(2, 9), legacy_header="X-Thing-API-Version"
)


class Note(Struct):
    text: str


def echo(context: Context) -> object:
    return {"text": context.body.text if context.body is not None else None, "url": context.url()}


def nobody(context: Context) -> object:
    return {"user": context.caller.user_id}


def rows(context: Context) -> object:
    return {"rows": context.conn.info}


def operation(path: str, handler: Any, **more: Any) -> Operation:
    settings = {"method": "POST", "action": "thing:thing:act", "allow": None, **more}
    return Operation(path=path, handler=handler, **settings)


SERVICE = Service(
    name="thing",
    type="thing",
    mount="/thing",
    error_shape=plain_shape,
    microversions=VERSIONS,
    operations=[
        operation("/echo", echo, body=Note, optional_body=True),
        operation("/nobody", nobody, method="GET"),
        operation("/rows", rows, transaction=Transaction.NONE),
        operation("/mine", nobody, method="GET", allow=PROJECT_READER),
        operation("/fixed/deep", nobody, method="GET"),
        operation("/{name}/other", echo, method="GET"),
    ],
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE])
    yield cloud
    cloud.close()


def read(*messages: dict[str, Any], declared: str = "0") -> bytes:
    feed = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(feed)

    return asyncio.run(body.read({"content-length": declared}, receive))


def test_a_body_that_ends_early_is_refused() -> None:
    with pytest.raises(BadRequest, match="left before"):
        read({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"})


def test_a_body_longer_than_it_said_is_refused() -> None:
    part = {"type": "http.request", "body": bytes(700_000), "more_body": True}
    with pytest.raises(TooLarge, match="at most"):
        read(part, part)


@pytest.mark.parametrize("declared", ["²", "-1", "x"])
def test_a_length_that_is_none_is_not_believed(declared: str) -> None:
    assert read({"type": "http.request", "body": b"{}"}, declared=declared) == b"{}"


def test_foreign_media_are_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="text/xml"):
        body.parse(b"<a/>", {"content-type": "text/xml; charset=utf-8"})


def test_an_optional_body_may_be_absent(cloud: TestCloud) -> None:
    client = cloud.as_()
    assert client.post("/thing/echo").expect(200)["text"] is None
    assert client.post("/thing/echo", {"text": "a"}).expect(200)["text"] == "a"


def test_a_handler_that_wants_what_its_row_does_not_give_is_a_500(cloud: TestCloud) -> None:
    assert cloud.as_().get("/thing/nobody").status == 500
    assert cloud.as_().post("/thing/rows").status == 500


def test_the_front_page_names_the_services(cloud: TestCloud) -> None:
    (service,) = cloud.as_().get("/").expect(200)["services"]
    assert service == {"name": "thing", "type": "thing", "url": "https://cloud.test:8443/thing"}
    assert "/thing" in cloud.as_().get("/elsewhere").expect(404)["error"]["message"]


def test_a_path_falls_back_from_a_fixed_segment_to_a_parameter(cloud: TestCloud) -> None:
    assert cloud.as_().get("/thing/fixed/other").expect(200)["text"] is None
    assert cloud.as_().get("/thing/else/deep").status == 404


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (("10.0.0.1", 8443), "https://10.0.0.1:8443/thing"),
        (("fd00::1", 8443), "https://[fd00::1]:8443/thing"),
        (("/run/internal.sock", None), "https:///run/internal.sock/thing"),
    ],
)
def test_clients_are_told_the_address_they_reached(
    cloud: TestCloud, server: tuple[str, int | None], url: str
) -> None:
    app = Dispatcher(cloud.cloud, [SERVICE], listener="public")
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/thing/echo", "query_string": b"",
        "headers": [], "scheme": "https", "server": server,
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert url.encode() in sent[1]["body"]


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({}, (2, 1)),
        ({"openstack-api-version": "thing 2.5"}, (2, 5)),
        ({"openstack-api-version": "other 2.5, thing latest"}, (2, 9)),
        ({"openstack-api-version": "other 2.5"}, (2, 1)),
        ({"x-thing-api-version": "2.3"}, (2, 3)),
    ],
)
def test_versions_are_negotiated(headers: dict[str, str], version: tuple[int, int]) -> None:
    assert VERSIONS.negotiate(headers) == version


@pytest.mark.parametrize(
    ("wanted", "error"),
    [("2", BadRequest), ("2.x", BadRequest), ("2.10", NotAcceptable), ("1.1", NotAcceptable)],
)
def test_bad_versions_are_refused(wanted: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=wanted):
        VERSIONS.negotiate({"openstack-api-version": f"thing {wanted}"})


def test_a_version_without_a_legacy_header() -> None:
    plain = Microversions(service="thing", lowest=(1, 0), latest=(1, 2))
    assert plain.negotiate({"x-thing-api-version": "1.2"}) == (1, 0)
    assert plain.answer((1, 2)) == {
        "OpenStack-API-Version": "thing 1.2",
        "Vary": "OpenStack-API-Version",
    }


def test_a_foreign_token_is_refused_before_the_rule_is_asked(cloud: TestCloud) -> None:
    assert cloud.as_().get("/thing/mine", headers={"x-auth-token": "nonsense"}).status == 401
    assert cloud.as_(caller("reader")).get("/thing/mine").expect(200)
