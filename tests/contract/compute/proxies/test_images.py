"""Images as compute showed them until microversion 2.35, and their metadata until 2.38."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from andromede.http.access import AccessRule
from tests.contract.compute.proxies.older import Older
from tests.contract.compute.servers.helpers import ROOT
from tests.contract.image.helpers import active, create
from tests.harness import caller


def names(body: Any) -> set[str]:
    return {each["name"] for each in body["images"]}


def test_one_is_shown_with_what_it_is_made_of(older: Older) -> None:
    made = active(older.member, b"x" * 10, name="one", os_distro="debian", min_ram=64)
    shown = older.get(f"images/{made['id']}")["image"]
    links = shown.pop("links")
    assert shown == {
        "id": made["id"], "name": "one", "status": "ACTIVE", "progress": 100, "minRam": 64,
        "minDisk": 0, "created": made["created_at"], "updated": made["updated_at"],
        "metadata": {"os_distro": "debian"}, "OS-EXT-IMG-SIZE:size": 10,
    }  # fmt: skip
    assert [(each["rel"], each["href"].partition(":8443")[2]) for each in links] == [
        ("self", f"/compute/v2.1/images/{made['id']}"),
        ("bookmark", f"/compute/images/{made['id']}"),
        ("alternate", f"/image/images/{made['id']}"),
    ]


def test_one_without_data_is_saving(older: Older) -> None:
    made = create(older.member, name="none", auto_disk_config="True", status_of="x")
    shown = older.get(f"images/{made['id']}")["image"]
    assert (shown["status"], shown["progress"], shown["OS-EXT-IMG-SIZE:size"]) == ("SAVING", 25, 0)
    assert shown["OS-DCF:diskConfig"] == "AUTO"
    older.member.patch(
        f"/image/v2/images/{made['id']}",
        [{"op": "replace", "path": "/auto_disk_config", "value": "no"}],
        headers={"content-type": "application/openstack-images-v2.1-json-patch"},
    ).expect(200)
    assert older.get(f"images/{made['id']}")["image"]["OS-DCF:diskConfig"] == "MANUAL"


def test_lists_filter_and_page(older: Older) -> None:
    server = "7b3e2c1d-0000-4000-8000-000000000001"
    active(older.member, name="a", image_type="snapshot", instance_uuid=server, min_ram=7)
    create(older.member, name="b", min_disk=3)
    assert {"a", "b"} <= names(older.get("images"))
    assert names(older.get("images?status=saving")) == {"b"}
    assert "b" not in names(older.get("images/detail?status=ACTIVE"))
    assert names(older.get("images?status=UNSEEN")) == set()
    assert names(older.get("images?type=snapshot")) == {"a"}
    assert names(older.get("images?minRam=7")) == names(older.get("images?name=a")) == {"a"}
    assert names(older.get("images?minDisk=3")) == {"b"}
    assert names(older.get("images?property-image_type=snapshot")) == {"a"}
    assert {"a", "b"} <= names(older.get("images?changes-since=2020-01-01T00:00:00Z&unknown=1"))
    assert older.get("images?changes-since=2999-01-01T00:00:00Z") == {"images": []}
    [found] = older.get(f"images/detail?server=http://x/v2.1/servers/{server}")["images"]
    assert found["server"]["id"] == server
    assert {each["rel"] for each in found["server"]["links"]} == {"self", "bookmark"}


def test_pages_follow_each_other(older: Older) -> None:
    for at in range(3):
        create(older.member, name=f"page-{at}")
    seen: list[str] = []
    path = "images?limit=2"
    while path:
        page = older.get(path)
        assert len(page["images"]) <= 2
        seen += [each["id"] for each in page["images"]]
        [link] = page.get("images_links", [{"href": ""}])
        path = link["href"].partition("/v2.1/")[2]
    assert len(seen) == len(set(seen)) == 4  # the site's own too
    older.get("images?marker=none", 400)
    older.get("images?limit=x", 400)


def test_its_owner_deletes_one(older: Older) -> None:
    made = create(older.member, name="gone")
    path = f"{ROOT}/images/{made['id']}"
    assert older.other.delete(path).status == 404
    assert older.reader.delete(path).status == 403
    assert older.member.delete(path).status == 204
    assert older.member.delete(path).status == 404
    held = create(older.member, name="held", protected=True)
    assert older.member.delete(f"{ROOT}/images/{held['id']}").status == 403


@pytest.mark.parametrize("name", ["none", "00000000-0000-4000-8000-000000000000"])
def test_what_is_no_image_is_not_found(older: Older, name: str) -> None:
    for path in (f"images/{name}", f"images/{name}/metadata", f"images/{name}/metadata/k"):
        older.get(path, 404)


def test_later_versions_have_them_no_more(older: Older) -> None:
    image = older.site.image
    assert older.at("2.35").get(f"{ROOT}/images/{image}").status == 200
    assert older.at("2.36").get(f"{ROOT}/images/{image}").status == 404
    assert older.at("2.38").get(f"{ROOT}/images/{image}/metadata").status == 200
    assert older.at("2.39").get(f"{ROOT}/images/{image}/metadata").status == 404


def test_metadata_are_the_images_properties(older: Older) -> None:
    path = f"images/{create(older.member, name='m', a='1')['id']}/metadata"
    assert older.get(path) == {"metadata": {"a": "1"}}
    merged = older.call("POST", path, {"metadata": {"b": "2", "a:c": "3"}}).expect(200)
    assert merged == {"metadata": {"a": "1", "b": "2", "a:c": "3"}}
    assert older.get(f"{path}/b") == {"meta": {"b": "2"}}
    assert older.call("PUT", f"{path}/b", {"meta": {"b": "3"}}).expect(200) == {"meta": {"b": "3"}}
    replaced = older.call("PUT", path, {"metadata": {"c": "4", "b": "3"}}).expect(200)
    assert replaced == {"metadata": {"c": "4", "b": "3"}} == older.get(path)
    assert older.call("DELETE", f"{path}/c").status == 204
    assert older.get(path) == {"metadata": {"b": "3"}}


def test_metadata_with_strange_names_are_taken_away(older: Older) -> None:
    path = f"images/{create(older.member, name='m', **{'a/b~c': '1'})['id']}/metadata"
    assert older.get(path) == {"metadata": {"a/b~c": "1"}}
    assert older.call("PUT", path, {"metadata": {}}).expect(200) == {"metadata": {}}


def test_metadata_that_cannot_be_change_nothing(older: Older) -> None:
    made = create(older.member, name="m", a="1")
    path = f"images/{made['id']}/metadata"
    older.get(f"{path}/none", 404)
    assert older.call("DELETE", f"{path}/none").status == 404
    assert older.call("PUT", f"{path}/a", {"meta": {"b": "1"}}).status == 400
    for value in ({}, 3, None):
        assert older.call("POST", path, {"metadata": {"a": value}}).status == 400
    for name in ("visibility", "owner", "id", "size", "locations", "os_glance_x"):
        assert older.call("POST", path, {"metadata": {name: "public"}}).status == 403
    many = {f"k{at}": "v" for at in range(129)}
    assert older.call("PUT", path, {"metadata": many}).status == 403
    assert older.other.put(f"{ROOT}/{path}", {"metadata": {}}).status == 404
    assert older.get(path) == {"metadata": {"a": "1"}}


def test_an_operator_writes_metadata_of_everybodys_images(older: Older) -> None:
    made = create(older.admin, name="all", visibility="public")
    root = caller("admin", None, user="root", system=True)
    system = older.site.cloud.as_(root, private=True, **{"OpenStack-API-Version": "compute 2.1"})
    path = f"{ROOT}/images/{made['id']}/metadata"
    assert system.put(path, {"metadata": {"x": "y"}}).expect(200) == {"metadata": {"x": "y"}}
    assert older.call("PUT", path.removeprefix(f"{ROOT}/"), {"metadata": {}}).status == 403


def test_an_application_credential_is_for_both_requests(older: Older) -> None:
    """What the image service is asked is asked in the caller's name, as upstream asks it."""
    made = create(older.member, name="one")
    rules = (
        AccessRule(service="compute", method="GET", path="/v2.1/images/{id}"),
        AccessRule(service="image", method="GET", path="/v2/images/{id}"),
    )
    path = f"{ROOT}/images/{made['id']}"
    for held, status in ((rules, 200), (rules[:1], 401), (rules[1:], 401)):
        robot = msgspec.structs.replace(caller(), access_rules=held)
        client = older.site.cloud.as_(robot, **{"OpenStack-API-Version": "compute 2.35"})
        assert client.get(path).status == status
