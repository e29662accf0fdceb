"""What compute calls: cards, addresses, documents for guests."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.http.errors import ApiError
from andromede.services.network import api
from tests.contract.network.kit import Net, outside, wired
from tests.harness import unknown_id


def read(net: Net, call: Any, *arguments: Any) -> Any:
    with net.cloud.database.read() as connection:
        return call(connection, *arguments)


@pytest.fixture
def server(net: Net) -> tuple[Any, Any, list[api.Port]]:
    """(external network, network, ports) of server s1: a given port, then one of its own."""
    external, _, network, _ = wired(net)
    given = net.port(network, name="given", dns_name="mine")
    ports = net.boot("s1", network, given)
    net.cloud.settle()
    return external, network, ports


def test_cards_are_in_order(net: Net, server: Any) -> None:
    _, network, ports = server
    assert [each.of_server for each in ports] == [False, True]
    assert read(net, api.ports_of, "s1") == ports
    assert read(net, api.ports_of_many, ["s1", "s2"]) == {"s1": ports, "s2": []}
    cards = read(net, api.nic_specs, "s1")
    assert [(each.port_id, each.mac, each.mtu, each.network_id) for each in cards] == [
        (each.id, each.mac, 1500, network["id"]) for each in ports
    ]
    shown = [net.get(f"ports/{each.id}")["port"] for each in ports]
    assert [each["device_owner"] for each in shown] == ["compute:nova"] * 2
    assert [each["device_id"] for each in shown] == ["s1"] * 2
    assert [each["dns_name"] for each in shown] == ["mine", "n-s1"]


def test_addresses_with_floating_ones(net: Net, server: Any) -> None:
    external, _, ports = server
    net.floating(external, port_id=ports[0].id)
    found = read(net, api.server_addresses, ["s1", "s2"])
    assert found == {
        "s1": {"inside": [
            entry("10.0.0.3", ports[0].mac, "fixed"),
            entry("172.24.4.3", ports[0].mac, "floating"),
            entry("10.0.0.4", ports[1].mac, "fixed"),
        ]},
        "s2": {},
    }  # fmt: skip
    one = read(net, api.attachments_of, ["s1"])["s1"]
    assert (one.addresses, one.groups) == (found["s1"], ["default"])
    assert read(net, api.server_addresses, []) == {}
    assert read(net, api.servers_at, "p1", "0.0.3", 4) == {"s1"}
    assert read(net, api.servers_at, None, "10.0", 4) == {"s1"}
    assert read(net, api.servers_at, "p2", "10.0", 4) == set()
    [group] = read(net, api.security_groups_of, "s1")
    assert (group["name"], len(group["rules"])) == ("default", 4)


def entry(ip: str, mac: str, kind: str) -> dict[str, object]:
    return {
        "version": 4, "addr": ip, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": mac,
    }  # fmt: skip


def test_states_follow_the_machine(net: Net, server: Any) -> None:
    _, _, ports = server
    net.put(f"ports/{ports[0].id}", {"port": {"admin_state_up": False}})
    states = lambda: [  # noqa: E731
        net.get(f"ports/{each.id}")["port"]["status"] for each in ports
    ]
    assert states() == ["DOWN", "DOWN"]
    net.cloud.database.transact(lambda c: api.ports_active(c, "s1", True))
    assert states() == ["DOWN", "ACTIVE"]
    net.cloud.database.transact(lambda c: api.ports_active(c, "s1", False))
    assert states() == ["DOWN", "DOWN"]


def test_a_held_port_is_left_to_its_server(net: Net, server: Any) -> None:
    _, network, ports = server
    body = {"port": {"device_id": ""}}
    net.refused("PUT", f"ports/{ports[0].id}", body, 409, "PortInUse")
    with pytest.raises(ApiError, match="still in use"):
        net.boot("s2", None, {"id": ports[0].id})
    net.refused("DELETE", f"networks/{network['id']}", None, 409, "NetworkInUse")


def test_release_deletes_what_was_the_servers(net: Net, server: Any) -> None:
    external, _, ports = server
    one, two = (net.floating(external, port_id=each.id) for each in ports)
    net.cloud.database.transact(lambda c: api.release_ports(c, "s1", "req-9"))
    net.cloud.settle()
    net.refused("GET", f"ports/{ports[1].id}", None, 404, "PortNotFound")
    given = net.get(f"ports/{ports[0].id}")["port"]
    assert (given["device_id"], given["device_owner"], given["dns_name"]) == ("", "", "")
    assert net.get(f"floatingips/{one['id']}")["floatingip"]["port_id"] == ports[0].id
    assert net.get(f"floatingips/{two['id']}")["floatingip"]["port_id"] is None
    net.boot("s2", None, {"id": ports[0].id})
    assert read(net, api.ports_of, "s2")[0].id == ports[0].id


def test_the_metadata_service_finds_servers(net: Net, server: Any) -> None:
    _, network, _ = server
    assert read(net, api.port_by_address, network["id"], "10.0.0.3") == "s1"
    for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.99"):
        assert read(net, api.port_by_address, network["id"], ip) is None
    assert read(net, api.port_by_address, unknown_id(), "10.0.0.3") is None


def test_network_data(net: Net, server: Any) -> None:
    _, network, ports = server
    static = net.network()
    net.subnet(
        static, "10.4.0.0/24", enable_dhcp=False, dns_nameservers=["9.9.9.9"],
        host_routes=[{"destination": "10.9.0.0/16", "nexthop": "10.4.0.9"}],
    )  # fmt: skip
    six = net.network()
    net.subnet(six, "fd00::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    extra = [net.port(static), net.port(six)]
    net.boot("s3", None, *extra)
    data = read(net, api.network_data, "s3")
    assert [each["ethernet_mac_address"] for each in data["links"]] == [
        each["mac_address"] for each in extra
    ]
    first, second = data["networks"]
    assert (first["type"], first["ip_address"], first["netmask"]) == (
        "ipv4", "10.4.0.2", "255.255.255.0",
    )  # fmt: skip
    assert first["routes"] == [
        {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.4.0.1"},
        {"network": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "10.4.0.9"},
    ]
    assert (second["type"], second["link"]) == ("ipv6_slaac", data["links"][1]["id"])
    assert data["services"] == [{"type": "dns", "address": "9.9.9.9"}]
    plain = read(net, api.network_data, "s1")
    assert [each["type"] for each in plain["networks"]] == ["ipv4_dhcp", "ipv4_dhcp"]
    assert plain["networks"][0]["network_id"] == network["id"]
    assert plain["links"][0]["vif_id"] == ports[0].id


def test_the_default_network_is_the_only_one(net: Net) -> None:
    outside(net.cloud)
    assert read(net, api.default_network, "p1") is None
    shared = Net(net.cloud, "admin", "ops").network(shared=True)
    assert read(net, api.default_network, "p1") == shared["id"]
    own = net.network()
    assert read(net, api.default_network, "p1") == own["id"]
    net.network()
    with pytest.raises(ApiError, match="Multiple possible networks"):
        read(net, api.default_network, "p1")


def test_cards_that_cannot_be_had(net: Net) -> None:
    external, mine = outside(net.cloud), net.network()
    net.subnet(mine)
    theirs = Net(net.cloud, project="p2").network()
    for network, says in ((external, "not allowed"), (theirs, "could not be found")):
        with pytest.raises(ApiError, match=says):
            net.boot("s1", network)
    with pytest.raises(ApiError, match="could not be found"):
        net.boot("s1", {"id": unknown_id()})
    with pytest.raises(ApiError, match="could not be found"):
        net.boot("s1", None, {"id": unknown_id()})
    with pytest.raises(ApiError, match="not found for project"):
        net.boot("s1", mine, security_groups=["nothing"])
    with pytest.raises(ApiError, match="not a valid IP"):
        net.boot("s1", mine, fixed_ip="10.9.9.9")
    assert net.boot("s1", mine, fixed_ip="10.0.0.9", security_groups=["default", "default"])[
        0].addresses[0].ip == "10.0.0.9"  # fmt: skip
