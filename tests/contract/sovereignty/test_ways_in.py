"""Row 12: what an operator does to a customer's servers, networks and users that would let it in takes
the customer's consent; what customers do themselves takes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import compute
from andromede.services.identity import passwords
from andromede.sovereignty import suppliers
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import Policy, SupplierAccess, project_scope
from tests.contract.compute.servers.helpers import LATEST, ROOT
from tests.contract.identity.conftest import CHEAP
from tests.contract.image.helpers import active
from tests.contract.sovereignty.customers import Customers, customers
from tests.contract.sovereignty.taking import Taking, taking
from tests.harness import Answer, Client

NET = "/network/v2.0"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8VPxLvFz5XK5o5Yv4kYlM0S5n8Yl6m0m0o7o8V9x0K user"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def refused(answer: Answer) -> str:
    body = answer.expect(403)
    told = body["NeutronError"] if "NeutronError" in body else body["forbidden"]
    assert "consent of project p1" in told["message"], told
    return str(told["message"])


def new(client: Client, noun: str, **values: Any) -> Answer:
    return client.post(f"{NET}/{noun}s".replace("_", "-"), {noun: values})


def test_nothing_of_an_operator_joins_a_customers_network(world: Customers) -> None:
    operator, network = world.operator, world.site.network
    seen = operator.get(f"{NET}/networks/{network}").expect(200)["network"]
    subnet = seen["subnets"][0]
    theirs = new(world.member, "port", network_id=network).expect(201)["port"]["id"]
    router = new(operator, "router").expect(201)["router"]["id"]
    join = f"{NET}/routers/{router}/add_router_interface"
    share = {"object_type": "network", "object_id": network, "action": "access_as_shared",
             "target_tenant": "p2"}  # fmt: skip
    tries = [
        lambda: new(operator, "port", network_id=network),
        lambda: new(operator, "port", network_id=network, project_id="p1"),
        lambda: operator.put(join, {"subnet_id": subnet}),
        lambda: operator.put(join, {"port_id": theirs}),
        lambda: operator.post(f"{NET}/rbac-policies", {"rbac_policy": share}),
        lambda: operator.put(f"{NET}/networks/{network}", {"network": {"shared": True}}),
        lambda: operator.put(f"{NET}/networks/{network}", {"network": {"router:external": True}}),
        lambda: world.site.create(operator, imageRef=public(world)),
        lambda: world.site.create(
            operator, imageRef=public(world), networks=[{"port": theirs}]),
    ]  # fmt: skip
    for attempt in tries:
        refused(attempt())
    assert "open" in refused(tries[0]())
    world.give("access", resource=network)
    assert new(operator, "port", network_id=network).status == 201
    assert operator.put(join, {"port_id": theirs}).status == 200
    assert world.site.create(operator, imageRef=public(world)).status == 202
    made = operator.post(f"{NET}/rbac-policies", {"rbac_policy": share}).expect(201)["rbac_policy"]
    path = f"{NET}/rbac-policies/{made['id']}"
    assert operator.put(path, {"rbac_policy": {"target_tenant": "p3"}}).status == 200
    (given,) = world.member.get("/sovereignty/v1/consents").expect(200)["consents"]
    world.member.post(f"/sovereignty/v1/consents/{given['id']}/revoke").expect(200)
    refused(operator.put(path, {"rbac_policy": {"target_tenant": "ops"}}))
    assert world.leaves("network:rbac_policy:update")[-1]["status"] == 403


def public(world: Customers) -> str:
    found = world.operator.get("/image/v2/images?visibility=public").expect(200)["images"]
    if found:
        return str(found[0]["id"])
    return str(active(world.operator, b"for all", visibility="public")["id"])


def test_a_customers_router_and_port_are_opened_by_consent(world: Customers) -> None:
    member, operator = world.member, world.operator
    outside = new(operator, "network", **{"router:external": True}).expect(201)["network"]["id"]
    new(operator, "subnet", network_id=outside, cidr="198.18.0.0/24", ip_version=4).expect(201)
    gateway = {"external_gateway_info": {"network_id": outside}}
    router = new(member, "router", **gateway).expect(201)["router"]["id"]
    net = world.site.network
    subnet = member.get(f"{NET}/networks/{net}").expect(200)["network"]["subnets"][0]
    join = f"{NET}/routers/{router}/add_router_interface"
    assert member.put(join, {"subnet_id": subnet}).status == 200
    made = new(member, "port", network_id=net).expect(201)["port"]
    port, address = made["id"], made["fixed_ips"][0]["ip_address"]
    inner = new(operator, "network").expect(201)["network"]["id"]
    block = {"network_id": inner, "cidr": "10.9.0.0/24", "ip_version": 4}
    own = new(operator, "subnet", **block).expect(201)["subnet"]["id"]
    refused(operator.put(join, {"subnet_id": own}))
    floating = new(operator, "floatingip", floating_network_id=outside).expect(201)["floatingip"]
    path = f"{NET}/floatingips/{floating['id']}"
    refused(operator.put(path, {"floatingip": {"port_id": port}}))
    forward = {"port_forwarding": {
        "protocol": "tcp", "internal_port": 22, "external_port": 22, "internal_port_id": port,
        "internal_ip_address": address,
    }}  # fmt: skip
    refused(operator.post(f"{path}/port_forwardings", forward))
    world.give("access", resource=port)
    assert operator.put(path, {"floatingip": {"port_id": port}}).status == 200
    mine = new(member, "floatingip", floating_network_id=outside).expect(201)["floatingip"]["id"]
    assert member.delete(f"{NET}/floatingips/{mine}").status == 204


def test_a_card_is_a_way_to_the_guest(world: Customers) -> None:
    server = world.site.build()["id"]
    inner = new(world.operator, "network").expect(201)["network"]["id"]
    block = {"network_id": inner, "cidr": "10.9.0.0/24", "ip_version": 4}
    new(world.operator, "subnet", **block).expect(201)
    path, body = f"{ROOT}/servers/{server}/os-interface", {"interfaceAttachment": {"net_id": inner}}
    refused(world.operator.post(path, body))
    assert len(world.member.get(path).expect(200)["interfaceAttachments"]) == 1
    world.give("access", resource=server)
    assert world.operator.post(path, body).status == 200
    assert world.member.post(path, {}).status == 200


@pytest.fixture
def it(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    with taking(tmp_path, database_url, compute.SERVICE) as made:
        yield made


def test_a_key_in_a_customers_name_takes_its_consent(it: Taking) -> None:
    """The next server of the customer's that names it would let the key's holder in."""
    body = {"keypair": {"name": "work", "public_key": KEY, "user_id": it.ids["ada"]}}
    path, operator = f"{ROOT}/os-keypairs", it.admin()

    def plant() -> Answer:
        return operator.post(path, body, headers=LATEST)

    assert "open project" in plant().expect(403)["forbidden"]["message"]
    assert it.client("ada").get(path).expect(200)["keypairs"] == []
    it.consent(resource=it.ids["ada"])
    assert plant().status == 201
    assert "changed a credential of" in it.notices()[0]["text_en"]
    own = {"keypair": {"name": "mine", "public_key": KEY}}
    assert it.client("ada").post(path, own).status == 200
    assert operator.post(path, own).status == 200
    body["keypair"]["user_id"] = it.ids["new"]  # who reaches no customer
    assert plant().status == 201


def test_a_supplier_from_outside_sees_nothing_by_consent_either(world: Customers) -> None:
    server = world.site.build()["id"]
    world.give("output", operator="op1")

    def look() -> Answer:
        return world.site.act(server, "os-getConsoleOutput", {}, client=world.operator)

    def demand(connection: Any) -> None:
        suppliers.put(connection, "op1", "acme")
        asked = Policy(supplier_access=SupplierAccess.EU)
        policies.put(connection, project_scope("p1"), asked)

    assert look().status == 200
    world.cloud.database.transact(demand)
    message = look().expect(403)["forbidden"]["message"]
    assert "supplier of the European Union" in message
    assert world.leaves("compute:server:console-output")[-1]["detail"]["rule"] == "supplier_access"
    world.cloud.database.transact(lambda connection: suppliers.put(connection, "op1", None))
    assert look().status == 200
