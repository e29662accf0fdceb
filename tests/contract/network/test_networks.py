"""Networks: what is accepted, who sees them, what the engine is told."""

from __future__ import annotations

from typing import Any

from tests.contract.network.kit import Net, outside
from tests.harness import TestCloud, caller, unknown_id


def test_a_network_is_made_on_the_host(net: Net) -> None:
    made = net.network(name="a", dns_domain="example.org.", mtu=1400, description="d")
    assert made["status"] == "ACTIVE"
    assert net.get("networks?status=ACTIVE&name=a")["networks"] == [made]
    net.cloud.settle()
    shown = net.get(f"networks/{made['id']}")["network"]
    assert shown == made
    assert net.get("networks?status=ERROR")["networks"] == []
    assert (shown["name"], shown["description"], shown["mtu"]) == ("a", "d", 1400)
    assert shown["tenant_id"] == shown["project_id"] == "p1"
    assert (shown["shared"], shown["router:external"], shown["admin_state_up"]) == (
        False, False, True,
    )  # fmt: skip
    spec = net.cloud.engine.networks[made["id"]]
    assert (spec.mtu, spec.external, spec.subnets, spec.dns_domain, spec.project_id) == (
        1400, False, (), "example.org", "p1",
    )  # fmt: skip
    assert "provider:network_type" not in shown


def test_an_operator_sees_how_it_is_made(net: Net) -> None:
    made = net.network()
    shown = Net(net.cloud, "admin", "ops").get(f"networks/{made['id']}")["network"]
    assert shown["provider:network_type"] == "local"
    assert shown["provider:segmentation_id"] is None


BAD: list[tuple[Any, str]] = [
    (None, "network"),
    ({}, "Unable to find 'network'"),
    ({"network": []}, "Unable to find 'network'"),
    ({"networks": []}, "list of objects"),
    ({"networks": ["a"]}, "list of objects"),
    ({"network": {"colour": "b"}}, "Unrecognized attribute(s) 'colour'"),
    ({"network": {"name": 3}}, "Invalid input for name"),
    ({"network": {"name": "a" * 256}}, "exceeds maximum length"),
    ({"network": {"name": "a\x00"}}, "U+0000"),
    ({"network": {"admin_state_up": "perhaps"}}, "cannot be converted to boolean"),
    ({"network": {"mtu": 9000}}, "from 68 to 1500"),
    ({"network": {"mtu": "x"}}, "is not an integer"),
    ({"network": {"mtu": 1.5}}, "is not an integer"),
    ({"network": {"status": "ACTIVE"}}, "not allowed in POST"),
    ({"network": {"dns_domain": "nodot"}}, "FQDN"),
    ({"network": {"dns_domain": "-a."}}, "DNS name"),
    ({"network": {"availability_zone_hints": ["mars"]}}, "mars"),
    ({"network": {"availability_zone_hints": ["nova", "nova"]}}, "duplicate"),
    ({"network": {"availability_zone_hints": "nova"}}, "is not a list"),
    ({"network": {"project_id": "p1", "tenant_id": "p2"}}, "do not match"),
]


def test_bad_networks_are_refused(net: Net) -> None:
    for body, says in BAD:
        answer = net.call("POST", "networks", body).expect(400)
        assert says in answer["NeutronError"]["message"], body
    assert net.get("networks")["networks"] == []


def test_what_upstream_refuses_in_any_noun_is_refused(net: Net) -> None:
    for values in (
        {"name": " "}, {"name": "a\nb"}, {"name": "\u202e"}, {"description": None},
        {"availability_zone_hints": None}, {"project_id": "p1", "tenant_id": ""},
    ):  # fmt: skip
        net.refused("POST", "networks", {"network": values}, 400, "HTTPBadRequest")
    assert net.network(name="été 1", project_id="p1", tenant_id="p1")["name"] == "été 1"


def test_only_operators_share_and_open(net: Net) -> None:
    for name in ("shared", "router:external", "is_default", "provider:network_type"):
        message = net.refused(
            "POST", "networks", {"network": {name: True if name[0] != "p" else "local"}},
            403, "PolicyNotAuthorized",
        )  # fmt: skip
        assert name in message
    made = net.network(shared=False)
    net.refused(
        "PUT", f"networks/{made['id']}", {"network": {"shared": True}}, 403, "PolicyNotAuthorized"
    )
    net.refused("POST", "networks", {"network": {"project_id": "p2"}}, 403, "PolicyNotAuthorized")


def test_operators_make_for_others_and_of_one_kind(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    made = admin.network(project_id="p1", **{"provider:network_type": "local"})
    assert net.get(f"networks/{made['id']}")["network"]["project_id"] == "p1"
    for values in (
        {"provider:network_type": "vxlan"},
        {"provider:physical_network": "eth0"},
        {"provider:segmentation_id": 7},
    ):
        admin.refused("POST", "networks", {"network": values}, 400, "InvalidInput")


def test_a_token_without_project_must_name_one(cloud: TestCloud) -> None:
    admin = cloud.as_(caller("admin", None, system=True), private=True)
    answer = admin.post("/network/v2.0/networks", {"network": {}}).expect(400)
    assert "project_id" in answer["NeutronError"]["message"]
    admin.post("/network/v2.0/networks", {"network": {"tenant_id": "p9"}}).expect(201)


def test_projects_do_not_see_each_other(net: Net) -> None:
    made, other = net.network(), Net(net.cloud, project="p2")
    path = f"networks/{made['id']}"
    assert other.get("networks")["networks"] == []
    other.refused("GET", path, None, 404, "NetworkNotFound")
    other.refused("PUT", path, {"network": {"name": "x"}}, 404, "NetworkNotFound")
    other.refused("DELETE", path, None, 404, "NetworkNotFound")
    other.refused("GET", f"networks/{unknown_id()}", None, 404, "NetworkNotFound")
    assert Net(net.cloud, "reader").get(path)["network"]["id"] == made["id"]
    Net(net.cloud, "reader").call("DELETE", path).expect(403)


def test_shared_networks_are_seen_and_not_changed(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    shared = admin.network(name="all", shared=True)
    assert net.get("networks?shared=true")["networks"][0]["id"] == shared["id"]
    path = f"networks/{shared['id']}"
    net.refused("PUT", path, {"network": {"name": "x"}}, 403, "PolicyNotAuthorized")
    net.refused("DELETE", path, None, 403, "PolicyNotAuthorized")
    subnet = {"network_id": shared["id"], "cidr": "10.1.0.0/24", "ip_version": 4}
    net.refused("POST", "subnets", {"subnet": subnet}, 403, "PolicyNotAuthorized")


def test_sharing_ends_only_when_nobody_uses_it(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    shared = admin.network(shared=True)
    admin.subnet(shared)
    port = net.port(shared)
    path, change = f"networks/{shared['id']}", {"network": {"shared": False}}
    admin.refused("PUT", path, change, 409, "InvalidSharedSetting")
    net.delete(f"ports/{port['id']}")
    assert admin.put(path, change)["network"]["shared"] is False


def test_an_update_counts_and_reaches_the_host(net: Net) -> None:
    made = net.network(name="a")
    net.cloud.settle()
    path = f"networks/{made['id']}"
    changed = net.put(path, {"network": {"name": "b", "mtu": 1300}})["network"]
    assert (changed["name"], changed["mtu"], changed["revision_number"]) == ("b", 1300, 1)
    net.cloud.settle()
    assert net.cloud.engine.networks[made["id"]].mtu == 1300
    net.refused("PUT", path, {"network": {"id": "x"}}, 400, "HTTPBadRequest")
    net.refused("PUT", path, {"network": {"mtu": 20}}, 400, "InvalidInput")
    assert net.put(path, {"network": {"mtu": 0}})["network"]["mtu"] == 1500


def test_a_network_down_takes_its_ports_down(net: Net) -> None:
    made = net.network()
    net.subnet(made)
    net.cloud.settle()
    port = net.boot("s1", made)[0]
    net.put(f"networks/{made['id']}", {"network": {"admin_state_up": False}})
    net.cloud.settle()
    assert net.cloud.engine.ports[port.id].enabled is False


def test_deletion_takes_subnets_and_the_host_along(net: Net) -> None:
    made = net.network()
    net.subnet(made)
    net.put(f"networks/{made['id']}/tags", {"tags": ["x"]})
    net.cloud.settle()
    net.delete(f"networks/{made['id']}")
    for path in ("networks", "subnets", "ports"):
        assert net.get(path)[path] == []
    assert made["id"] in net.cloud.engine.networks
    net.cloud.settle()
    assert net.cloud.engine.networks == {}
    again = net.network()
    net.cloud.settle()
    assert net.cloud.engine.networks[again["id"]].number == 1


def test_a_network_with_ports_stays(net: Net) -> None:
    made = net.network()
    port = net.port(made)
    message = net.refused("DELETE", f"networks/{made['id']}", None, 409, "NetworkInUse")
    assert port["id"] in message


def test_a_network_waits_for_its_ports_to_leave_the_host(net: Net) -> None:
    from andromede.services.network import api

    made = net.network()
    net.subnet(made)
    net.cloud.settle()
    net.boot("s1", made)
    net.cloud.settle()
    net.cloud.database.transact(lambda c: api.release_ports(c, "s1", "req-1"))
    net.delete(f"networks/{made['id']}")
    net.cloud.settle()
    assert net.cloud.engine.networks == {}
    assert net.cloud.engine.ports == {}


def test_many_at_once_or_none(net: Net) -> None:
    made = net.post("networks", {"networks": [{"name": "a"}, {"name": "b"}]})["networks"]
    assert [each["name"] for each in made] == ["a", "b"]
    net.call("POST", "networks", {"networks": [{"name": "c"}, {"name": 1}]}).expect(400)
    assert len(net.get("networks")["networks"]) == 2


def test_the_external_network_is_made_once(net: Net) -> None:
    external = outside(net.cloud)
    assert outside(net.cloud)["id"] == external["id"]
    assert (external["name"], external["router:external"], external["shared"]) == (
        "public", True, False,
    )  # fmt: skip
    assert external["status"] == "ACTIVE"
    spec = net.cloud.engine.networks[external["id"]]
    assert spec.external
    assert [(s.cidr, s.gateway, s.dhcp) for s in spec.subnets] == [
        ("172.24.4.0/24", "172.24.4.1", False)
    ]
    found = net.get("networks?router:external=True")["networks"]
    assert [each["id"] for each in found] == [external["id"]]
    assert [each["cidr"] for each in net.get("subnets")["subnets"]] == ["172.24.4.0/24"]
    net.refused(
        "POST", "ports", {"port": {"network_id": external["id"]}}, 403, "PolicyNotAuthorized"
    )


def test_an_external_network_in_use_stays_external(net: Net) -> None:
    external = outside(net.cloud)
    net.router(external_gateway_info={"network_id": external["id"]})
    admin = Net(net.cloud, "admin", "ops")
    change = {"network": {"router:external": False}}
    admin.refused("PUT", f"networks/{external['id']}", change, 409, "ExternalNetworkInUse")


def test_a_failure_for_good_shows(net: Net) -> None:
    net.cloud.engine.faults.fail("ensure_network", permanent=True)
    made = net.network()
    net.cloud.settle()
    assert net.get(f"networks/{made['id']}")["network"]["status"] == "ERROR"


def test_a_refused_site_is_a_403(net: Net) -> None:
    from tests.policies import set_allowed_sites

    made = net.network()
    net.cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    bodies: list[tuple[str, Any]] = [
        ("networks", {"network": {}}),
        ("subnets", {"subnet": {"network_id": made["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}}),
        ("ports", {"port": {"network_id": made["id"]}}),
        ("routers", {"router": {}}),
    ]
    for path, body in bodies:
        answer = net.call("POST", path, body).expect(403)
        assert "allowed_sites" in answer["NeutronError"]["message"]


def test_a_change_may_name_the_revision_it_means(net: Net) -> None:
    made = net.network()
    path, body = f"/network/v2.0/networks/{made['id']}", {"network": {"name": "b"}}

    def put(condition: str) -> Any:
        return net.client.call("PUT", path, body, {"if-match": condition})

    assert put("revision_number=0").expect(200)["network"]["revision_number"] == 1
    error = put("revision_number=0").expect(412)["NeutronError"]
    assert error["type"] == "RevisionNumberConstraintFailed"
    for condition in ("1", "revision_number=x", "*"):
        put(condition).expect(400)
    policy = net.post("address-scopes", {"address_scope": {"name": "s", "ip_version": 4}})
    key = policy["address_scope"]["id"]
    net.client.call(
        "DELETE", f"/network/v2.0/address-scopes/{key}", None, {"if-match": "revision_number=9"}
    ).expect(204)
    stale = net.client.call("DELETE", path, None, {"if-match": "revision_number=0"})
    stale.expect(412)
    net.client.call("DELETE", path, None, {"if-match": "revision_number=1"}).expect(204)
