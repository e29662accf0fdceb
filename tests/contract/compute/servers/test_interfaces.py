"""Cards plugged into servers and pulled: the port, the machine, the history, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.work import intend
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import unknown_id

NETWORK = "/network/v2.0"


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def url(server: str, port: str = "") -> str:
    return f"{ROOT}/servers/{server}/os-interface" + (f"/{port}" if port else "")


def attach(site: Site, server: str, status: int = 200, **asked: Any) -> Any:
    answer = site.member.post(url(server), {"interfaceAttachment": asked})
    body = answer.expect(status)
    return body["interfaceAttachment"] if status == 200 else next(iter(body.values()))["message"]


def port(site: Site, **more: Any) -> str:
    body = {"port": {"network_id": site.network, **more}}
    return str(site.member.post(f"{NETWORK}/ports", body).expect(201)["port"]["id"])


def status_of(site: Site, port_id: str) -> tuple[str, str] | None:
    answer = site.member.get(f"{NETWORK}/ports/{port_id}")
    if answer.status == 404:
        return None
    shown = answer.expect(200)["port"]
    return shown["status"], shown["device_id"]


def listed(site: Site, server: str) -> list[str]:
    body = site.member.get(url(server)).expect(200)
    return [each["port_id"] for each in body["interfaceAttachments"]]


def test_a_card_on_a_network_comes_and_goes(site: Site) -> None:
    server = site.build()["id"]
    made = attach(site, server, net_id=site.network, fixed_ips=[{"ip_address": "10.0.0.77"}],
                  tag="second")  # fmt: skip
    port_id = made["port_id"]
    assert made["fixed_ips"][0]["ip_address"] == "10.0.0.77"
    assert (made["net_id"], made["tag"], made["port_state"]) == (site.network, "second", "DOWN")
    assert listed(site, server)[1] == port_id
    assert port_id not in site.cloud.engine.cards[server]
    site.cloud.settle()
    assert site.cloud.engine.cards[server] == listed(site, server)
    assert status_of(site, port_id) == ("ACTIVE", server)
    shown = site.show(server)
    addresses = [each["addr"] for each in shown["addresses"]["net"]]
    assert "10.0.0.77" in addresses
    assert site.member.delete(url(server, port_id)).status == 202
    assert port_id in listed(site, server)
    site.cloud.settle()
    assert status_of(site, port_id) is None
    assert port_id not in site.cloud.engine.cards[server]
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    names = [each["action"] for each in acts["instanceActions"]]
    assert names == ["detach_interface", "attach_interface", "create"]


def test_a_port_is_given_and_given_back(site: Site) -> None:
    server, given = site.build()["id"], port(site)
    assert attach(site, server, port_id=given)["port_id"] == given
    assert "still in use" in attach(site, site.build()["id"], 409, port_id=given)
    site.cloud.settle()
    assert status_of(site, given) == ("ACTIVE", server)
    assert site.member.delete(url(server, given)).status == 202
    site.cloud.settle()
    assert status_of(site, given) == ("DOWN", "")


@pytest.mark.parametrize("body", [{}, {"interfaceAttachment": {}}])
def test_the_projects_only_network_is_the_default(site: Site, body: Any) -> None:
    server = site.build(networks="none")["id"]
    made = site.member.post(url(server), body).expect(200)["interfaceAttachment"]
    assert made["net_id"] == site.network


def test_without_a_network_there_is_none(site: Site) -> None:
    lonely = site.build(networks="none")["id"]
    assert site.member.delete(f"{NETWORK}/networks/{site.network}").status == 204
    assert "No network is there" in attach(site, lonely, 400)


def test_a_stopped_server_has_its_cards_at_its_next_start(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "os-stop").expect(202)
    site.cloud.settle()
    made = attach(site, server, net_id=site.network)["port_id"]
    site.cloud.settle()
    assert status_of(site, made) == ("DOWN", server)
    site.act(server, "os-start").expect(202)
    site.cloud.settle()
    assert site.cloud.engine.cards[server][1] == made
    site.act(server, "os-stop").expect(202)
    site.cloud.settle()
    assert site.member.delete(url(server, made)).status == 202
    site.cloud.settle()
    assert status_of(site, made) is None


def test_a_guest_that_does_not_let_go_keeps_the_card(site: Site) -> None:
    server = site.build()["id"]
    made = attach(site, server, net_id=site.network)["port_id"]
    site.cloud.settle()
    site.cloud.engine.cards_held.add(server)
    assert site.member.delete(url(server, made)).status == 202
    site.cloud.settle(most=5_000)
    assert status_of(site, made) == ("ACTIVE", server)
    assert made in listed(site, server)
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert acts["instanceActions"][0]["message"] == "Error"
    site.cloud.engine.cards_held.clear()
    assert site.member.delete(url(server, made)).status == 202
    site.cloud.settle()
    assert status_of(site, made) is None


def test_what_cannot_be_plugged_is_taken_back(site: Site) -> None:
    server, given = site.build()["id"], port(site)
    made = attach(site, server, net_id=site.network)["port_id"]
    attach(site, server, port_id=given)
    site.cloud.engine.faults.fail("ensure_cards", permanent=True)
    site.cloud.settle()
    assert status_of(site, made) is None
    assert status_of(site, given) == ("DOWN", "")
    assert len(listed(site, server)) == len(site.cloud.engine.cards[server]) == 1


def test_deleting_the_port_pulls_the_card(site: Site) -> None:
    server, given = site.build()["id"], port(site)
    attach(site, server, port_id=given)
    site.cloud.settle()
    assert site.member.delete(f"{NETWORK}/ports/{given}").status == 204
    assert status_of(site, given) is None
    site.cloud.settle()
    assert given not in site.cloud.engine.cards[server]
    assert given not in site.cloud.engine.ports
    assert len(listed(site, server)) == 1
    site.act(server, "reboot", {"type": "HARD"}).expect(202)
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


def test_a_server_deleted_meanwhile_takes_its_cards_along(site: Site) -> None:
    server, given = site.build()["id"], port(site)
    attach(site, server, port_id=given)
    made = attach(site, server, net_id=site.network)["port_id"]
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert status_of(site, made) is None
    assert status_of(site, given) == ("DOWN", "")


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"net_id": "n", "port_id": "p"}, 400, "Must not input both"),
        ({"fixed_ips": [{"ip_address": "10.0.0.9"}]}, 400, "Must input network_id"),
        ({"net_id": unknown_id()}, 404, "could not be found"),
        ({"port_id": unknown_id()}, 404, "could not be found"),
        ({"fixed_ips": []}, 400, "fixed_ips"),
        ({"colour": 1}, 400, "colour"),
        ({"tag": "a,b"}, 400, "tag"),
    ],
)
def test_bad_requests_change_nothing(
    site: Site, asked: dict[str, Any], status: int, why: str
) -> None:
    server = site.build()["id"]
    assert why in attach(site, server, status, **asked)
    assert len(listed(site, server)) == 1


def test_states_locks_persons_and_quota(site: Site) -> None:
    server = site.build()["id"]
    [own] = listed(site, server)
    asked = {"interfaceAttachment": {"net_id": site.network}}
    assert site.reader.post(url(server), asked).status == 403
    assert site.other.post(url(server), asked).status == 404
    assert site.member.delete(url(server, unknown_id())).status == 404
    site.act(server, "lock").expect(202)
    assert "is locked" in attach(site, server, 409, net_id=site.network)
    assert site.member.delete(url(server, own)).status == 409
    site.act(server, "unlock").expect(202)
    site.act(server, "suspend").expect(202)
    site.cloud.settle()
    message = attach(site, server, 409, net_id=site.network)
    assert message == (
        f"Cannot 'attach_interface' instance {server} while it is in vm_state suspended"
    )
    site.act(server, "resume").expect(202)
    site.cloud.settle()
    from andromede import quotas

    site.cloud.database.transact(lambda c: quotas.set_limits(c, "network", "p1", {"port": 0}))
    assert attach(site, server, 403, net_id=site.network) == "Maximum number of ports exceeded"


def test_versions(site: Site) -> None:
    server = site.build()["id"]
    asked: dict[str, Any] = {"interfaceAttachment": {"net_id": site.network, "tag": "a"}}
    refused = site.member.post(url(server), asked, headers=at("2.48")).expect(400)
    assert "2.49" in refused["badRequest"]["message"]
    shown = site.member.post(url(server), asked, headers=at("2.49")).expect(200)
    assert "tag" not in shown["interfaceAttachment"]
    shown = site.member.post(url(server), asked, headers=at("2.70")).expect(200)
    assert shown["interfaceAttachment"]["tag"] == "a"


@pytest.mark.parametrize("seconds", [300, -1])
def test_of_a_server_that_is_gone_nothing_is_plugged(site: Site, seconds: float) -> None:
    common: dict[str, Any] = {"project_id": "p1", "request_id": "req-1"}
    site.cloud.database.transact(
        lambda c: intend(c, "server_cards", unknown_id(), "plug", seconds=seconds, **common)
    )
    site.cloud.settle()
    assert site.cloud.engine.calls["ensure_cards"] == 0
