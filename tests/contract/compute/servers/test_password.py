"""A new password for a guest that runs: who may ask, when, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from andromede.services.compute.servers import store
from andromede.services.compute.servers.actions.password import SECONDS
from andromede.services.compute.servers.steps.password import LOOK
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import active
from tests.harness import Answer, Client, TestCloud

NEW = "Newpass1234"


def ask(site: Site, server: str, password: Any = NEW, client: Client | None = None) -> Answer:
    return site.act(server, "changePassword", {"adminPass": password}, client=client)


def build(site: Site, **properties: str) -> str:
    """A server whose image says that its guests run the agent."""
    image = active(site.member, b"x" * 1024, **{"hw_qemu_guest_agent": "yes", **properties})
    return str(site.build(imageRef=image["id"])["id"])


def last(site: Site, server: str, client: Client | None = None) -> dict[str, Any]:
    """The last act on a server, with its events."""
    path = f"{ROOT}/servers/{server}/os-instance-actions"
    listed = site.member.get(path).expect(200)["instanceActions"]
    found = (client or site.admin).get(f"{path}/{listed[0]['request_id']}").expect(200)
    act: dict[str, Any] = found["instanceAction"]
    return act


def course(cloud: TestCloud, server: str) -> Any:
    with cloud.database.read() as conn:
        row = store.get(conn, server, deleted=True)
    assert row is not None
    return row.course


def dump(cloud: TestCloud) -> str:
    """Every row of every table that could hold a password, as text."""
    with cloud.database.read() as conn:
        names = ("server", "server_action", "server_event", "work", "leaf")
        return "".join(
            str(conn.exec_driver_sql(f"SELECT * FROM {name}").fetchall()) for name in names
        )


@pytest.mark.parametrize(
    ("word", "user"), [("yes", "root"), ("True", "cirros"), ("1", "debian")], ids=str
)
def test_the_agent_sets_it_and_nothing_remembers_it(site: Site, word: str, user: str) -> None:
    more = {} if user == "root" else {"os_admin_user": user}
    server = build(site, hw_qemu_guest_agent=word, **more)
    assert ask(site, server).expect(202) is None
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("PASSWORD", "active")
    assert shown["OS-EXT-STS:task_state"] == "updating_password"
    found = site.member.get(f"{ROOT}/servers?status=PASSWORD").expect(200)["servers"]
    assert [each["id"] for each in found] == [server]
    assert course(site.cloud, server).sealed
    assert NEW not in dump(site.cloud)
    site.cloud.settle()
    assert site.cloud.engine.passwords[server] == {user: NEW}
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ACTIVE", None)
    assert course(site.cloud, server) is None
    act = last(site, server)
    assert (act["action"], act["message"]) == ("changePassword", None)
    [event] = act["events"]
    assert (event["event"], event["result"]) == ("compute_set_admin_password", "Success")
    assert NEW not in json.dumps(act)


@pytest.mark.parametrize("word", ["no", "", "perhaps"], ids=str)
def test_an_image_without_the_agent(site: Site, word: str) -> None:
    server = build(site, hw_qemu_guest_agent=word)
    error = ask(site, server).expect(409)["conflictingRequest"]["message"]
    assert "Guest agent is not enabled for the instance" in error
    assert "hw_qemu_guest_agent" in error
    assert last(site, server)["action"] == "create"
    assert not site.cloud.engine.servers[server].agent


@pytest.mark.parametrize(
    "password",
    ["", "a\nb", "a\rb", "x" * 512, "é" * 256, 7, None],
    ids=["empty", "lines", "return", "long", "long in bytes", "number", "none"],
)
def test_what_is_no_password(site: Site, password: Any) -> None:
    server = build(site)
    assert "adminPass" in ask(site, server, password).expect(400)["badRequest"]["message"]
    assert site.act(server, "changePassword", {}).status == 400
    assert site.show(server)["OS-EXT-STS:task_state"] is None


def test_the_longest_password(site: Site) -> None:
    server = build(site)
    password = "é" * 255 + "x"
    assert ask(site, server, password).status == 202
    site.cloud.settle()
    assert site.cloud.engine.passwords[server] == {"root": password}


def test_states_locks_and_persons(site: Site) -> None:
    server = build(site)
    assert ask(site, server, client=site.reader).status == 403
    assert ask(site, server, client=site.other).status == 404
    site.act(server, "lock").expect(202)
    assert "is locked" in ask(site, server).expect(409)["conflictingRequest"]["message"]
    site.act(server, "unlock").expect(202)
    assert ask(site, server).status == 202
    again = ask(site, server).expect(409)["conflictingRequest"]["message"]
    assert again.endswith("while it is in task_state updating_password")
    assert site.act(server, "os-stop").status == 409
    site.cloud.settle()
    site.act(server, "os-stop").expect(202)
    site.cloud.settle()
    off = ask(site, server).expect(409)["conflictingRequest"]["message"]
    assert off.endswith("while it is in vm_state stopped")


def test_an_agent_that_comes_late(site: Site) -> None:
    server = build(site)
    engine = site.cloud.engine
    engine.agents_silent.add(server)
    ask(site, server).expect(202)
    site.cloud.settle(until=lambda: engine.calls["set_password"] == 2)
    assert site.status(server) == "PASSWORD"
    engine.agents_silent.clear()
    site.cloud.settle()
    assert engine.passwords[server] == {"root": NEW}
    assert site.status(server) == "ACTIVE"


def failed(site: Site, server: str, why: str) -> None:
    """What was asked for failed, and the server is as it was."""
    assert last(site, server)["message"] == "Error"
    [event] = last(site, server)["events"]
    assert event["result"] == "Error"
    assert why in event["details"]
    shown = last(site, server, site.member)
    assert NEW not in json.dumps(shown)
    assert course(site.cloud, server) is None
    assert site.show(server)["OS-EXT-STS:task_state"] is None
    assert "fault" not in site.show(server)


def test_an_agent_that_never_answers(site: Site) -> None:
    server = build(site)
    engine = site.cloud.engine
    engine.agents_silent.add(server)
    ask(site, server).expect(202)
    site.cloud.settle()
    failed(site, server, "no agent answers")
    assert site.status(server) == "ACTIVE"
    assert SECONDS / LOOK / 2 < engine.calls["set_password"] <= SECONDS / LOOK
    engine.agents_silent.clear()
    ask(site, server).expect(202)
    site.cloud.settle()
    assert engine.passwords[server] == {"root": NEW}


def test_a_guest_that_refuses(site: Site) -> None:
    server = build(site)
    site.cloud.engine.faults.fail("set_password", permanent=True)
    ask(site, server).expect(202)
    site.cloud.settle()
    failed(site, server, "simulated failure of set_password")
    assert site.status(server) == "ACTIVE"


@pytest.mark.parametrize("silent", [True, False])
def test_a_guest_that_ends_meanwhile(site: Site, silent: bool) -> None:
    server = build(site)
    engine = site.cloud.engine
    ask(site, server).expect(202)
    if silent:
        engine.agents_silent.add(server)
        engine.pause_server(server)
    else:
        engine.guest_powers_off(server)
    site.cloud.settle()
    failed(site, server, "no agent answers" if silent else "its machine is off")
    site.follow()
    assert site.status(server) == ("ACTIVE" if silent else "SHUTOFF")


def test_an_operator_who_resets_the_state_gives_it_up(site: Site) -> None:
    server = build(site)
    ask(site, server).expect(202)
    site.act(server, "os-resetState", {"state": "active"}, client=site.admin).expect(202)
    assert course(site.cloud, server) is None
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert server not in site.cloud.engine.passwords


def test_a_state_that_was_changed_beside_gives_it_up(site: Site) -> None:
    server = build(site)
    ask(site, server).expect(202)
    site.cloud.database.transact(lambda conn: store.change(conn, server, course=None))
    site.cloud.settle()
    failed(site, server, "no new password any more")


def test_a_deleted_server_forgets_it(site: Site) -> None:
    server = build(site)
    ask(site, server).expect(202)
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert course(site.cloud, server) is None
    assert server not in site.cloud.engine.passwords
