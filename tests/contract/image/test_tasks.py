"""POST /v2/tasks: an operator's import of an image that is made with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from andromede.services.image import api
from andromede.services.image.imports.sources import SourceError
from tests.contract.image.helpers import create, names, qcow2, show
from tests.contract.sovereignty.customers import Customers, customers
from tests.harness import Client, TestCloud, caller
from tests.policies import set_allowed_sites

URL = "http://images.example.org/disk?signature=secret"
DISK = qcow2()


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", user="op"), private=True, accept="application/json")


def asked(**more: Any) -> dict[str, Any]:
    given = {
        "import_from": URL, "import_from_format": "qcow2",
        "image_properties": {"name": "disk", "visibility": "public"}, **more,
    }  # fmt: skip
    return {"type": "import", "input": {k: v for k, v in given.items() if v is not None}}


def arrives(_: str, write: Callable[[bytes], None], **__: Any) -> None:
    write(DISK)


def breaks(*_: Any, **__: Any) -> None:
    raise SourceError("the other side hung up")


def fetch(cloud: TestCloud, how: Callable[..., None]) -> None:
    for task in api.downloads(cloud.database):
        api.download(cloud.config, cloud.paths, cloud.database, task, fetch=how)
    cloud.settle()


def test_an_image_comes_with_its_import(cloud: TestCloud, admin: Client) -> None:
    answer = admin.post("/image/v2/tasks", asked())
    made = answer.expect(201)
    assert (made["type"], made["status"], made["result"]) == ("import", "pending", None)
    assert made["input"] == asked()["input"]
    assert answer.headers["location"].endswith(f"/v2/tasks/{made['id']}")
    assert show(admin, made["image_id"])["status"] == "importing"
    fetch(cloud, arrives)
    done = admin.get(f"/image/v2/tasks/{made['id']}").expect(200)
    assert (done["status"], done["result"]) == ("success", {"image_id": made["image_id"]})
    image = show(admin, made["image_id"])
    assert (image["status"], image["disk_format"], image["container_format"], image["name"]) == (
        "active", "qcow2", "bare", "disk",
    )  # fmt: skip
    assert image["owner"] == "p1"
    listed = admin.get("/image/v2/tasks?type=import").expect(200)["tasks"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert admin.get("/image/v2/tasks?type=api_image_import").expect(200)["tasks"] == []


def test_a_failure_is_told_and_the_image_waits(cloud: TestCloud, admin: Client) -> None:
    made = admin.post("/image/v2/tasks", asked()).expect(201)
    fetch(cloud, breaks)
    done = admin.get(f"/image/v2/tasks/{made['id']}").expect(200)
    assert (done["status"], done["result"]) == ("failure", None)
    assert "the other side hung up" in done["message"]
    assert show(admin, made["image_id"])["status"] == "queued"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"type": "import"}, {"input": {}}, {"type": "import", "input": None},
        {**asked(), "type": "export"}, {**asked(), "type": "api_image_import"},
        {**asked(), "owner": "p2"}, asked(import_from=None), asked(import_from_format=None),
        asked(image_properties=None), asked(colour="red"), asked(import_from_format="floppy"),
        asked(import_from_format=["qcow2"]),
        asked(image_properties="disk"), asked(import_from="file:///etc/passwd"),
        asked(import_from="http://127.0.0.1/"), asked(import_from=7), asked(import_from=""),
        asked(import_from="http://images.example.org:22/"),
        asked(image_properties={"disk_format": "raw"}),
        asked(image_properties={"container_format": None}),
        asked(image_properties={"min_disk": "many"}), asked(image_properties={"id": "x"}),
    ],
)  # fmt: skip
def test_faulty_tasks_make_nothing(admin: Client, body: Any) -> None:
    assert admin.post("/image/v2/tasks", body).status == 400
    assert names(admin) == []
    assert admin.get("/image/v2/tasks").expect(200)["tasks"] == []


def test_tasks_are_operators(cloud: TestCloud, admin: Client) -> None:
    for client in (cloud.as_(caller()), cloud.as_(caller("manager"))):
        assert client.post("/image/v2/tasks", asked()).status == 403
    assert admin.post("/image/v2/tasks", asked(image_properties={"size": 7})).status == 403
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    assert admin.post("/image/v2/tasks", asked()).status == 403
    assert names(admin) == []


@pytest.fixture
def world(tmp_path: Any, database_url: str) -> Any:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def test_where_a_customers_image_comes_from_is_the_customers(world: Customers) -> None:
    """A signed URL is all that somebody needs to read what is behind it."""
    image = create(world.member, name="theirs")
    path = f"/image/v2/images/{image['id']}"
    body = {"method": {"name": "web-download", "uri": URL}}
    assert world.member.post(f"{path}/import", body).status == 202
    fetch(world.cloud, breaks)
    (mine,) = world.member.get(f"{path}/tasks").expect(200)["tasks"]
    assert mine["input"]["import_req"] == body
    assert URL in mine["message"]
    for found in (
        world.operator.get(f"{path}/tasks").expect(200)["tasks"][0],
        world.operator.get(f"/image/v2/tasks/{mine['id']}").expect(200),
    ):
        assert found["input"] is None
        assert "secret" not in found["message"]
        assert "the other side hung up" in found["message"]
    world.give("disk", resource=image["id"])
    found = world.operator.get(f"/image/v2/tasks/{mine['id']}").expect(200)
    assert found["input"]["import_req"] == body
