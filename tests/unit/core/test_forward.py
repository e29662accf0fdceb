"""One service that asks another for what older clients ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from andromede.http.access import ADMIN, PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import compute_shape
from andromede.http.forward import ask
from andromede.http.operation import Operation, Reply, Service
from andromede.sovereignty.log.leaves import leaf
from tests.harness import TestCloud, caller


class Thing(Struct):
    name: str


def make(context: Context) -> Thing:
    context.admit(context.project_id)
    context.concerns(context.body.name, context.project_id)
    context.notes["how"] = context.first("how") or ""
    return Thing(name=context.body.name)


def show(context: Context) -> Reply:
    return Reply(200, {"name": context.params["id"], "media": context.headers["media"]})


def _row(service: str, method: str, path: str, handler: Any, allow: Any, **more: Any) -> Operation:
    return Operation(
        method=method, path=path, handler=handler, action=f"{service}:thing:{method.lower()}",
        allow=allow, **more,
    )  # fmt: skip


def make_there(context: Context) -> Any:
    return ask(context, "there", "POST", "/things", context.body, query=[("how", "well")])


def show_there(context: Context) -> Any:
    path = f"/things/{context.params['id']}"
    return ask(context, "there", "GET", path, headers={"media": "x"})


def secret_there(context: Context) -> Any:
    return ask(context, "there", "GET", "/secrets")


def open_there(context: Context) -> Any:
    return ask(context, "there", "GET", "/open")


THERE = Service(
    name="there", type="there", mount="/there", error_shape=compute_shape,
    operations=[
        _row("there", "POST", "/things", make, PROJECT_MEMBER, body=Thing, places="create"),
        _row("there", "GET", "/things/{id}", show, PROJECT_READER),
        _row("there", "GET", "/secrets", show, ADMIN),
        _row("there", "GET", "/open", lambda _: {"open": True}, None),
    ],
)  # fmt: skip
HERE = Service(
    name="here", type="here", mount="/here", error_shape=compute_shape,
    operations=[
        _row("here", "POST", "/things", make_there, PROJECT_READER, body=dict, places="create"),
        _row("here", "GET", "/things/{id}", show_there, PROJECT_READER),
        _row("here", "GET", "/secrets", secret_there, PROJECT_READER),
        _row("here", "GET", "/open", open_there, PROJECT_READER),
    ],
)  # fmt: skip


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [HERE, THERE], url=database_url)
    yield cloud
    cloud.close()


def test_it_is_done_as_if_it_had_been_asked_there(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    assert member.post("/here/things", {"name": "one"}).expect(200) == {"name": "one"}
    with cloud.database.read() as connection:
        [entry] = connection.execute(leaf.select().where(leaf.c.action == "here:thing:post"))
    assert (entry.subject, entry.project_id) == ("one", "p1")
    assert member.get("/here/things/x").expect(200) == {"name": "x", "media": "x"}
    assert member.get("/here/open").expect(200) == {"open": True}


def test_its_rules_and_its_validation_hold(cloud: TestCloud) -> None:
    assert cloud.as_(caller("reader")).post("/here/things", {"name": "one"}).status == 403
    assert cloud.as_(caller()).get("/here/secrets").status == 403
    assert cloud.as_(caller()).post("/here/things", {"name": 1}).status == 400
