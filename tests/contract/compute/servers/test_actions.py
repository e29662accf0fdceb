"""The acts on a server besides its power, and what is attached to it: who may, what it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.compute.servers import store
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import unknown_id


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def test_an_unknown_or_doubled_action_is_refused(site: Site) -> None:
    server = site.build()["id"]
    url = f"{ROOT}/servers/{server}/action"
    for body in ({"os-fly": None}, {}, {"os-stop": None, "os-start": None}, []):
        assert "no such action" in site.member.post(url, body).expect(400)["badRequest"]["message"]
    assert site.act(server, "reboot", {"type": "WARM"}).status == 400
    assert site.act(server, "reboot").status == 400
    assert site.act(unknown_id(), "os-stop").status == 404
    assert site.act(server, "os-stop", client=site.other).status == 404
    assert site.act(server, "os-stop", client=site.reader).status == 403


def test_another_projects_server_is_not_there(site: Site) -> None:
    server = site.build()["id"]
    url = f"{ROOT}/servers/{server}"
    calls = [
        ("GET", "", None), ("PUT", "", {"server": {}}), ("DELETE", "", None),
        ("GET", "/metadata", None), ("GET", "/metadata/a", None), ("GET", "/tags", None),
        ("PUT", "/metadata", {"metadata": {}}), ("DELETE", "/metadata/a", None),
        ("PUT", "/tags/a", None), ("DELETE", "/tags", None), ("GET", "/ips", None),
        ("GET", "/os-interface", None), ("GET", "/os-security-groups", None),
        ("GET", "/os-instance-actions", None),
        ("POST", "/action", {"os-getConsoleOutput": {}}),
    ]  # fmt: skip
    for method, path, body in calls:
        message = site.other.call(method, url + path, body).expect(404)["itemNotFound"]["message"]
        assert message == f"Instance {server} could not be found."
    assert site.status(server) == "ACTIVE"


def test_a_locked_server_stands_still_for_its_owner(site: Site) -> None:
    server = site.build()["id"]
    assert site.act(server, "lock", {"locked_reason": "audit"}).status == 202
    shown = site.show(server, site.member)
    assert (shown["locked"], shown["locked_reason"]) == (True, "audit")
    for name, value in (("os-stop", None), ("reboot", {"type": "HARD"}),
                        ("addSecurityGroup", {"name": "default"})):  # fmt: skip
        refused = site.act(server, name, value).expect(409)["conflictingRequest"]["message"]
        assert refused == f"Instance {server} is locked"
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 409
    assert site.act(server, "unlock").status == 202
    assert site.act(server, "lock", None, client=site.admin).status == 202
    assert site.act(server, "unlock").status == 409
    assert site.act(server, "lock").status == 409
    assert site.act(server, "os-stop", client=site.admin).status == 202
    site.cloud.settle()
    assert site.act(server, "unlock", client=site.admin).status == 202
    assert site.show(server)["locked"] is False
    assert site.act(server, "lock", {"locked_reason": ""}).status == 400
    url = f"{ROOT}/servers/{server}/action"
    reason = {"lock": {"locked_reason": "unheard of then"}}
    assert site.member.post(url, reason, headers=at("2.72")).status == 202
    assert site.show(server)["locked_reason"] is None


def test_the_console_is_read_through_the_edge(site: Site) -> None:
    server = site.build()["id"]
    whole = site.act(server, "os-getConsoleOutput", {}).expect(200)["output"]
    assert "booted" in whole
    assert "login:" in whole
    last = site.act(server, "os-getConsoleOutput", {"length": "1"}).expect(200)["output"]
    assert last == "login: \n"
    assert site.act(server, "os-getConsoleOutput", {"length": -1}).expect(200)["output"] == whole
    assert site.act(server, "os-getConsoleOutput", {"length": "x"}).status == 400
    assert site.act(server, "os-getConsoleOutput", {"length": -2}).status == 400
    del site.cloud.engine.console[server]
    assert site.act(server, "os-getConsoleOutput", {}).status == 404
    site.cloud.cloud.edge = None
    assert site.act(server, "os-getConsoleOutput", {}).status == 503
    building = site.create().expect(202)["server"]["id"]
    assert site.act(building, "os-getConsoleOutput", {}).status == 409


def test_a_console_that_nobody_opens_now_may_be_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = site.build()["id"]

    def away(*_: object) -> str:
        raise ConnectionError("The worker gave no console within 3 s.")

    monkeypatch.setattr(site.cloud.cloud.edge, "console_output", away)
    refused = site.act(server, "os-getConsoleOutput", {})
    assert refused.status == 503
    assert b"The worker gave no console within 3 s. Ask again in a moment." in refused.body
    monkeypatch.undo()
    assert site.act(server, "os-getConsoleOutput", {}).status == 200


def test_security_groups_are_added_and_removed(site: Site) -> None:
    server = site.build()["id"]
    groups = "/network/v2.0/security-groups"
    made = site.member.post(groups, {"security_group": {"name": "web"}})
    if made.status == 404:
        pytest.fail("the network service serves no security groups")
    made.expect(201)
    assert site.act(server, "addSecurityGroup", {"name": "web"}).status == 202
    site.cloud.settle()
    assert site.show(server)["security_groups"] == [{"name": "default"}, {"name": "web"}]
    url = f"{ROOT}/servers/{server}/os-security-groups"
    listed = site.member.get(url).expect(200)["security_groups"]
    default = next(each for each in listed if each["name"] == "default")
    assert sorted(each["name"] for each in listed) == ["default", "web"]
    assert default["tenant_id"] == "p1"
    assert {rule["group"].get("name") for rule in default["rules"]} == {"default"}
    assert site.act(server, "removeSecurityGroup", {"name": "web"}).status == 202
    assert site.act(server, "removeSecurityGroup", {"name": "web"}).status == 400
    assert site.act(server, "addSecurityGroup", {"name": "none"}).status in (400, 404)
    assert site.show(server)["security_groups"] == [{"name": "default"}]


def test_operators_reset_states(site: Site) -> None:
    server = site.build()["id"]
    assert site.act(server, "os-resetState", {"state": "error"}).status == 403
    assert site.act(server, "os-resetState", {"state": "error"}, client=site.admin).status == 202
    assert site.status(server) == "ERROR"
    site.cloud.settle()
    assert site.act(server, "os-resetState", {"state": "active"}, client=site.admin).status == 202
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert site.act(server, "os-resetState", {"state": "x"}, client=site.admin).status == 400
    building = site.create().expect(202)["server"]["id"]
    answer = site.act(building, "os-resetState", {"state": "active"}, client=site.admin)
    assert answer.status == 400
    assert site.act(building, "os-resetState", {"state": "error"}, client=site.admin).status == 202
    site.cloud.settle()
    assert site.status(building) == "ERROR"
    assert site.act(building, "forceDelete").status == 202
    answer = site.act(building, "os-resetState", {"state": "error"}, client=site.admin)
    assert answer.status == 409
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{building}").status == 404


def test_metadata(site: Site) -> None:
    server = site.build(metadata={"a": "1"})["id"]
    url = f"{ROOT}/servers/{server}/metadata"
    member = site.member
    assert member.get(url).expect(200) == {"metadata": {"a": "1"}}
    merged = {"metadata": {"a": "1", "b": "2"}}
    assert member.post(url, {"metadata": {"b": "2"}}).expect(200) == merged
    assert member.get(f"{url}/b").expect(200) == {"meta": {"b": "2"}}
    assert member.put(f"{url}/b", {"meta": {"b": "3"}}).expect(200) == {"meta": {"b": "3"}}
    assert member.put(f"{url}/b", {"meta": {"c": "3"}}).status == 400
    assert member.put(f"{url}/b", {"meta": {"b": []}}).status == 400
    assert member.put(url, {"metadata": {"z": "9"}}).expect(200) == {"metadata": {"z": "9"}}
    assert member.delete(f"{url}/z").status == 204
    assert member.delete(f"{url}/z").status == 404
    assert member.get(f"{url}/z").status == 404
    many = {"metadata": {str(number): "x" for number in range(129)}}
    assert member.post(url, many).status == 403
    assert site.reader.post(url, {"metadata": {}}).status == 403
    assert member.get(url).expect(200) == {"metadata": {}}


def test_tags(site: Site) -> None:
    server = site.build(tags=["a"])["id"]
    url = f"{ROOT}/servers/{server}/tags"
    member = site.member
    assert member.get(url).expect(200) == {"tags": ["a"]}
    assert member.put(f"{url}/b").status == 201
    assert member.put(f"{url}/b").status == 204
    assert member.get(f"{url}/b").status == 204
    assert member.get(f"{url}/c").status == 404
    assert member.delete(f"{url}/a").status == 204
    assert member.delete(f"{url}/a").status == 404
    assert member.put(f"{url}/{'x' * 61}").status == 400
    assert member.put(f"{url}/a,b").status == 400
    fifty = [str(number) for number in range(50)]
    assert member.put(url, {"tags": [*fifty, "0"][:50]}).expect(200) == {"tags": fifty}
    assert member.put(f"{url}/more").status == 400
    assert member.put(url, {"tags": [*fifty, "more"]}).status == 400
    assert member.delete(url).status == 204
    assert member.get(url).expect(200) == {"tags": []}
    assert member.get(url, headers=at("2.25")).status == 404
    assert member.get(f"{ROOT}/servers?tags=0").expect(200)["servers"] == []


def test_a_server_is_changed(site: Site) -> None:
    server = site.build()["id"]
    url = f"{ROOT}/servers/{server}"

    def change(**values: Any) -> Any:
        return site.member.put(url, {"server": values})

    shown = change(
        name="new", description="d", hostname="host.example", accessIPv4="192.0.2.9",
        accessIPv6="::1", **{"OS-DCF:diskConfig": "AUTO"},
    ).expect(200)["server"]  # fmt: skip
    assert (shown["name"], shown["description"], shown["accessIPv4"]) == ("new", "d", "192.0.2.9")
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "host.example"
    assert change(description=None).expect(200)["server"]["description"] is None
    faulty = {
        "name": "",
        "accessIPv4": "",
        "accessIPv6": "x",
        "description": "x" * 256,
        "colour": 1,
    }
    for bad in (*({name: value} for name, value in faulty.items()), {"hostname": "a b"}):
        assert change(**bad).status == 400
    assert site.reader.put(url, {"server": {}}).status == 403
    assert site.show(server)["name"] == "new"


def test_what_the_network_attached(site: Site) -> None:
    card = {"uuid": site.network, "fixed_ip": "10.0.0.50", "tag": "t"}
    server = site.build(networks=[card])["id"]
    url = f"{ROOT}/servers/{server}"
    address = {"version": 4, "addr": "10.0.0.50"}
    assert site.member.get(f"{url}/ips").expect(200) == {"addresses": {"net": [address]}}
    assert site.member.get(f"{url}/ips/net").expect(200) == {"net": [address]}
    assert site.member.get(f"{url}/ips/none").status == 404
    [card] = site.member.get(f"{url}/os-interface").expect(200)["interfaceAttachments"]
    assert (card["port_state"], card["tag"], card["net_id"]) == ("ACTIVE", "t", site.network)
    assert card["fixed_ips"][0]["ip_address"] == "10.0.0.50"
    one = site.member.get(f"{url}/os-interface/{card['port_id']}").expect(200)
    assert one == {"interfaceAttachment": card}
    assert site.member.get(f"{url}/os-interface/{unknown_id()}").status == 404
    volumes = site.member.get(f"{url}/os-volume_attachments").expect(200)
    assert volumes == {"volumeAttachments": []}
    old = site.member.get(f"{url}/os-interface", headers=at("2.69")).expect(200)
    assert "tag" not in old["interfaceAttachments"][0]
    site.act(server, "os-stop")
    site.cloud.settle()
    [card] = site.member.get(f"{url}/os-interface").expect(200)["interfaceAttachments"]
    assert card["port_state"] == "DOWN"


def test_acts_are_remembered(site: Site) -> None:
    answer = site.create()
    server = answer.expect(202)["server"]["id"]
    url = f"{ROOT}/servers/{server}/os-instance-actions"
    act = f"{url}/{answer.headers['x-openstack-request-id']}"
    [event] = site.member.get(act).expect(200)["instanceAction"]["events"]
    assert (event["finish_time"], event["result"]) == (None, None)
    site.cloud.settle()
    shown = site.admin.get(act).expect(200)["instanceAction"]
    assert (shown["action"], shown["user_id"], shown["message"]) == ("create", "u1", None)
    [event] = shown["events"]
    assert (event["result"], event["host"]) == ("Success", "simulated")
    site.cloud.engine.faults.fail("stop_server", permanent=True)
    site.cloud.engine.shutdown_ignored.add(server)
    stop = site.act(server, "os-stop")
    site.cloud.settle()
    failed = f"{url}/{stop.headers['x-openstack-request-id']}"
    shown = site.admin.get(failed).expect(200)["instanceAction"]
    assert (shown["message"], shown["events"][0]["result"]) == ("Error", "Error")
    assert "simulated failure" in shown["events"][0]["details"]
    assert "details" not in site.member.get(failed).expect(200)["instanceAction"]["events"][0]
    page = site.member.get(f"{url}?limit=1").expect(200)
    assert [each["action"] for each in page["instanceActions"]] == ["stop"]
    link = page["links"][0]["href"].partition("/compute")[2]
    rest = site.member.get(f"/compute{link}").expect(200)["instanceActions"]
    assert [each["action"] for each in rest] == ["create"]
    for query in (
        "marker=none",
        "limit=x",
        "changes-since=x",
        "colour=red",
        "changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-01T00:00:00Z",
    ):
        assert site.member.get(f"{url}?{query}").status == 400
    after = site.member.get(f"{url}?changes-since=2020-01-01T00:00:00Z").expect(200)
    assert len(after["instanceActions"]) == 2
    before = site.member.get(f"{url}?changes-before=2020-01-01T00:00:00Z").expect(200)
    assert before["instanceActions"] == []
    assert site.member.get(f"{url}/req-none").status == 404
    assert "events" not in site.member.get(act, headers=at("2.50")).json["instanceAction"]
    site.member.delete(f"{ROOT}/servers/{server}")
    site.cloud.settle()
    assert len(site.member.get(url).expect(200)["instanceActions"]) == 3
    assert site.member.get(url, headers=at("2.20")).status == 404


def test_usage_is_counted_by_project(site: Site) -> None:
    site.build()
    with site.cloud.database.read() as conn:
        assert store.usage(conn, "p1") == (1, 1, 128)
        assert store.usage(conn, "p2") == (0, 0, 0)
