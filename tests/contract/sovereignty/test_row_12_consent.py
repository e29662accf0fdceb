"""Row 12: an operator's access to a customer's data only with consent that expires."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.http.context import Context
from andromede.roles import assembly
from andromede.sovereignty.consent.rules import Kind
from tests.contract.compute.servers.helpers import LATEST, ROOT
from tests.contract.image.helpers import active, patch, replace
from tests.contract.sovereignty.customers import CONSENTS, DAY, Customers, customers, later
from tests.harness import Answer, Client, caller, unknown_id

DATA = base64.b64encode(b"#!/bin/sh\npassword=hunter2\n").decode()


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def console(world: Customers, server: str, client: Client) -> Answer:
    return world.site.act(server, "os-getConsoleOutput", {}, client=client)


def user_data(world: Customers, server: str, client: Client) -> Any:
    return world.site.show(server, client)["OS-EXT-SRV-ATTR:user_data"]


def test_a_console_opens_by_consent_and_closes_when_it_expires(world: Customers) -> None:
    server = world.site.build()["id"]
    assert console(world, server, world.member).status == 200
    refused = console(world, server, world.operator)
    assert "consent of project p1" in refused.expect(403)["forbidden"]["message"]
    asked = world.ask("output", resource=server, seconds=DAY)
    assert asked["status"] == "requested"
    (notice,) = world.member.get("/sovereignty/v1/notices").expect(200)["notices"]
    assert (notice["kind"], asked["id"] in notice["text_en"]) == ("consent", True)
    assert console(world, server, world.operator).status == 403
    granted = world.member.post(f"{CONSENTS}/{asked['id']}/grant").expect(200)["consent"]
    assert (granted["status"], granted["granted_by"]) == ("active", "u1")
    assert console(world, server, world.operator).status == 200
    assert console(world, server, world.second).status == 403
    with later(DAY + 1):
        assert console(world, server, world.operator).status == 403
        shown = world.member.get(f"{CONSENTS}/{asked['id']}").expect(200)["consent"]
        assert shown["status"] == "expired"
        assert world.member.post(f"{CONSENTS}/{asked['id']}/grant").status == 409
        assert console(world, server, world.operator).status == 403


def test_the_customer_reads_each_look_and_each_refusal(world: Customers) -> None:
    server = world.site.build()["id"]
    console(world, server, world.operator)
    given = world.give("output", operator="op1")
    console(world, server, world.operator)
    console(world, server, world.member)
    refused, seen = world.leaves("compute:server:console-output")
    assert (refused["status"], refused["actor"], refused["subject"]) == (403, "op1", server)
    assert refused["detail"]["rule"] == "operator_access"
    assert (seen["status"], seen["subject"]) == (200, server)
    assert seen["detail"]["consent"] == given["id"]
    assert world.leaves("compute:server:console-output", world.other) == []
    made = world.leaves("sovereignty:consent:create")[0]
    assert made["subject"] == given["id"]
    assert made["detail"]["kinds"] == ["output"]


def test_a_consent_covers_what_it_names_and_nothing_else(world: Customers) -> None:
    first, second = (world.site.build(name=name, user_data=DATA)["id"] for name in ("a", "b"))
    world.give("output", operator="op1", resource=first)
    assert console(world, first, world.operator).status == 200
    assert console(world, second, world.operator).status == 403
    assert console(world, first, world.second).status == 403
    assert user_data(world, first, world.operator) is None
    world.give("user_data", resource=second)
    assert user_data(world, first, world.operator) is None
    assert user_data(world, second, world.operator) == DATA
    assert user_data(world, second, world.second) == DATA
    listed = world.operator.get(f"{ROOT}/servers/detail?all_tenants=1").expect(200)["servers"]
    shown = {each["id"]: each["OS-EXT-SRV-ATTR:user_data"] for each in listed}
    assert shown == {first: None, second: DATA}
    renamed = world.operator.put(f"{ROOT}/servers/{first}", {"server": {"name": "c"}})
    assert renamed.expect(200)["server"]["OS-EXT-SRV-ATTR:user_data"] is None


def test_a_consent_of_another_project_opens_nothing(world: Customers) -> None:
    server = world.site.build()["id"]
    world.ask("output", client=world.other, project_id="p2")
    assert console(world, server, world.operator).status == 403


def test_image_data_stay_with_their_project(world: Customers) -> None:
    image = world.site.image
    path = f"/image/v2/images/{image}"
    assert world.operator.get(f"{path}/file").status == 403
    assert world.site.create(world.operator, imageRef=image).status == 403
    assert patch(world.operator, image, replace("visibility", "public")).status == 403
    assert patch(world.operator, image, replace("owner", "ops")).status == 403
    assert world.operator.get(path).status == 200
    assert world.member.get(f"{path}/file").body == b"x" * 1024
    world.give("disk", resource=image)
    assert world.operator.get(f"{path}/file").body == b"x" * 1024
    public = active(world.operator, b"for all", visibility="public")
    assert world.second.get(f"/image/v2/images/{public['id']}/file").body == b"for all"
    assert world.leaves("image:data:download")[-1]["subject"] == image


def test_an_operator_of_its_own_project_needs_no_consent(world: Customers) -> None:
    image = active(world.operator, b"mine")
    assert world.operator.get(f"/image/v2/images/{image['id']}/file").body == b"mine"


def test_only_the_customer_grants(world: Customers) -> None:
    asked = world.ask("console")
    grant = f"{CONSENTS}/{asked['id']}/grant"
    assert world.operator.post(grant).status == 403
    assert world.second.post(grant).status == 403
    assert world.reader.post(grant).status == 403
    assert world.other.post(grant).status == 404
    scoped = world.cloud.as_(caller("admin", "p1", user="op2"), private=True, **LATEST)
    assert scoped.post(grant).status == 403
    itself = world.cloud.as_(caller("member", "p1", user="op1"))
    assert itself.post(grant).status == 403
    assert (
        world.reader.post(CONSENTS, {"consent": {"kinds": ["disk"], "reason": "x"}}).status == 403
    )
    assert world.cloud.as_(caller("manager")).post(grant).status == 200


def test_a_consent_is_answered_once(world: Customers) -> None:
    for first in ("grant", "refuse"):
        asked = world.ask("console")
        assert world.member.post(f"{CONSENTS}/{asked['id']}/{first}").status == 200
        for verb in ("grant", "refuse"):
            assert world.member.post(f"{CONSENTS}/{asked['id']}/{verb}").status == 409
    given = world.give("console")
    revoke = f"{CONSENTS}/{given['id']}/revoke"
    assert world.other.post(revoke).status == 404
    assert world.operator.post(revoke).status == 403
    assert world.member.post(revoke).expect(200)["consent"]["status"] == "revoked"
    for verb in ("grant", "refuse", "revoke"):
        assert world.member.post(f"{CONSENTS}/{given['id']}/{verb}").status == 409
    with later(8 * DAY):
        assert world.member.get(CONSENTS).status == 200
    asked = world.ask("console")
    with later(8 * DAY):
        assert world.member.post(f"{CONSENTS}/{asked['id']}/grant").status == 409


def test_a_revoked_consent_opens_nothing_any_more(world: Customers) -> None:
    server = world.site.build()["id"]
    given = world.give("output")
    assert console(world, server, world.operator).status == 200
    assert world.member.post(f"{CONSENTS}/{given['id']}/revoke").status == 200
    assert console(world, server, world.operator).status == 403
    asked = world.ask("output")
    world.member.post(f"{CONSENTS}/{asked['id']}/grant").expect(200)
    assert world.operator.post(f"{CONSENTS}/{asked['id']}/revoke").status == 200
    assert console(world, server, world.operator).status == 403


def test_less_than_was_asked_for_may_be_granted_and_never_more(world: Customers) -> None:
    asked = world.ask("console", "disk", seconds=100)
    grant = f"{CONSENTS}/{asked['id']}/grant"
    assert world.member.post(grant, {"grant": {"seconds": 101}}).status == 400
    assert world.member.post(grant, {"grant": {"kinds": ["console", "output"]}}).status == 400
    less = {"grant": {"kinds": ["disk"], "seconds": 50}}
    granted = world.member.post(grant, less).expect(200)["consent"]
    assert (granted["kinds"], granted["seconds"]) == (["disk"], 50)


def test_faulty_consents_change_nothing(world: Customers) -> None:
    good: dict[str, Any] = {"project_id": "p1", "kinds": ["disk"], "reason": "why"}
    for change in (
        {"kinds": []}, {"kinds": ["everything"]}, {"reason": ""}, {"seconds": 0},
        {"seconds": 30 * DAY + 1}, {"operator": "op2"}, {"colour": 1}, {"kinds": "disk"},
    ):  # fmt: skip
        assert world.operator.post(CONSENTS, {"consent": good | change}).status == 400
    assert world.operator.post(CONSENTS, {"consent": good | {"project_id": "p9"}}).status == 404
    assert world.member.post(CONSENTS, {"consent": good | {"project_id": "p2"}}).status == 403
    system = world.cloud.as_(caller("admin", None, user="op3", system=True), private=True)
    lacking = {"consent": {"kinds": ["disk"], "reason": "why"}}
    assert system.post(CONSENTS, lacking).status == 400
    assert world.member.get(CONSENTS).expect(200)["consents"] == []
    assert world.member.get(f"{CONSENTS}/{unknown_id()}").status == 404
    assert world.member.post(f"{CONSENTS}/{unknown_id()}/grant").status == 404


def test_consents_are_listed_by_pages_to_whom_they_concern(world: Customers) -> None:
    made = [world.ask("disk", reason=f"r{n}")["id"] for n in range(3)]
    elsewhere = world.ask("disk", project_id="p2")["id"]
    first = world.member.get(f"{CONSENTS}?limit=2").expect(200)
    assert [each["id"] for each in first["consents"]] == made[:2]
    link = first["consents_links"][0]["href"].removeprefix("https://cloud.test:8443")
    rest = world.member.get(link).expect(200)
    assert [each["id"] for each in rest["consents"]] == made[2:]
    assert "consents_links" not in rest
    everything = world.operator.get(CONSENTS).expect(200)["consents"]
    assert [each["id"] for each in everything] == [*made, elsewhere]
    one = world.operator.get(f"{CONSENTS}?project_id=p2").expect(200)["consents"]
    assert [each["id"] for each in one] == [elsewhere]
    assert world.member.get(f"{CONSENTS}?project_id=p2").status == 403
    for marker in (elsewhere, unknown_id()):
        assert world.member.get(f"{CONSENTS}?marker={marker}").status == 400


# What is named like it and shows nothing: an interrupt, an erasure.
SHOWS_NOTHING = {
    "compute:server:crash-dump",
    "compute:server-password:clear",
}
SHOWING = re.compile(r"console|output|password|snapshot|export|download|user_data|vnc|serial|dump")


def test_every_operation_that_shows_data_says_so() -> None:
    """A walk over the routing tables: whoever adds a way to a customer's data declares its kind."""
    kinds = {each.value for each in Kind}
    for service in assembly.services():
        for row in service.operations:
            assert row.reveals is None or row.reveals in kinds, row.action
            named = f"{row.path} {row.key or ''} {row.action}"
            if service.name in ("compute", "image", "network") and SHOWING.search(named):
                assert row.reveals is not None or row.action in SHOWS_NOTHING, row.action


def test_who_rebuilds_or_rescues_a_server_or_reads_its_password_asks_first(
    world: Customers,
) -> None:
    """Their answers have the server's password, and their images its disk or network."""
    site = world.site
    server = site.build()["id"]
    acts: dict[str, Any] = {"rescue": None, "rebuild": {"imageRef": site.image}}
    password = f"{ROOT}/servers/{server}/os-server-password"
    for act, value in acts.items():
        refused = site.act(server, act, value, client=world.operator).expect(403)["forbidden"]
        assert "consent of project p1" in refused["message"]
    assert world.operator.get(password).status == 403
    assert world.member.get(password).status == 200
    assert site.show(server)["OS-EXT-STS:task_state"] is None
    for kind, act in {"disk": "rescue", "access": "rebuild"}.items():
        world.give(kind, operator="op1")
        assert site.act(server, act, acts[act], client=world.second).status == 403
        site.act(server, act, acts[act], client=world.operator).expect(
            {"rescue": 200}.get(act, 202)
        )
        site.cloud.settle()
        if act == "rescue":
            site.act(server, "unrescue", None).expect(202)
            site.cloud.settle()
    world.give("password", operator="op1", resource=server)
    assert world.operator.get(password).status == 200


def test_who_gives_a_guest_a_new_password_asks_first(world: Customers) -> None:
    """Whoever knows it comes into the guest."""
    site = world.site
    server = site.build()["id"]
    wanted = {"adminPass": "new"}
    refused = site.act(server, "changePassword", wanted, client=world.operator).expect(403)
    assert "consent of project p1" in refused["forbidden"]["message"]
    world.give("password", operator="op1")  # to see one is less than to set one
    assert site.act(server, "changePassword", wanted, client=world.operator).status == 403
    site.cloud.settle()
    assert server not in site.cloud.engine.passwords
    world.give("access", operator="op1")
    assert site.act(server, "changePassword", wanted, client=world.second).status == 403
    site.act(server, "changePassword", wanted, client=world.operator).expect(202)
    site.cloud.settle()
    assert site.cloud.engine.passwords[server] == {"root": "new"}
    assert site.act(server, "changePassword", wanted).status == 202


def test_an_operation_that_forgets_to_ask_shows_nothing(
    world: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "reveal", lambda *_: None)
    path = f"/image/v2/images/{world.site.image}/file"
    for client in (world.member, world.operator):
        assert client.get(path).status == 500
