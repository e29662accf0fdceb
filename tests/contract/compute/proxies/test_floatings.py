"""Floating IPs and networks as compute showed them until microversion 2.35, and 2.43."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compute.proxies.older import Older
from tests.contract.compute.servers.helpers import ROOT
from tests.contract.network.kit import Net, wired
from tests.policies import set_allowed_sites

IPS = "os-floating-ips"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def inside(older: Older) -> Any:
    """A network behind a router, from which floating IPs are reachable."""
    _, _, network, _ = wired(Net(older.site.cloud), "10.9.0.0/24")
    return network


def allocate(older: Older, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = older.call("POST", IPS, more).expect(200)["floating_ip"]
    return made


def add(older: Older, server: Any, address: str, **more: Any) -> int:
    body = {"addFloatingIp": {"address": address, **more}}
    return older.call("POST", f"servers/{server['id']}/action", body).status


def take(older: Older, server: Any, address: str) -> int:
    body = {"removeFloatingIp": {"address": address}}
    return older.call("POST", f"servers/{server['id']}/action", body).status


def test_one_comes_from_a_pool(older: Older, inside: Any) -> None:
    assert older.get("os-floating-ip-pools") == {"floating_ip_pools": [{"name": "public"}]}
    made = allocate(older, pool="public")
    assert made == {
        "id": made["id"], "ip": made["ip"], "pool": "public", "fixed_ip": None, "instance_id": None,
    }  # fmt: skip
    assert older.get(f"{IPS}/{made['id']}") == {"floating_ip": made}
    assert older.get(IPS) == {"floating_ips": [made]}
    assert older.other.get(f"{ROOT}/{IPS}").expect(200) == {"floating_ips": []}
    assert older.member.post(f"{ROOT}/{IPS}").expect(200)["floating_ip"]["pool"] == "public"
    assert older.call("POST", IPS, {"pool": "none"}).status == 404
    assert older.call("DELETE", f"{IPS}/{made['id']}").status == 202
    assert older.call("DELETE", f"{IPS}/{made['id']}").status == 404
    older.get(f"{IPS}/{NOBODY}", 404)
    older.get(f"{IPS}/none", 400)


def test_an_empty_pool_and_a_quota(older: Older, inside: Any) -> None:
    [pool] = Net(older.site.cloud).get("networks?router:external=true")["networks"]
    ops = Net(older.site.cloud, "admin", "ops")
    older.admin.put("/network/v2.0/quotas/p1", {"quota": {"floatingip": 0}}).expect(200)
    assert older.call("POST", IPS, {"pool": pool["id"]}).status == 403
    older.admin.put("/network/v2.0/quotas/p1", {"quota": {"floatingip": -1}}).expect(200)
    pools = [{"start": "172.24.4.250", "end": "172.24.4.250"}]
    ops.put(f"subnets/{pool['subnets'][0]}", {"subnet": {"allocation_pools": pools}})
    allocate(older)
    assert older.call("POST", IPS, {}).status == 404


def test_one_stands_for_a_server_and_then_for_another(older: Older, inside: Any) -> None:
    first = older.site.build(networks=[{"uuid": inside["id"]}])
    second = older.site.build(networks=[{"uuid": inside["id"]}])
    ip = allocate(older)
    assert add(older, first, ip["ip"]) == 202
    shown = older.get(f"{IPS}/{ip['id']}")["floating_ip"]
    [fixed] = [
        each["addr"]
        for each in older.site.show(first["id"])["addresses"]["inside"]
        if each["OS-EXT-IPS:type"] == "fixed"
    ]
    assert (shown["instance_id"], shown["fixed_ip"]) == (first["id"], fixed)
    assert add(older, first, allocate(older)["ip"]) == 400
    assert add(older, second, ip["ip"]) == 202
    assert take(older, first, ip["ip"]) == 409
    assert take(older, second, ip["ip"]) == 202
    assert older.get(f"{IPS}/{ip['id']}")["floating_ip"]["instance_id"] is None
    assert take(older, second, ip["ip"]) == 409


def test_it_stands_for_the_address_that_is_named(older: Older, inside: Any) -> None:
    server = older.site.build(networks=[{"uuid": inside["id"]}])
    [fixed] = server["addresses"]["inside"]
    ip = allocate(older)
    assert add(older, server, ip["ip"], fixed_address="10.9.0.250") == 400
    assert add(older, server, ip["ip"], fixed_address="there") == 400
    assert add(older, server, ip["ip"], fixed_address=fixed["addr"]) == 202
    assert older.get(f"{IPS}/{ip['id']}")["floating_ip"]["fixed_ip"] == fixed["addr"]


def test_what_cannot_be_is_refused(older: Older, inside: Any) -> None:
    server = older.site.build(networks=[{"uuid": inside["id"]}])
    apart = older.site.build()
    cardless = older.site.build(networks="none")
    ip = allocate(older)
    assert add(older, server, "0.0.0.0") == 404
    assert take(older, server, "0.0.0.0") == 404
    assert add(older, server, "") == 400
    assert add(older, {"id": NOBODY}, ip["ip"]) == 404
    assert add(older, apart, ip["ip"]) == 400  # no router is between them
    assert add(older, cardless, ip["ip"]) == 400
    older.site.cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    assert add(older, server, ip["ip"]) == 403
    assert older.call("POST", IPS, {}).status == 403


def test_networks_are_told_by_name(older: Older, inside: Any) -> None:
    listed = older.get("os-networks")["networks"]
    assert {each["label"] for each in listed} == {"net", "inside", "public"}
    assert all("cidr" in each and "host" not in each for each in listed)
    shown = older.get(f"os-networks/{inside['id']}")["network"]
    assert (shown["id"], shown["label"], shown["cidr"]) == (inside["id"], "inside", None)
    told = older.admin.get(f"{ROOT}/os-networks/{inside['id']}").expect(200)["network"]
    assert "host" in told
    short = {"id": inside["id"], "label": "inside", "cidr": "None"}
    assert older.get(f"os-tenant-networks/{inside['id']}") == {"network": short}
    assert short in older.get("os-tenant-networks")["networks"]
    assert len(older.get("os-tenant-networks?limit=1")["networks"]) == 1
    for wanted in (NOBODY, "%2F", f"{inside['id']}%2Ftags"):
        older.get(f"os-networks/{wanted}", 404)
        older.get(f"os-tenant-networks/{wanted}", 404)
    assert older.at("2.36").get(f"{ROOT}/os-networks").status == 404
    assert older.at("2.36").get(f"{ROOT}/{IPS}").status == 404


def test_the_acts_end_with_2_43(older: Older) -> None:
    path = f"{ROOT}/servers/{NOBODY}/action"
    body = {"addFloatingIp": {"address": "172.24.4.3"}}
    assert older.at("2.43").post(path, body).status == 404
    assert older.at("2.44").post(path, body).status == 400
