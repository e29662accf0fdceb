"""Members of images: offered, accepted, rejected, taken back; who sees what; what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services.image import api
from andromede.services.image.members import routes
from andromede.services.image.members.store import member
from andromede.sovereignty.log.leaves import leaf
from tests.contract.image.helpers import active, create, names, patch, replace
from tests.harness import Answer, Client, TestCloud, caller, unknown_id
from tests.policies import set_allowed_sites


def members(image: dict[str, Any], project: str = "") -> str:
    path = f"/image/v2/images/{image['id']}/members"
    return f"{path}/{project}" if project else path


def offer(owner: Client, image: dict[str, Any], project: str = "p2") -> dict[str, Any]:
    made: dict[str, Any] = owner.post(members(image), {"member": project}).expect(200)
    return made


def answer(client: Client, image: dict[str, Any], status: str, project: str = "p2") -> Answer:
    return client.put(members(image, project), {"status": status})


@pytest.fixture
def owner(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), accept="application/json")


@pytest.fixture
def other(cloud: TestCloud) -> Client:
    return cloud.as_(caller(project="p2"), accept="application/json")


def test_an_offer_is_seen_at_once_and_listed_once_accepted(owner: Client, other: Client) -> None:
    image = active(owner, b"shared data", name="offered")
    path = f"/image/v2/images/{image['id']}"
    assert other.get(path).status == 404
    made = offer(owner, image)
    assert set(made) == {"member_id", "image_id", "status", "created_at", "updated_at", "schema"}
    assert (made["member_id"], made["image_id"], made["status"]) == ("p2", image["id"], "pending")
    assert other.get(path).expect(200)["name"] == "offered"
    assert other.get(f"{path}/file").body == b"shared data"
    assert names(other) == []
    assert names(other, "?visibility=shared&member_status=pending") == ["offered"]
    assert answer(other, image, "accepted").expect(200)["status"] == "accepted"
    for query in ("", "?visibility=shared", "?visibility=all", "?member_status=all"):
        assert names(other, query) == ["offered"], query
    assert names(other, "?member_status=rejected") == []
    assert names(other, "?visibility=private") == []
    assert answer(other, image, "rejected").status == 200
    assert names(other) == []
    assert names(other, "?member_status=rejected") == ["offered"]
    assert names(owner) == ["offered"]


def test_a_member_that_is_taken_off_sees_nothing_more(owner: Client, other: Client) -> None:
    image = create(owner)
    offer(owner, image)
    assert answer(other, image, "accepted").status == 200
    assert other.delete(members(image, "p2")).status == 403
    assert owner.delete(members(image, "p2")).status == 204
    assert names(other) == []
    assert other.get(f"/image/v2/images/{image['id']}").status == 404
    assert owner.delete(members(image, "p2")).status == 404


def test_lists_and_shows_of_members(cloud: TestCloud, owner: Client, other: Client) -> None:
    image = create(owner)
    first, second = offer(owner, image), offer(owner, image, "p3")
    body = owner.get(members(image)).expect(200)
    assert body == {"members": [first, second], "schema": "/v2/schemas/members"}
    assert other.get(members(image)).expect(200)["members"] == [first]
    assert other.get(members(image, "p2")).expect(200) == first
    assert other.get(members(image, "p3")).status == 404
    assert owner.get(members(image, "p3")).expect(200) == second
    assert owner.get(members(image, "p9")).status == 404
    stranger = cloud.as_(caller(project="p4"))
    assert stranger.get(members(image)).status == 404
    admin = cloud.as_(caller("admin", "ops"), private=True)
    assert len(admin.get(members(image)).expect(200)["members"]) == 2
    reader = cloud.as_(caller("reader"))
    assert reader.get(members(image)).status == 200
    assert reader.post(members(image), {"member": "p5"}).status == 403


def test_only_the_member_answers(cloud: TestCloud, owner: Client, other: Client) -> None:
    image = create(owner)
    offer(owner, image)
    assert answer(owner, image, "accepted").status == 403
    assert answer(other, image, "maybe").status == 400
    assert answer(other, image, "accepted", "p3").status == 404
    assert answer(cloud.as_(caller(project="p3")), image, "accepted").status == 404
    assert other.get(members(image, "p2")).expect(200)["status"] == "pending"
    admin = cloud.as_(caller("admin", "ops"), private=True)
    assert answer(admin, image, "accepted").expect(200)["status"] == "accepted"
    assert answer(other, image, "accepted").expect(200)["status"] == "accepted"


@pytest.mark.parametrize("visibility", ["private", "community"])
def test_only_shared_images_have_members(owner: Client, other: Client, visibility: str) -> None:
    image = create(owner)
    offer(owner, image)
    assert patch(owner, image["id"], replace("visibility", visibility)).status == 200
    assert owner.get(members(image)).status == 403
    assert owner.post(members(image), {"member": "p3"}).status == 403
    assert owner.delete(members(image, "p2")).status == 403
    assert owner.get(members(image, "p2")).status == 404
    seen = 404 if visibility == "private" else 403
    assert answer(other, image, "accepted").status == seen
    assert patch(owner, image["id"], replace("visibility", "shared")).status == 200
    assert other.get(members(image, "p2")).expect(200)["status"] == "pending"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"member": ""}, 400), ({"member": 3}, 400), ({"member": "m" * 65}, 400),
     ({"member": None}, 400), ([], 400), ({"member": "p2"}, 409)],
)  # fmt: skip
def test_faulty_offers_change_nothing(owner: Client, body: Any, status: int) -> None:
    image = create(owner)
    offer(owner, image)
    assert owner.post(members(image), body).status == status
    assert len(owner.get(members(image)).expect(200)["members"]) == 1


def test_another_project_offers_nothing(owner: Client, other: Client) -> None:
    image = create(owner)
    assert other.post(members(image), {"member": "p2"}).status == 404
    offer(owner, image)
    assert other.post(members(image), {"member": "p3"}).status == 403
    assert owner.post(members({"id": unknown_id()}), {"member": "p2"}).status == 404
    assert other.put(members(image, "p2"), {}).status == 400


def test_members_are_counted(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST", 1)
    image = create(owner)
    offer(owner, image)
    assert owner.post(members(image), {"member": "p3"}).status == 413


def test_members_go_with_their_image(cloud: TestCloud, owner: Client) -> None:
    image = create(owner)
    offer(owner, image)
    assert owner.delete(f"/image/v2/images/{image['id']}").status == 204
    with cloud.database.read() as connection:
        assert connection.execute(sa.select(member)).all() == []


def test_a_policy_refuses_to_share(cloud: TestCloud, owner: Client) -> None:
    image = create(owner)
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    message = owner.post(members(image), {"member": "p2"}).expect(403)["message"]
    assert "allowed_sites" in message
    assert owner.get(members(image)).expect(200)["members"] == []


def test_offers_and_answers_are_leaves_of_the_owner(
    cloud: TestCloud, owner: Client, other: Client
) -> None:
    image = create(owner)
    offer(owner, image)
    assert answer(other, image, "accepted").status == 200
    query = sa.select(leaf).where(leaf.c.action.like("image:member:%")).order_by(leaf.c.arrival)
    with cloud.database.read() as connection:
        found = connection.execute(query).all()
    assert [(row.action, row.project_id, row.subject) for row in found] == [
        ("image:member:create", "p1", image["id"]), ("image:member:update", "p1", image["id"]),
    ]  # fmt: skip
    assert found[1].detail == {"member": "p2", "status": "accepted"}


def test_a_member_boots_it_and_an_unscoped_caller_does_not(cloud: TestCloud, owner: Client) -> None:
    image = active(owner, b"data")
    offer(owner, image)
    with cloud.database.read() as connection:
        found = api.image_for_boot(connection, caller(project="p2"), image["id"])
        assert found.private_to == "p1"
        seen = api.reach(connection, caller(project="p2"), image["id"])
        assert seen is not None
        assert (seen.see, seen.change) == (True, False)
        unscoped = api.reach(connection, caller(project=None), image["id"])
        assert unscoped is not None
        assert not unscoped.see


def test_member_schemas(owner: Client) -> None:
    for name in ("member", "members"):
        assert owner.get(f"/image/v2/schemas/{name}").expect(200)["name"] == name
