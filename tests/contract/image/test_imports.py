"""Imports of staged data: the statuses on the way, the task that tells of them, what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.inspect.verdict import InspectionError
from andromede.services.image import api
from andromede.services.image import store as images
from andromede.services.image.data import files as data
from andromede.services.image.imports import store
from andromede.sovereignty.log.leaves import leaf
from tests.contract.image.helpers import (
    BARE,
    active,
    create,
    files,
    importing,
    patch,
    put,
    qcow2,
    replace,
    show,
    stage,
)  # fmt: skip
from tests.harness import Answer, Client, TestCloud, caller, unknown_id
from tests.policies import set_allowed_sites

DIRECT = {"method": {"name": "glance-direct"}}
MARKS = ("os_glance_importing_to_stores", "os_glance_failed_import")


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), accept="application/json")


def begin(client: Client, image: dict[str, Any], body: Any = DIRECT) -> Answer:
    return client.post(f"/image/v2/images/{image['id']}/import", body)


def tasks(client: Client, image: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/image/v2/images/{image['id']}/tasks").expect(200)[
        "tasks"]  # fmt: skip
    return found


def test_what_is_staged_becomes_the_data(cloud: TestCloud, member: Client) -> None:
    data = qcow2()
    image = create(member, disk_format="qcow2")
    assert stage(member, image["id"], data).status == 204
    waiting = show(member, image["id"])
    assert (waiting["status"], waiting["size"], waiting["checksum"]) == (
        "uploading", len(data), None,
    )  # fmt: skip
    assert member.get(f"/image/v2/images/{image['id']}/file").status == 204
    assert files(cloud) == [f"{image['id']}.staged"]
    answer = begin(member, image)
    assert answer.status == 202
    moving = show(member, image["id"])
    assert (moving["status"], *(moving[mark] for mark in MARKS)) == ("importing", "local", "")
    (task,) = tasks(member, image)
    assert (task["status"], task["type"], task["result"]) == ("pending", "api_image_import", None)
    assert task["request_id"] == answer.headers["x-openstack-request-id"]
    assert task["input"]["import_req"] == DIRECT
    cloud.settle()
    done = show(member, image["id"])
    assert (done["status"], done["stores"], done["virtual_size"]) == ("active", "local", 1 << 20)
    assert done["os_hash_value"] == hashlib.sha512(data).hexdigest()
    assert done["checksum"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert [done[mark] for mark in MARKS] == ["", ""]
    (task,) = tasks(member, image)
    assert (task["status"], task["result"]) == ("success", {"image_id": image["id"]})
    assert member.get(f"/image/v2/images/{image['id']}/file").body == data
    assert files(cloud) == [image["id"]]
    with cloud.database.read() as connection:
        row = connection.execute(sa.select(leaf).where(leaf.c.action == "image:data:import"))
        found = row.all()
        assert api.audit(connection, cloud.paths) == []
    assert [each.status for each in found] == [202, 200]
    assert found[1].detail == {"size": len(data), "sha512": done["os_hash_value"]}


def test_hostile_data_are_not_imported(cloud: TestCloud, member: Client) -> None:
    image = importing(member, qcow2(backing=512), disk_format="qcow2")
    cloud.settle()
    found = show(member, image["id"])
    assert (found["status"], found["size"]) == ("queued", None)
    assert [found[mark] for mark in MARKS] == ["", "local"]
    (task,) = tasks(member, image)
    assert task["status"] == "failure"
    assert "backing file" in task["message"]
    assert files(cloud) == []
    assert put(member, image["id"], qcow2()).status == 204
    assert show(member, image["id"])["status"] == "active"


def test_lost_data_and_a_deleted_image_end_an_import(cloud: TestCloud, member: Client) -> None:
    lost = importing(member)
    (cloud.paths.images / f"{lost['id']}.staged").unlink()
    cloud.settle()
    assert "are lost" in tasks(member, lost)[0]["message"]
    gone = importing(member)
    assert member.delete(f"/image/v2/images/{gone['id']}").status == 204
    cloud.settle()
    assert files(cloud) == []


def test_an_import_waits_for_the_inspection(
    cloud: TestCloud, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = importing(member)
    calls: list[int] = []
    whole = cloud.cloud.inspect

    def first_away(descriptor: int, declared: str) -> Any:
        calls.append(descriptor)
        if len(calls) == 1:
            raise InspectionError("nobody answers")
        assert whole is not None
        return whole(descriptor, declared)

    monkeypatch.setattr(cloud.cloud, "inspect", first_away)
    cloud.settle()
    assert len(calls) == 2
    assert show(member, image["id"])["status"] == "active"
    other = importing(member)
    monkeypatch.setattr(cloud.cloud, "inspect", None)
    cloud.settle()
    assert "no way to the inspection" in tasks(member, other)[0]["message"]


def test_an_import_that_was_not_recorded_goes_on(cloud: TestCloud, member: Client) -> None:
    image = importing(member)
    data.publish_staged(cloud.paths.images, image["id"])
    cloud.settle()
    assert show(member, image["id"])["status"] == "active"
    assert files(cloud) == [image["id"]]


def test_an_import_that_was_superseded_does_nothing(cloud: TestCloud, member: Client) -> None:
    image = importing(member)
    cloud.database.transact(
        lambda c: store.update(c, tasks(member, image)[0]["id"], status="failure") and None
    )
    cloud.database.transact(lambda c: images.set_status(c, image["id"], "importing", "queued"))
    cloud.settle()
    assert show(member, image["id"])["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"method": "glance-direct"}, 400), ({"method": {}}, 400), ([], 400),
        ({"method": {"name": "copy-image"}}, 400), ({"method": {"name": ["x"]}}, 400),
        ({**DIRECT, "all_stores": "yes"}, 400), ({**DIRECT, "stores": ["elsewhere"]}, 400),
        ({**DIRECT, "stores": "local"}, 400),
        ({**DIRECT, "all_stores_must_succeed": 1}, 400),
        ({**DIRECT, "stores": ["local"], "all_stores": True}, 400),
        ({"method": {"name": "web-download", "uri": "http://example.org/"}}, 409),
    ],
)  # fmt: skip
def test_faulty_imports_change_nothing(member: Client, body: Any, status: int) -> None:
    image = create(member)
    assert stage(member, image["id"], b"data").status == 204
    before = show(member, image["id"])
    assert begin(member, image, body).status == status
    assert show(member, image["id"]) == before
    assert tasks(member, image) == []
    assert begin(member, image, {**DIRECT, "stores": ["local"]}).status == 202


def test_an_import_needs_staged_data_and_formats(cloud: TestCloud, member: Client) -> None:
    image = member.post("/image/v2/images", {}).expect(201)
    assert begin(member, image).status == 409
    assert stage(member, image["id"], b"data").status == 204
    assert stage(member, image["id"], b"data").status == 409
    assert put(member, image["id"], b"data").status == 409
    assert b"container_format" in begin(member, image).body
    assert begin(member, active(member)).status == 409
    assert begin(cloud.as_(caller(project="p2")), image).status == 404
    assert begin(cloud.as_(caller("reader")), image).status == 403
    assert begin(member, {"id": unknown_id()}).status == 404
    shared = active(member, visibility="community")
    assert begin(cloud.as_(caller(project="p2")), shared).status == 403
    running = importing(member)
    assert begin(member, running).status == 409
    assert stage(member, running["id"], b"data").status == 409


def test_staging_is_bounded(cloud: TestCloud, member: Client) -> None:
    from andromede import quotas

    cloud.database.transact(lambda c: quotas.set_limits(c, "image", "p1", {"image_size_total": 1}))
    image = create(member)
    assert stage(member, image["id"], bytes(2 << 20)).status == 413
    assert show(member, image["id"])["status"] == "queued"
    assert stage(member, image["id"], bytes(1 << 20)).status == 204
    assert put(member, create(member)["id"], b"more").status == 413
    used = member.get("/image/v2/info/usage").expect(200)["usage"]
    assert used["image_size_total"] == {"usage": 1, "limit": 1}
    assert used["image_count_total"]["usage"] == 2
    unscoped = cloud.as_(caller("admin", None, system=True), private=True)
    assert unscoped.get("/image/v2/info/usage").status == 400


def test_a_policy_refuses_imports(cloud: TestCloud, member: Client) -> None:
    image = create(member)
    assert stage(member, image["id"], b"data").status == 204
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    assert b"allowed_sites" in begin(member, image).body
    assert show(member, image["id"])["status"] == "uploading"
    assert stage(member, create_anyway(cloud, member), b"data").status == 403


def create_anyway(cloud: TestCloud, member: Client) -> str:
    """An image from before the policy."""
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", None))
    made = create(member)
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    return str(made["id"])


def test_staged_data_outlive_a_restart_and_orphans_go(cloud: TestCloud, member: Client) -> None:
    image = create(member)
    assert stage(member, image["id"], b"data").status == 204
    orphan = unknown_id()
    (cloud.paths.images / f"{orphan}.staged").write_bytes(b"orphan")
    with cloud.database.read() as connection:
        problems = [each.problem for each in api.audit(connection, cloud.paths)]
    assert problems == ["waits for no import"]
    assert api.clean(cloud.paths, cloud.database) == [orphan]
    assert files(cloud) == [f"{image['id']}.staged"]
    (cloud.paths.images / f"{image['id']}.staged").unlink()
    with cloud.database.read() as connection:
        problems = [each.problem for each in api.audit(connection, cloud.paths)]
    assert problems == ["is being saved, and nobody fills it"]


def test_a_staged_image_that_is_deleted_leaves_nothing(cloud: TestCloud, member: Client) -> None:
    image = create(member)
    assert stage(member, image["id"], b"data").status == 204
    assert patch(member, image["id"], replace("disk_format", "qcow2")).status == 403
    assert member.delete(f"/image/v2/images/{image['id']}").status == 204
    cloud.settle()
    assert files(cloud) == []


def test_operators_read_all_tasks(cloud: TestCloud, member: Client) -> None:
    images = [importing(member, name=name) for name in ("a", "b", "c")]
    cloud.settle()
    admin = cloud.as_(caller("admin", "ops"), private=True)
    body = admin.get("/image/v2/tasks?limit=2").expect(200)
    assert [each["image_id"] for each in body["tasks"]] == [images[2]["id"], images[1]["id"]]
    assert "input" not in body["tasks"][0]
    rest = admin.get(f"/image{body['next']}").expect(200)
    assert [each["image_id"] for each in rest["tasks"]] == [images[0]["id"]]
    assert "next" not in rest
    assert admin.get("/image/v2/tasks?status=failure").expect(200)["tasks"] == []
    assert admin.get("/image/v2/tasks?type=import").expect(200)["tasks"] == []
    assert admin.get("/image/v2/tasks").expect(200)["first"] == "/v2/tasks"
    task = rest["tasks"][0]
    assert admin.get(f"/image/v2/tasks/{task['id']}").expect(200)["status"] == "success"
    assert admin.get(f"/image/v2/tasks/{unknown_id()}").status == 404
    assert len(admin.get("/image/v2/tasks?type=api_image_import").expect(200)["tasks"]) == 3
    for query in ("limit=x", "marker=x", "status=good", "colour=red", "type=export"):
        assert admin.get(f"/image/v2/tasks?{query}").status == 400
    assert member.get("/image/v2/tasks").status == 403
    assert cloud.as_(caller(project="p2")).get(
        f"/image/v2/images/{images[0]['id']}/tasks").status == 404  # fmt: skip


def test_an_images_newest_tasks_are_kept(
    cloud: TestCloud, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT", 1)
    image = importing(member, qcow2(backing=512), disk_format="qcow2")
    cloud.settle()
    first = tasks(member, image)[0]["id"]
    assert stage(member, image["id"], qcow2()).status == 204
    assert begin(member, image).status == 202
    (task,) = tasks(member, image)
    assert task["id"] != first


def test_the_one_store(cloud: TestCloud, member: Client) -> None:
    image = active(member)
    path = f"/image/v2/stores/local/{image['id']}"
    assert member.delete(path).status == 403
    assert member.delete(f"/image/v2/stores/other/{image['id']}").status == 404
    assert member.delete(f"/image/v2/stores/local/{create(member)['id']}").status == 409
    admin = cloud.as_(caller("admin", "ops"), private=True)
    detail = admin.get("/image/v2/info/stores/detail").expect(200)["stores"]
    assert (detail[0]["id"], detail[0]["type"]) == ("local", "file")
    elsewhere = {"x-image-meta-store": "elsewhere"}
    assert put(member, create(member)["id"], b"data", **elsewhere).status == 400
    made = member.post("/image/v2/images", BARE)
    assert made.headers["openstack-image-import-methods"] == "glance-direct,web-download"


def test_task_schemas(member: Client) -> None:
    for name in ("task", "tasks"):
        assert member.get(f"/image/v2/schemas/{name}").expect(200)["name"] == name


@pytest.mark.parametrize("worker", [True, False])
def test_an_image_that_is_deleted_while_it_is_staged(
    cloud: TestCloud, member: Client, monkeypatch: pytest.MonkeyPatch, worker: bool
) -> None:
    image = create(member)
    stage_file = data.stage

    def delete_first(folder: Path, image_id: str) -> None:
        assert member.delete(f"/image/v2/images/{image_id}").status == 204
        if worker:
            cloud.settle()
        stage_file(folder, image_id)

    monkeypatch.setattr(data, "stage", delete_first)
    assert stage(member, image["id"], b"data").status == 410
    cloud.settle()
    assert files(cloud) == []


def test_staging_that_another_upload_took_over(
    cloud: TestCloud, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = create(member)
    monkeypatch.setattr(images, "end_staging", lambda *_: False)
    assert stage(member, image["id"], b"data").status == 410
    assert show(member, image["id"])["status"] == "queued"
    assert files(cloud) == []
