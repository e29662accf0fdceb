"""Properties that the cloud's settings protect, at every door by which one is written or seen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from andromede.config import Protection
from tests.contract.image.helpers import OLD_PATCH, create, names, patch, replace, show
from tests.harness import Client, TestCloud, caller

LICENCE = Protection(name="licence", create=("admin",), read=("@",), update=("admin",))
BILLING = Protection(
    name="billing_*", create=("admin", "clerk"), read=("admin", "clerk"), update=("admin",),
    delete=("clerk",),
)  # fmt: skip
CLOSED = Protection(name="x_*")  # nobody's
REST = Protection(name="x*", create=("@",), read=("@",), update=("@",), delete=("@",))


@pytest.fixture(autouse=True)
def protect(cloud: TestCloud) -> None:
    rules = (LICENCE, BILLING, CLOSED, REST)
    cloud.cloud.config = msgspec.structs.replace(cloud.cloud.config, image_properties=rules)


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), accept="application/json")


@pytest.fixture
def clerk(cloud: TestCloud) -> Client:
    who = msgspec.structs.replace(caller(user="u2"), roles=frozenset({"member", "reader", "clerk"}))
    return cloud.as_(who, accept="application/json")


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", user="op"), private=True, accept="application/json")


def new(client: Client, **properties: str) -> Any:
    body = {"disk_format": "raw", "container_format": "bare", **properties}
    return client.post("/image/v2/images", body)


def test_creating_asks_for_a_role(member: Client, clerk: Client, admin: Client) -> None:
    refused = new(member, licence="gpl").expect(403)
    assert "licence is protected" in refused["message"]
    assert names(member) == []
    assert new(member, billing_code="7").status == 403
    assert new(clerk, billing_code="7").status == 201
    assert new(admin, licence="gpl", billing_code="7").status == 201
    assert new(member, free="1", xylophone="2").status == 201
    for client in (member, clerk, admin):
        assert new(client, x_closed="1").status == 403


def test_what_may_not_be_seen_is_not_shown(member: Client, clerk: Client, admin: Client) -> None:
    made = new(admin, licence="gpl", billing_code="7").expect(201)
    assert made["billing_code"] == "7"
    assert show(clerk, made["id"])["billing_code"] == "7"
    shown = show(member, made["id"])
    assert shown["licence"] == "gpl"
    assert "billing_code" not in shown
    (listed,) = member.get("/image/v2/images").expect(200)["images"]
    assert "billing_code" not in listed
    found = [
        [each["id"] for each in client.get("/image/v2/images?billing_code=7").expect(200)["images"]]
        for client in (member, clerk)
    ]
    assert found == [[], [made["id"]]]
    changed = patch(member, made["id"], replace("name", "new")).expect(200)
    assert "billing_code" not in changed
    assert show(clerk, made["id"])["billing_code"] == "7"


def add(name: str, value: str) -> dict[str, str]:
    return {"op": "add", "path": f"/{name}", "value": value}


def remove(name: str) -> dict[str, str]:
    return {"op": "remove", "path": f"/{name}"}


def test_changing_asks_for_a_role(member: Client, clerk: Client, admin: Client) -> None:
    made = new(admin, licence="gpl", billing_code="7", free="1").expect(201)["id"]
    before = show(admin, made)
    for change, status in (
        (replace("licence", "mit"), 403), (add("licence", "mit"), 403), (remove("licence"), 403),
        (add("billing_more", "1"), 403), (add("billing_code", "1"), 403),
        (replace("billing_code", "1"), 409), (remove("billing_code"), 409),
        (add("x_closed", "1"), 403),
    ):  # fmt: skip
        assert patch(member, made, replace("free", "2"), change).status == status, change
    assert show(admin, made) == before
    old = [{"add": "/billing_code", "value": "1"}]
    path = f"/image/v2/images/{made}"
    assert member.patch(path, old, headers=OLD_PATCH).status == 403
    assert clerk.patch(path, old, headers=OLD_PATCH).status == 409
    assert patch(clerk, made, replace("billing_code", "8")).status == 403
    assert patch(admin, made, replace("billing_code", "8")).status == 200
    assert patch(admin, made, remove("billing_code")).status == 403
    assert patch(admin, made, replace("licence", "mit")).expect(200)["licence"] == "mit"
    assert patch(admin, made, remove("licence")).status == 403
    assert "billing_code" not in patch(clerk, made, remove("billing_code")).expect(200)
    assert patch(member, made, add("xylophone", "2"), remove("free")).status == 200


def test_the_clouds_own_marks_are_for_all_to_see(cloud: TestCloud, member: Client) -> None:
    rules = (Protection(name="*"),)
    cloud.cloud.config = msgspec.structs.replace(cloud.cloud.config, image_properties=rules)
    image = create(member)
    path = f"/image/v2/images/{image['id']}"
    octets = {"content-type": "application/octet-stream"}
    assert member.put(f"{path}/stage", raw=b"data", headers=octets).status == 204
    assert member.post(f"{path}/import", {"method": {"name": "glance-direct"}}).status == 202
    assert show(member, image["id"])["os_glance_importing_to_stores"] == "local"
    assert new(member, free="1").status == 403
