"""Every look of an operator at what is a customer's is a leaf; customers' own looks are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede.sovereignty.log.leaves import leaf
from tests.contract.compute.servers.helpers import LATEST, ROOT
from tests.contract.image.helpers import active
from tests.contract.sovereignty.customers import Customers, customers
from tests.harness import caller

NET = "/network/v2.0"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def count(world: Customers) -> int:
    with world.cloud.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(leaf)).scalar_one()


def test_a_read_by_an_operator_is_a_leaf_of_the_customer(world: Customers) -> None:
    server = world.site.build()["id"]
    paths = {
        "compute:server:show": (f"{ROOT}/servers/{server}", server),
        "compute:server-action:list": (f"{ROOT}/servers/{server}/os-instance-actions", server),
        "image:image:show": (f"/image/v2/images/{world.site.image}", world.site.image),
        "network:network:show": (f"{NET}/networks/{world.site.network}", world.site.network),
    }
    for action, (path, subject) in paths.items():
        before = count(world)
        world.member.get(path).expect(200)
        assert count(world) == before
        world.operator.get(path).expect(200)
        assert count(world) == before + 1, action
        seen = world.leaves(action)[-1]
        assert (seen["actor"], seen["subject"], seen["status"]) == ("op1", subject, 200)
        assert seen["project_id"] == "p1"
        assert seen["request_id"]


def test_what_is_not_seen_is_no_leaf(world: Customers) -> None:
    before = count(world)
    assert world.operator.get(f"{ROOT}/servers/{world.site.network}").status == 404
    assert world.operator.get(f"{ROOT}/servers").expect(200)["servers"] == []
    assert world.operator.get(f"{ROOT}/flavors").status == 200
    assert world.other.get(f"{NET}/networks/{world.site.network}").status == 404
    assert count(world) == before


def test_lists_over_one_project_name_what_was_seen(world: Customers) -> None:
    servers = sorted(world.site.build(name=name)["id"] for name in ("a", "b"))
    for path, action in (("servers", "list"), ("servers/detail", "detail")):
        world.operator.get(f"{ROOT}/{path}?all_tenants=1").expect(200)
        seen = world.leaves(f"compute:server:{action}")[-1]
        assert seen["detail"]["seen"] == servers
        assert seen["detail"]["resources"] == 2


def test_lists_over_all_projects_are_everyones_and_name_nobody(world: Customers) -> None:
    active(world.other, b"another", name="theirs")
    before = count(world)
    world.operator.get("/image/v2/images").expect(200)
    assert count(world) == before + 1
    with world.cloud.database.read() as connection:
        row = connection.execute(sa.select(leaf).order_by(leaf.c.arrival.desc())).first()
    assert row is not None
    assert (row.project_id, row.subject) == ("*", "")
    assert row.detail == {"projects": 2, "resources": 2}


def test_networks_that_are_for_all_are_nobodys_secret(world: Customers) -> None:
    made = world.operator.post(f"{NET}/networks", {"network": {"name": "n", "shared": True}})
    shared = made.expect(201)["network"]["id"]
    before = count(world)
    world.second.get(f"{NET}/networks/{shared}").expect(200)
    assert count(world) == before
    world.second.get(f"{NET}/networks").expect(200)
    assert count(world) == before + 1
    assert world.leaves("network:network:list")[-1]["subject"] == world.site.network


def test_an_operator_without_a_project_is_seen_too(world: Customers) -> None:
    system = world.cloud.as_(caller("admin", None, user="op3", system=True), private=True, **LATEST)
    system.get(f"/image/v2/images/{world.site.image}").expect(200)
    assert world.leaves("image:image:show")[-1]["actor"] == "op3"


def test_a_change_by_an_operator_is_one_leaf(world: Customers) -> None:
    server = world.site.build()["id"]
    before = count(world)
    world.operator.put(f"{ROOT}/servers/{server}", {"server": {"name": "new"}}).expect(200)
    assert count(world) == before + 1
    assert world.leaves("compute:server:update")[-1]["actor"] == "op1"


def test_no_answer_goes_out_when_the_leaf_cannot_be_written(
    world: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.give("disk")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("andromede.http.dispatch.append", full)
    assert world.operator.get(f"/image/v2/images/{world.site.image}/file").status == 500
    assert world.operator.get(f"/image/v2/images/{world.site.image}").status == 500
    assert world.member.get(f"/image/v2/images/{world.site.image}").status == 200


def test_a_look_that_comes_to_nothing_is_a_leaf_too(world: Customers) -> None:
    """Whatever its end: the operator was there."""
    image = world.site.image
    world.give("disk", "output")
    (world.cloud.paths.images / image).rename(world.cloud.paths.images / "gone")
    before = count(world)
    assert world.member.get(f"/image/v2/images/{image}/file").status == 500
    assert count(world) == before
    assert world.operator.get(f"/image/v2/images/{image}/file").status == 500
    seen = world.leaves("image:data:download")[-1]
    assert (seen["actor"], seen["subject"], seen["status"]) == ("op1", image, 500)
    made = world.site.create(world.member).expect(202)["server"]["id"]  # in BUILD
    asked = {"os-getConsoleOutput": {}}
    assert world.operator.post(f"{ROOT}/servers/{made}/action", asked).status == 409
    seen = world.leaves("compute:server:console-output")[-1]
    assert (seen["actor"], seen["subject"], seen["status"]) == ("op1", made, 409)


def test_an_act_that_comes_to_nothing_is_a_leaf_too(world: Customers) -> None:
    server = world.site.build()["id"]
    before = count(world)
    for body, status in (({"os-start": None}, 409), ({"os-resetState": {"state": "x"}}, 400)):
        assert world.operator.post(f"{ROOT}/servers/{server}/action", body).status == status
    assert world.member.post(f"{ROOT}/servers/{server}/action", {"os-start": None}).status == 409
    assert count(world) == before + 1  # a body that is refused unread has seen nothing
    (seen,) = world.leaves("compute:server:start")
    assert (seen["actor"], seen["subject"], seen["status"]) == ("op1", server, 409)


def test_a_break_inside_of_the_cloud_is_one_too(
    world: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("andromede.services.image.images.view.show", broken)
    assert world.operator.get(f"/image/v2/images/{world.site.image}").status == 500
    assert world.leaves("image:image:show")[-1]["status"] == 500
