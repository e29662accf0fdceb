"""Emergency access: two people, hours, told and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.compute.servers.helpers import LATEST
from tests.contract.sovereignty.customers import (
    CONSENTS,
    EMERGENCIES,
    Customers,
    customers,
    later,
)
from tests.harness import caller, unknown_id

HOURS = 3600


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def call(world: Customers, **more: Any) -> dict[str, Any]:
    body = {"project_id": "p1", "kinds": ["disk"], "reason": "the guest attacks others", **more}
    made = world.operator.post(EMERGENCIES, {"emergency": body}).expect(201)
    emergency: dict[str, Any] = made["emergency"]
    return emergency


def test_two_operators_open_what_the_customer_did_not(world: Customers) -> None:
    path = f"/image/v2/images/{world.site.image}/file"
    called = call(world, seconds=4 * HOURS)
    assert world.operator.get(path).status == 403
    approve = f"{EMERGENCIES}/{called['id']}/approve"
    refused = world.operator.post(approve).expect(403)
    assert "another operator" in refused["message"]
    same = caller("admin", None, user="op1", system=True, application_credential_id="other")
    assert world.cloud.as_(same, private=True).post(approve).status == 403
    assert world.member.post(approve).status == 403
    count = world.cloud.as_(None).get(f"{EMERGENCIES}/count")
    assert count.expect(200) == {"emergencies": 0}
    opened = world.second.post(approve).expect(200)["emergency"]
    assert (opened["status"], opened["granted_by"]) == ("active", "op2")
    assert world.second.post(approve).status == 409
    assert world.operator.get(path).status == 200
    assert world.second.get(path).status == 403
    assert world.cloud.as_(None).get(f"{EMERGENCIES}/count").json == {"emergencies": 1}
    with later(4 * HOURS + 1):
        assert world.operator.get(path).status == 403


def test_the_customer_sees_it_and_cannot_grant_it(world: Customers) -> None:
    called = call(world)
    assert world.member.post(f"{CONSENTS}/{called['id']}/grant").status == 409
    world.second.post(f"{EMERGENCIES}/{called['id']}/approve").expect(200)
    assert world.member.post(f"{CONSENTS}/{called['id']}/revoke").status == 409
    shown = world.member.get(EMERGENCIES).expect(200)["emergencies"]
    assert [each["id"] for each in shown] == [called["id"]]
    assert world.other.get(EMERGENCIES).expect(200)["emergencies"] == []
    assert world.other.get(f"{EMERGENCIES}?project_id=p1").status == 403
    (notice,) = world.member.get("/sovereignty/v1/notices").expect(200)["notices"]
    assert notice["kind"] == "emergency"
    for text in (notice["text_fr"], notice["text_en"]):
        assert all(each in text for each in ("op1", "op2", "attacks others", called["id"]))
    assert world.other.get("/sovereignty/v1/notices").expect(200)["notices"] == []
    leaf = world.leaves("sovereignty:emergency:approve")[-1]
    assert (leaf["actor"], leaf["subject"]) == ("op2", called["id"])
    assert leaf["detail"]["reason"] == "the guest attacks others"


def test_an_emergency_ends_by_any_operator_or_by_itself(world: Customers) -> None:
    path = f"/image/v2/images/{world.site.image}/file"
    called = call(world)
    world.second.post(f"{EMERGENCIES}/{called['id']}/approve").expect(200)
    world.second.post(f"{EMERGENCIES}/{called['id']}/close").expect(200)
    assert world.operator.get(path).status == 403
    assert world.operator.post(f"{EMERGENCIES}/{called['id']}/close").status == 409
    late = call(world)
    with later(HOURS + 1):
        assert world.second.post(f"{EMERGENCIES}/{late['id']}/approve").status == 409


def test_faulty_emergencies_change_nothing(world: Customers) -> None:
    good: dict[str, Any] = {"project_id": "p1", "kinds": ["disk"], "reason": "why"}
    for change in ({"seconds": 4 * HOURS + 1}, {"seconds": 0}, {"reason": ""}, {"kinds": ["x"]}):
        assert world.operator.post(EMERGENCIES, {"emergency": good | change}).status == 400
    unknown = {"emergency": good | {"project_id": "p9"}}
    assert world.operator.post(EMERGENCIES, unknown).status == 404
    member = world.cloud.as_(caller(), **LATEST)
    assert member.post(EMERGENCIES, {"emergency": good}).status == 403
    given = world.give("disk")["id"]
    for wrong in (given, unknown_id()):
        assert world.second.post(f"{EMERGENCIES}/{wrong}/approve").status == 404
    assert world.operator.get(EMERGENCIES).expect(200)["emergencies"] == []
