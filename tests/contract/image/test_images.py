"""Images without their data: create, show, change, delete."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from andromede.services.image.store import image, image_property, image_tag
from andromede.sovereignty.log.leaves import leaf
from tests.contract.image.helpers import OLD_PATCH, active, create, patch, replace, show
from tests.harness import TestCloud, caller, unknown_id
from tests.policies import set_allowed_sites

EXPECTED = {
    "checksum", "container_format", "created_at", "disk_format", "file", "id", "min_disk",
    "min_ram", "name", "os_hash_algo", "os_hash_value", "os_hidden", "owner", "protected",
    "schema", "self", "size", "status", "tags", "updated_at", "virtual_size", "visibility",
}  # fmt: skip


def test_discovery(cloud: TestCloud) -> None:
    for path, status in (("/image", 300), ("/image/", 300), ("/image/versions", 200)):
        versions = cloud.as_().get(path).expect(status)["versions"]
        assert versions[0] == {
            "id": "v2.15",
            "status": "CURRENT",
            "links": [{"rel": "self", "href": "https://cloud.test:8443/image/v2/"}],
        }
        assert {each["status"] for each in versions[1:]} == {"SUPPORTED"}
        assert versions[-1]["id"] == "v2.0"
    assert cloud.as_().get("/image/v2/").status == 300


def test_a_new_image_is_queued_and_keeps_what_it_was_given(cloud: TestCloud) -> None:
    answer = cloud.as_(caller()).post(
        "/image/v2/images",
        {
            "name": "tiny", "disk_format": "qcow2", "container_format": "bare", "min_ram": 64,
            "min_disk": 1, "tags": ["b", "a", "b"], "protected": True, "os_hidden": True,
            "os_distro": "debian", "owner_specified.openstack.md5": "x", "visibility": "private",
        },
    )  # fmt: skip
    body = answer.expect(201)
    assert answer.headers["location"] == f"https://cloud.test:8443/image/v2/images/{body['id']}"
    assert set(body) == EXPECTED | {"os_distro", "owner_specified.openstack.md5"}
    assert body["status"] == "queued"
    assert body["tags"] == ["a", "b"]
    assert (body["owner"], body["visibility"], body["size"]) == ("p1", "private", None)
    assert (body["min_ram"], body["min_disk"], body["protected"]) == (64, 1, True)
    assert body["file"] == f"/v2/images/{body['id']}/file"
    assert show(cloud.as_(caller()), body["id"]) == body


def test_defaults(cloud: TestCloud) -> None:
    body = cloud.as_(caller()).post("/image/v2/images", {}).expect(201)
    assert set(body) == EXPECTED
    assert body["visibility"] == "shared"
    assert (body["name"], body["disk_format"], body["protected"]) == (None, None, False)


FAULTY_IMAGES: list[tuple[dict[str, Any], int, str]] = [
    ({"disk_format": "floppy"}, 400, "disk_format"),
    ({"container_format": ["bare"]}, 400, "container_format"),
    ({"visibility": None}, 400, "visibility"),
    ({"visibility": "public"}, 403, "publicize_image"),
    ({"min_ram": -1}, 400, "min_ram"),
    ({"min_disk": True}, 400, "min_disk"),
    ({"min_disk": 2**31}, 400, "min_disk"),
    ({"protected": "yes"}, 400, "protected"),
    ({"name": "n" * 256}, 400, "name"),
    ({"tags": "a"}, 400, "tags"),
    ({"tags": [1]}, 400, "tags"),
    ({"tags": ["t" * 256]}, 400, "tags"),
    ({"tags": [f"t{n}" for n in range(129)]}, 413, "tags"),
    ({"colour": 3}, 400, "colour"),
    ({"c" * 256: "x"}, 400, "custom property"),
    ({"": "x"}, 400, "custom property"),
    ({f"p{n}": "x" for n in range(129)}, 413, "properties"),
    ({"id": "17"}, 400, "UUID"),
    ({"id": 17}, 400, "UUID"),
    ({"owner": "p2"}, 403, "owned by 'p2'"),
    ({"owner": ""}, 400, "owner"),
    ({"status": "active"}, 403, "read-only"),
    ({"size": 3}, 403, "read-only"),
    ({"location": "file:///etc/passwd"}, 403, "reserved"),
    ({"locations": []}, 403, "reserved"),
    ({"deleted": "True"}, 403, "reserved"),
    ({"os_glance_x": "1"}, 403, "reserved"),
    ({"andromede_content": "ok"}, 403, "reserved"),
]


def test_faulty_images_are_refused_and_change_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller(), accept="application/json")
    for attributes, status, says in FAULTY_IMAGES:
        answer = member.post("/image/v2/images", attributes)
        assert says in answer.expect(status)["message"]
    with cloud.database.read() as connection:
        for table in (image, image_tag, image_property, leaf):
            assert connection.execute(sa.select(table)).all() == []


def test_an_error_is_json_or_a_page(cloud: TestCloud) -> None:
    wanted = unknown_id()
    path = f"/image/v2/images/{wanted}"
    answer = cloud.as_(caller(), accept="application/json").get(path)
    assert answer.expect(404) == {
        "message": f"No image found with ID {wanted}",
        "code": "404 Not Found",
        "title": "Not Found",
    }
    page = cloud.as_(caller(), accept="*/*").get(path)
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/html")
    assert f"No image found with ID {wanted}".encode() in page.body


def test_an_id_is_given_once(cloud: TestCloud) -> None:
    member, wanted = cloud.as_(caller()), str(uuid.uuid4())
    assert create(member, id=wanted.upper())["id"] == wanted
    assert member.post("/image/v2/images", {"id": wanted}).status == 409
    assert member.delete(f"/image/v2/images/{wanted}").status == 204
    cloud.settle()
    assert member.post("/image/v2/images", {"id": wanted}).status == 409


def test_operators_create_for_others_and_publish(cloud: TestCloud) -> None:
    operator = cloud.as_(caller("admin", None, system=True))
    assert operator.post("/image/v2/images", {}).status == 400
    made = create(operator, owner="p1", visibility="public")
    assert made["owner"] == "p1"
    assert show(cloud.as_(caller("reader", "p2")), made["id"])["visibility"] == "public"


def test_admission_decides_where_images_lie(cloud: TestCloud) -> None:
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    answer = cloud.as_(caller(), accept="application/json").post("/image/v2/images", {})
    assert "allowed_sites" in answer.expect(403)["message"]


def test_the_count_of_images_is_limited(cloud: TestCloud) -> None:
    from andromede.quotas import set_limits

    cloud.database.transact(lambda c: set_limits(c, "image", "p1", {"image_count_total": 1}))
    create(cloud.as_(caller()))
    answer = cloud.as_(caller()).post("/image/v2/images", {})
    assert answer.status == 413
    assert b"image_count_total" in answer.body
    create(cloud.as_(caller(project="p2")))


def test_changes_are_applied_in_order(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member, os_distro="debian", old="1")
    changed = patch(
        member, made["id"],
        replace("name", "new"), replace("tags", ["z", "y"]), replace("os_distro", "alpine"),
        {"op": "add", "path": "/a~1b~0c", "value": "slash"}, {"op": "remove", "path": "/old"},
        {"op": "add", "path": "/min_ram", "value": 5}, replace("visibility", "community"),
        replace("protected", True), replace("disk_format", "qcow2"),
    ).expect(200)  # fmt: skip
    assert changed["name"] == "new"
    assert changed["tags"] == ["y", "z"]
    assert (changed["os_distro"], changed["a/b~c"], changed["min_ram"]) == ("alpine", "slash", 5)
    assert "old" not in changed
    assert show(member, made["id"]) == changed
    assert patch(member, made["id"]).expect(200) == changed


FAULTY_CHANGES: list[tuple[Any, int, str]] = [
    (replace("status", "active"), 403, "read-only"),
    (replace("checksum", "x"), 403, "read-only"),
    (replace("id", "x"), 403, "read-only"),
    (replace("owner", "p2"), 403, "non admin"),
    (replace("location", "x"), 403, "reserved"),
    (replace("os_glance_x", "x"), 403, "reserved"),
    (replace("locations", []), 403, "locations"),
    ({"op": "add", "path": "/locations/-", "value": {}}, 403, "locations"),
    ({"op": "remove", "path": "/name"}, 403, "may not be removed"),
    (replace("visibility", "public"), 403, "publicize_image"),
    (replace("visibility", "none"), 400, "visibility"),
    (replace("nothing", "x"), 409, "does not exist"),
    ({"op": "remove", "path": "/nothing"}, 409, "does not exist"),
    ({"op": "move", "path": "/name", "value": "x"}, 400, "operation"),
    ({"path": "/name", "value": "x"}, 400, "operation"),
    ({"op": "add", "path": "/name"}, 400, "value"),
    ({"op": "add", "path": "name", "value": "x"}, 400, "start with"),
    ({"op": "add", "path": 3, "value": "x"}, 400, "start with"),
    ({"op": "add", "path": "/a~2", "value": "x"}, 400, "escape"),
    ({"op": "add", "path": "/", "value": "x"}, 400, "pointer"),
    ({"op": "add", "path": "/tags/-", "value": "x"}, 400, "pointer"),
    (replace("min_disk", "3"), 400, "min_disk"),
    ("change", 400, "JSON objects"),
]


def test_faulty_changes_change_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller(), accept="application/json")
    made = create(member)
    for change, status, says in FAULTY_CHANGES:
        answer = patch(member, made["id"], replace("name", "half"), change)
        assert says in answer.expect(status)["message"]
        assert show(member, made["id"]) == made


def test_the_form_of_a_change_is_named_by_its_media_type(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member, colour="red")
    path = f"/image/v2/images/{made['id']}"
    refused = member.patch(path, [])
    assert refused.status == 415
    assert "openstack-images-v2.1-json-patch" in refused.headers["accept-patch"]
    old = [{"replace": "/name", "value": "n"}, {"add": "/size_hint", "value": "s"}]
    changed = member.patch(path, old, headers=OLD_PATCH).expect(200)
    assert (changed["name"], changed["size_hint"]) == ("n", "s")
    for body, status in (
        ([{"add": "/colour", "value": "x"}], 409),
        ([{"add": "/name", "value": "x"}], 409),
        ([{"add": "/a", "remove": "/b"}], 400),
        ([{}], 400),
        ({}, 400),
    ):
        assert member.patch(path, body, headers=OLD_PATCH).status == status
    assert show(member, made["id"]) == changed


def test_operators_change_owners_where_policy_allows(cloud: TestCloud) -> None:
    operator = cloud.as_(caller("admin", "ops"))
    made = create(cloud.as_(caller()))
    cloud.database.transact(lambda c: set_allowed_sites(c, "p3", []))
    assert patch(operator, made["id"], replace("owner", "p3")).status == 403
    assert patch(operator, made["id"], replace("owner", "p2")).expect(200)["owner"] == "p2"
    assert cloud.as_(caller()).get(f"/image/v2/images/{made['id']}").status == 404


def test_formats_are_fixed_once_there_are_data(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member)
    assert patch(member, made["id"], replace("disk_format", "qcow2")).status == 403
    assert patch(member, made["id"], replace("container_format", "ova")).status == 403


def test_tags(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    path = f"/image/v2/images/{made['id']}/tags"
    for _ in range(2):
        assert member.put(f"{path}/one%20two").status == 204
    assert show(member, made["id"])["tags"] == ["one two"]
    assert member.put(f"{path}/{'t' * 256}").status == 400
    assert member.delete(f"{path}/one%20two").status == 204
    assert member.delete(f"{path}/one%20two").status == 404
    assert member.put(f"/image/v2/images/{unknown_id()}/tags/x").status == 404


def test_other_projects_images_are_not_there(cloud: TestCloud) -> None:
    other = cloud.as_(caller(project="p2"))
    made = create(cloud.as_(caller()), visibility="private")
    path = f"/image/v2/images/{made['id']}"
    assert other.get(path).status == 404
    assert other.get(f"{path}/file").status == 404
    assert patch(other, made["id"], replace("name", "x")).status == 404
    assert other.delete(path).status == 404
    assert other.put(f"{path}/tags/x").status == 404
    assert other.post(f"{path}/actions/deactivate").status == 404
    patch(cloud.as_(caller()), made["id"], replace("visibility", "community")).expect(200)
    assert other.get(path).status == 200
    assert patch(other, made["id"], replace("name", "x")).status == 403
    assert other.delete(path).status == 403
    assert cloud.as_(caller("reader")).delete(path).status == 403
    assert cloud.as_(caller("reader")).get(f"{path}/file").status == 403


def test_deleting(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, protected=True, tags=["t"], colour="red")
    path, file = f"/image/v2/images/{made['id']}", cloud.paths.images / made["id"]
    assert member.delete(path).status == 403
    assert file.exists()
    patch(member, made["id"], replace("protected", False)).expect(200)
    assert member.delete(path).status == 204
    assert member.get(path).status == 404
    assert member.delete(path).status == 404
    cloud.settle()
    assert not file.exists()
    assert cloud.engine.calls["remove_image"] == 1
    with cloud.database.read() as connection:
        assert connection.execute(sa.select(image_tag)).all() == []
        assert connection.execute(sa.select(image_property)).all() == []


def test_every_change_is_in_the_log(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member)
    member.delete(f"/image/v2/images/{made['id']}")
    with cloud.database.read() as connection:
        leaves = connection.execute(sa.select(leaf).order_by(leaf.c.arrival)).all()
    assert [(each.action, each.subject, each.project_id) for each in leaves] == [
        (f"image:{act}", made["id"], "p1")
        for act in ("image:create", "data:upload", "image:delete")
    ]
    assert leaves[1].detail == {"size": 4, "sha512": made["os_hash_value"]}


def test_schemas_and_information(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    document = member.get("/image/v2/schemas/image").expect(200)
    assert document["name"] == "image"
    assert set(document["properties"]) == EXPECTED | {"stores"}
    assert member.get("/image/v2/schemas/images").expect(200)["name"] == "images"
    found = member.get("/image/v2/info/import").expect(200)
    assert found["import-methods"]["value"] == ["glance-direct", "web-download"]
    assert [e["id"] for e in member.get("/image/v2/info/stores").expect(200)["stores"]] == ["local"]


def test_an_image_without_a_name_is_none(cloud: TestCloud) -> None:
    member = cloud.as_(caller(), accept="application/json")
    assert member.get("/image/v2/images/").status == 404
    assert member.delete("/image/v2/images/").status == 404
