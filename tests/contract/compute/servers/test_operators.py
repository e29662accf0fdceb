"""Acts that are mostly operators': moves that no host takes, interrupts, passwords, old addresses."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.compute.hosts.record import note_all
from andromede.services.compute.metadata import store as passwords
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import Client, caller, unknown_id

LIVE = {"host": None, "block_migration": "auto"}


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def ask(client: Client, server: str, name: str, value: Any, version: str = "2.96") -> Any:
    url = f"{ROOT}/servers/{server}/action"
    return client.post(url, {name: value}, headers=at(version))


@pytest.mark.parametrize(
    ("name", "value", "version", "status", "why"),
    [
        ("migrate", None, "2.96", 400, "No valid host was found"),
        ("migrate", {"host": "x"}, "2.55", 400, "No valid host was found"),
        ("migrate", {"host": "x"}, "2.56", 400, "Compute host x could not be found."),
        ("migrate", {"host": "simulated"}, "2.56", 400, "where the server exists"),
        ("migrate", {"colour": 1}, "2.56", 400, "colour"),
        ("os-migrateLive", LIVE, "2.96", 400, "No valid host was found"),
        ("os-migrateLive", {**LIVE, "host": "x"}, "2.96", 400, "could not be found"),
        ("os-migrateLive", {**LIVE, "host": "simulated"}, "2.96", 400, "where the server exists"),
        ("os-migrateLive", {**LIVE, "block_migration": "x"}, "2.96", 400, "block_migration"),
        ("os-migrateLive", {**LIVE, "block_migration": True}, "2.96", 400, "No valid host"),
        ("os-migrateLive", {**LIVE, "force": True}, "2.68", 400, "force"),
        ("os-migrateLive", {**LIVE, "force": True}, "2.67", 400, "non-provided destination"),
        ("os-migrateLive", {**LIVE, "force": False}, "2.67", 400, "No valid host"),
        ("os-migrateLive", {**LIVE, "host": "x", "force": True}, "2.67", 400, "could not be found"),
        ("os-migrateLive", {**LIVE, "force": False}, "2.29", 400, "2.30 to 2.67"),
        ("os-migrateLive", LIVE, "2.24", 400, "disk_over_commit"),
        ("os-migrateLive", {**LIVE, "disk_over_commit": False}, "2.24", 400, "block_migration"),
        ("os-migrateLive", {"host": None, "block_migration": False, "disk_over_commit": False},
         "2.24", 400, "No valid host"),
        ("os-migrateLive", [], "2.24", 400, "os-migrateLive"),
        ("evacuate", {}, "2.96", 400, "Compute service of simulated is still in use."),
        ("evacuate", {"host": "x"}, "2.96", 404, "Compute host x not found."),
        ("evacuate", {"host": "simulated"}, "2.96", 400, "can't be the same one"),
        ("evacuate", {"force": True}, "2.29", 400, "non-provided destination"),
        ("evacuate", {"force": True}, "2.28", 400, "2.29 to 2.67"),
        ("evacuate", {}, "2.13", 400, "onSharedStorage"),
        ("evacuate", {"onSharedStorage": True, "adminPass": "x"}, "2.13", 400, "existing disk"),
        ("evacuate", {"onSharedStorage": "False"}, "2.13", 400, "still in use"),
        ("evacuate", [], "2.13", 400, "evacuate"),
        ("resetNetwork", None, "2.96", 410, "no longer available"),
    ],
)  # fmt: skip
def test_there_is_no_other_host(
    site: Site, name: str, value: Any, version: str, status: int, why: str
) -> None:
    server = site.build()
    note_all(site.world())
    [error] = ask(site.admin, server["id"], name, value, version).expect(status).values()
    assert why in error["message"]
    assert site.show(server["id"]) == server


def test_who_may_and_when(site: Site) -> None:
    server = site.build()["id"]
    manager = site.cloud.as_(caller("manager", user="boss"))
    assert ask(site.member, server, "migrate", None).status == 403
    assert ask(manager, server, "migrate", None).status == 400
    assert ask(manager, server, "migrate", {"host": "x"}).status == 403
    for name in ("evacuate", "injectNetworkInfo", "resetNetwork"):
        assert ask(manager, server, name, {}).status == 403
    site.act(server, "suspend").expect(202)
    site.cloud.settle()
    refused_acts: list[tuple[str, Any]] = [
        ("migrate", None), ("os-migrateLive", LIVE), ("evacuate", {}),
        ("trigger_crash_dump", None), ("changePassword", {"adminPass": "x"}),
    ]  # fmt: skip
    for name, value in refused_acts:
        refused = ask(site.admin, server, name, value).expect(409)["conflictingRequest"]["message"]
        assert refused == f"Cannot '{name}' instance {server} while it is in vm_state suspended"


def test_an_interrupt_reaches_the_machine(site: Site) -> None:
    server = site.build()["id"]
    assert ask(site.member, server, "trigger_crash_dump", None, "2.16").status == 400
    assert ask(site.member, server, "trigger_crash_dump", None, "2.17").expect(202) is None
    before = site.show(server)
    assert (before["status"], before["OS-EXT-STS:task_state"]) == ("ACTIVE", None)
    site.cloud.settle()
    assert site.cloud.engine.interrupted[server] == 1
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert acts["instanceActions"][0]["action"] == "trigger_crash_dump"
    site.act(server, "os-resetState", {"state": "error"}, client=site.admin).expect(202)
    site.cloud.settle()
    site.cloud.engine.stop_server(server)
    ask(site.member, server, "trigger_crash_dump", None).expect(202)
    site.cloud.settle()
    assert site.cloud.engine.interrupted[server] == 1
    site.act(server, "lock", client=site.admin).expect(202)
    assert ask(site.member, server, "trigger_crash_dump", None).status == 409


def test_network_info_needs_no_injection(site: Site) -> None:
    server = site.build()["id"]
    assert ask(site.admin, server, "injectNetworkInfo", None).expect(202) is None
    assert site.status(server) == "ACTIVE"


def test_the_password_that_a_guest_posted(site: Site) -> None:
    server = site.build()["id"]
    url = f"{ROOT}/servers/{server}/os-server-password"
    assert site.member.get(url).expect(200) == {"password": ""}
    site.cloud.database.transact(lambda c: passwords.set_password(c, server, "encrypted"))
    assert site.reader.get(url).expect(200) == {"password": "encrypted"}
    assert site.reader.delete(url).status == 403
    assert site.other.delete(url).status == 404
    assert site.member.delete(url).status == 204
    assert site.member.get(url).expect(200) == {"password": ""}
    assert site.member.get(f"{ROOT}/servers/{unknown_id()}/os-server-password").status == 404


def test_an_address_more_and_less_before_2_44(site: Site) -> None:
    server = site.build()["id"]

    def addresses() -> list[str]:
        return [each["addr"] for each in site.show(server)["addresses"].get("net", [])]

    [first] = addresses()
    asked = {"networkId": site.network}
    assert ask(site.member, server, "addFixedIp", asked, "2.44").status == 400
    assert ask(site.member, server, "addFixedIp", asked, "2.43").expect(202) is None
    site.cloud.settle()
    [second] = set(addresses()) - {first}
    for wrong in ({"address": "192.0.2.1"}, {}):
        assert ask(site.member, server, "removeFixedIp", wrong, "2.43").status == 400
    gone = ask(site.member, server, "removeFixedIp", {"address": second}, "2.43")
    assert gone.expect(202) is None
    assert addresses() == [first]
    refused = ask(site.member, server, "addFixedIp", {"networkId": unknown_id()}, "2.43")
    assert "could not be found" in refused.expect(400)["badRequest"]["message"]
    for _ in range(2):
        site.cloud.settle()


def test_a_network_without_an_address_left(site: Site) -> None:
    made = site.member.post("/network/v2.0/networks", {"network": {"name": "tiny"}}).expect(201)
    network = made["network"]["id"]
    subnet = {"network_id": network, "cidr": "10.9.9.0/30", "ip_version": 4, "enable_dhcp": False}
    site.member.post("/network/v2.0/subnets", {"subnet": subnet}).expect(201)
    server = site.build(networks=[{"uuid": network}])["id"]
    refused = ask(site.member, server, "addFixedIp", {"networkId": network}, "2.43").expect(400)
    assert network in refused["badRequest"]["message"]
