"""Ports: addresses, MACs, security, who may ask for what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, outside
from tests.harness import unknown_id


def ips(port: Any) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


@pytest.fixture
def lan(net: Net) -> Any:
    """A network with 10.0.0.0/24."""
    network = net.network(name="lan")
    network["subnet"] = net.subnet(network)
    return network


def test_a_plain_port(net: Net, lan: Any) -> None:
    made = net.port(lan, name="p")
    assert net.get(f"ports/{made['id']}")["port"] == made
    assert ips(made) == ["10.0.0.3"]
    assert made["mac_address"].startswith("fa:16:3e:")
    assert made["security_groups"] == [net.default_group()["id"]]
    assert made["dns_assignment"] == [
        {"ip_address": "10.0.0.3", "hostname": "host-10-0-0-3",
         "fqdn": "host-10-0-0-3.openstacklocal"}
    ]  # fmt: skip
    assert (made["status"], made["device_id"], made["port_security_enabled"]) == ("DOWN", "", True)
    assert "binding:host_id" not in made
    seen = Net(net.cloud, "admin", "ops").get(f"ports/{made['id']}")["port"]
    assert (seen["binding:host_id"], seen["binding:vif_type"]) == ("", "unbound")
    net.cloud.settle()
    assert net.cloud.engine.ports == {}  # the host learns of it when a server holds it


def test_addresses_as_asked(net: Net, lan: Any) -> None:
    key = lan["subnet"]["id"]
    assert ips(net.port(lan, fixed_ips=[{"ip_address": "10.0.0.50"}])) == ["10.0.0.50"]
    many = net.port(
        lan, fixed_ips=[{"subnet_id": key}, {"subnet_id": key, "ip_address": "10.0.0.4"}]
    )
    assert ips(many) == ["10.0.0.3", "10.0.0.4"]
    assert ips(net.port(lan)) == ["10.0.0.5"]
    assert ips(net.port(lan, fixed_ips=[])) == []
    taken = {"port": {"network_id": lan["id"], "fixed_ips": [{"ip_address": "10.0.0.50"}]}}
    net.refused("POST", "ports", taken, 409, "IpAddressInUse")


BAD_ADDRESSES: list[tuple[Any, str]] = [
        ([{"ip_address": "10.0.1.1"}], "InvalidIpForNetwork"),
        ([{"ip_address": "10.0.0.0"}], "InvalidIpForNetwork"),
        ([{"ip_address": "10.0.0.255"}], "InvalidIpForNetwork"),
        ([{"ip_address": "fd00::1"}], "InvalidIpForNetwork"),
        ([{"subnet_id": "LAN", "ip_address": "10.0.1.1"}], "InvalidIpForSubnet"),
        ([{"subnet_id": "UNKNOWN"}], "InvalidInput"),
        ([{}], "HTTPBadRequest"),
        ([{"a": 1}], "HTTPBadRequest"),
        ("10.0.0.1", "HTTPBadRequest"),
        ([{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.9"}], "HTTPBadRequest"),
        ([{"ip_address": "10.0.0.9"},
          {"ip_address": "10.0.0.9", "subnet_id": "LAN"}], "HTTPBadRequest"),
        ([{"ip_address": f"10.0.0.{n}"} for n in range(9, 30)], "HTTPBadRequest"),
]  # fmt: skip


def test_bad_addresses_are_refused(net: Net, lan: Any) -> None:
    key = {"LAN": lan["subnet"]["id"], "UNKNOWN": unknown_id()}
    for fixed, name in BAD_ADDRESSES:
        if isinstance(fixed, list):
            fixed = [{k: key.get(str(v), v) for k, v in each.items()} for each in fixed]
        body = {"port": {"network_id": lan["id"], "fixed_ips": fixed}}
        net.refused("POST", "ports", body, 400, name)
    assert len(net.get("ports")["ports"]) == 1  # DHCP's


BAD_PORTS: list[tuple[Any, int, str]] = [
        ({"mac_address": "x"}, 400, "HTTPBadRequest"),
        ({"mac_address": "01:00:00:00:00:01"}, 400, "HTTPBadRequest"),
        ({"mac_address": None}, 400, "HTTPBadRequest"),
        ({"security_groups": ["x"]}, 400, "HTTPBadRequest"),
        ({"security_groups": [unknown_id()]}, 404, "SecurityGroupNotFound"),
        ({"port_security_enabled": False, "security_groups": "OWN"}, 400,
         "PortSecurityAndIPRequiredForSecurityGroups"),
        ({"fixed_ips": [], "security_groups": "OWN"}, 400,
         "PortSecurityAndIPRequiredForSecurityGroups"),
        ({"port_security_enabled": False, "allowed_address_pairs": [{"ip_address": "10.0.0.9"}]},
         409, "AddressPairAndPortSecurityRequired"),
        ({"allowed_address_pairs": [{"ip_address": "0.0.0.0/0"}]}, 400, "HTTPBadRequest"),
        ({"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]}, 400, "HTTPBadRequest"),
        ({"allowed_address_pairs": [{"ip_address": f"10.0.0.{n}"} for n in range(11)]}, 400,
         "HTTPBadRequest"),
        ({"device_owner": "network:dhcp"}, 400, "HTTPBadRequest"),
        ({"device_owner": "network:router_interface"}, 400, "HTTPBadRequest"),
        ({"dns_name": "not a name"}, 400, "HTTPBadRequest"),
        ({"extra_dhcp_opts": [{"opt_name": "a"}]}, 400, "HTTPBadRequest"),
        ({"extra_dhcp_opts": [{"opt_name": "a\nb", "opt_value": "c"}]}, 400, "HTTPBadRequest"),
        ({"binding:host_id": "h"}, 403, "PolicyNotAuthorized"),
        ({"binding:profile": {"a": 1}}, 403, "PolicyNotAuthorized"),
        ({"binding:vnic_type": "direct"}, 400, "HTTPBadRequest"),
        ({"network_id": unknown_id()}, 404, "NetworkNotFound"),
        ({"qos_policy_id": unknown_id()}, 404, "QosPolicyNotFound"),
        ({"numa_affinity_policy": "legacy"}, 400, "HTTPBadRequest"),
]  # fmt: skip


def test_bad_ports_are_refused(net: Net, lan: Any) -> None:
    own = net.default_group()["id"]
    for values, status, name in BAD_PORTS:
        if values.get("security_groups") == "OWN":
            values = {**values, "security_groups": [own]}
        net.refused("POST", "ports", {"port": {"network_id": lan["id"], **values}}, status, name)
    assert len(net.get("ports")["ports"]) == 1


def test_what_is_asked_is_kept(net: Net, lan: Any) -> None:
    group = net.group()
    made = net.port(
        lan, name="n", description="d", admin_state_up=False, dns_name="Web",
        mac_address="FA-16-3E-00-00-01", security_groups=[group["id"]],
        allowed_address_pairs=[{"ip_address": "10.0.0.99"},
                               {"ip_address": "10.1.0.0/16", "mac_address": "fa:16:3e:00:00:02"}],
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400"}], device_id="x", device_owner="y",
    )  # fmt: skip
    assert made["mac_address"] == "fa:16:3e:00:00:01"
    assert made["security_groups"] == [group["id"]]
    assert made["allowed_address_pairs"] == [
        {"ip_address": "10.0.0.99", "mac_address": "fa:16:3e:00:00:01"},
        {"ip_address": "10.1.0.0/16", "mac_address": "fa:16:3e:00:00:02"},
    ]
    assert made["extra_dhcp_opts"] == [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}]
    assert made["dns_assignment"][0]["fqdn"] == "web.openstacklocal"
    assert (made["device_id"], made["device_owner"], made["admin_state_up"]) == ("x", "y", False)
    body = {"port": {"network_id": lan["id"], "mac_address": "fa:16:3e:00:00:01"}}
    net.refused("POST", "ports", body, 409, "MacAddressInUse")


def test_ports_are_found_by_what_they_have(net: Net, lan: Any) -> None:
    group = net.group()
    one = net.port(lan, security_groups=[group["id"]], device_id="d1")
    net.port(lan)
    key = lan["subnet"]["id"]
    for query in (
        "fixed_ips=ip_address=10.0.0.3",
        f"fixed_ips=ip_address=10.0.0.3&fixed_ips=subnet_id={key}",
        f"security_groups={group['id']}",
        "device_id=d1",
        f"mac_address={one['mac_address']}",
    ):
        assert [each["id"] for each in net.get(f"ports?{query}")["ports"]] == [one["id"]], query
    assert len(net.get("ports?fixed_ips=ip_address_substr=0.0.")["ports"]) == 3
    assert net.get("ports?fixed_ips=colour=red")["ports"] == []


def test_an_update_is_whole_or_nothing(net: Net, lan: Any) -> None:
    made = net.port(lan)
    path = f"ports/{made['id']}"
    key = lan["subnet"]["id"]
    wanted = [{"subnet_id": key, "ip_address": "10.0.0.77"}, made["fixed_ips"][0]]
    changed = net.put(path, {"port": {"fixed_ips": wanted, "name": "n", "dns_name": "web"}})["port"]
    assert ips(changed) == ["10.0.0.77", "10.0.0.3"]
    assert (changed["name"], changed["revision_number"]) == ("n", 1)
    assert ips(net.put(path, {"port": {"fixed_ips": wanted[:1]}})["port"]) == ["10.0.0.77"]
    assert ips(net.port(lan)) == ["10.0.0.3"]
    net.refused(
        "PUT", path, {"port": {"name": "m", "fixed_ips": [{"ip_address": "10.0.0.3"}]}},
        409, "IpAddressInUse",
    )  # fmt: skip
    assert net.get(path)["port"]["name"] == "n"
    changed = net.put(path, {"port": {"mac_address": "fa:16:3e:00:00:09"}})["port"]
    assert changed["mac_address"] == "fa:16:3e:00:00:09"
    other = net.port(lan)
    net.refused(
        "PUT", path, {"port": {"mac_address": other["mac_address"]}}, 409, "MacAddressInUse"
    )
    net.refused("PUT", path, {"port": {"network_id": lan["id"]}}, 400, "HTTPBadRequest")


def test_security_changes_are_consistent(net: Net, lan: Any) -> None:
    made, group = net.port(lan), net.group()
    path = f"ports/{made['id']}"
    off = {"port": {"port_security_enabled": False}}
    net.refused("PUT", path, off, 409, "PortSecurityPortHasSecurityGroup")
    changed = net.put(path, {"port": {"security_groups": [], "port_security_enabled": False}})
    assert changed["port"]["port_security_enabled"] is False
    pairs = {"port": {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]}}
    net.refused("PUT", path, pairs, 409, "AddressPairAndPortSecurityRequired")
    groups = {"port": {"security_groups": [group["id"]]}}
    name = "PortSecurityAndIPRequiredForSecurityGroups"
    net.refused("PUT", path, groups, 400, name)
    groups["port"]["port_security_enabled"] = True
    assert net.put(path, groups)["port"]["security_groups"] == [group["id"]]
    net.refused("PUT", path, {"port": {"fixed_ips": []}}, 400, name)


def test_a_port_of_a_service_is_left_to_it(net: Net, lan: Any) -> None:
    router = net.router()
    leg = net.put(
        f"routers/{router['id']}/add_router_interface", {"subnet_id": lan["subnet"]["id"]}
    )["port_id"]
    net.refused("DELETE", f"ports/{leg}", None, 409, "ServicePortInUse")
    for values in ({"device_id": "x"}, {"mac_address": "fa:16:3e:00:00:09"}):
        net.refused("PUT", f"ports/{leg}", {"port": values}, 409, "PortInUse")
    assert net.put(f"ports/{leg}", {"port": {"name": "leg"}})["port"]["name"] == "leg"
    service = net.get("ports?device_owner=network:dhcp")["ports"][0]["id"]
    net.refused("PUT", f"ports/{service}", {"port": {"fixed_ips": []}}, 409, "PortInUse")


def test_ports_are_their_projects_and_their_networks(net: Net, lan: Any) -> None:
    made, other = net.port(lan), Net(net.cloud, project="p2")
    for method, body in (("GET", None), ("PUT", {"port": {}}), ("DELETE", None)):
        other.refused(method, f"ports/{made['id']}", body, 404, "PortNotFound")
    body = {"port": {"network_id": lan["id"]}}
    other.refused("POST", "ports", body, 404, "NetworkNotFound")
    group = net.group()
    theirs = other.network()
    other.subnet(theirs)
    body = {"port": {"network_id": theirs["id"], "security_groups": [group["id"]]}}
    other.refused("POST", "ports", body, 404, "SecurityGroupNotFound")


def test_strangers_make_plain_ports_on_shared_networks(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    shared = admin.network(shared=True)
    subnet = admin.subnet(shared)
    made = net.port(shared, fixed_ips=[{"subnet_id": subnet["id"]}])
    assert made["project_id"] == "p1"
    for values in (
        {"fixed_ips": [{"ip_address": "10.0.0.9"}]},
        {"mac_address": "fa:16:3e:00:00:01"},
        {"port_security_enabled": False},
        {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]},
        {"device_owner": "network:mine"},
    ):
        body = {"port": {"network_id": shared["id"], **values}}
        net.refused("POST", "ports", body, 403, "PolicyNotAuthorized")
        net.refused("PUT", f"ports/{made['id']}", {"port": values}, 403, "PolicyNotAuthorized")
    net.delete(f"ports/{made['id']}")


def test_the_network_owner_sees_strangers_ports(net: Net) -> None:
    admin = Net(net.cloud, "admin", "p9")
    shared = admin.network(shared=True)
    admin.subnet(shared)
    made = net.port(shared)
    owner = Net(net.cloud, project="p9")
    assert owner.get(f"ports/{made['id']}")["port"]["project_id"] == "p1"
    owner.refused("DELETE", f"ports/{made['id']}", None, 403, "PolicyNotAuthorized")


def test_unsecured_networks_make_unsecured_ports(net: Net) -> None:
    network = net.network(port_security_enabled=False)
    net.subnet(network)
    made = net.port(network)
    assert (made["port_security_enabled"], made["security_groups"]) == (False, [])
    assert net.port(net.network())["security_groups"] == []  # no address, nothing to filter


def test_an_operator_binds_by_hand(net: Net, lan: Any) -> None:
    admin = Net(net.cloud, "admin", "p1")
    made = admin.port(lan, **{"binding:host_id": "h7", "binding:profile": {"a": 1}})
    assert (made["binding:host_id"], made["binding:profile"]) == ("h7", {"a": 1})
    changed = admin.put(f"ports/{made['id']}", {"port": {"binding:profile": None}})["port"]
    assert changed["binding:profile"] == {}
    assert outside(net.cloud)["router:external"]
