"""`openstack` on networks, from a network to a floating address."""

from __future__ import annotations

from tests.clients.command import OpenStack


def test_network_subnet_and_port(customer: OpenStack) -> None:
    network = customer.json("network", "create", "lan", "--description", "A network")
    assert network["status"] in ("ACTIVE", "BUILD", "DOWN")
    customer.run("network", "set", "lan", "--name", "office")
    assert customer.json("network", "show", "office")["id"] == network["id"]
    subnet = customer.json(
        "subnet", "create", "desks", "--network", "office", "--subnet-range", "10.1.0.0/24",
        "--dns-nameserver", "9.9.9.9", "--allocation-pool", "start=10.1.0.10,end=10.1.0.200",
    )  # fmt: skip
    assert subnet["gateway_ip"] == "10.1.0.1"
    customer.run("subnet", "set", "desks", "--name", "rooms", "--no-dns-nameservers")
    assert customer.json("subnet", "show", "rooms")["dns_nameservers"] in ("", [])
    port = customer.json(
        "port", "create", "seat", "--network", "office", "--fixed-ip", "ip-address=10.1.0.77"
    )
    assert port["fixed_ips"][0]["ip_address"] == "10.1.0.77"
    customer.run("port", "set", "seat", "--name", "chair", "--description", "Mine")
    assert customer.json("port", "show", "chair")["description"] == "Mine"
    for noun, name in (("network", "office"), ("subnet", "rooms"), ("port", "chair")):
        assert name in {each["Name"] for each in customer.json(noun, "list")}
    assert "ports still in use" in customer.fails("network", "delete", "office")
    for noun, name in (("port", "chair"), ("subnet", "rooms"), ("network", "office")):
        customer.run(noun, "delete", name)
        customer.fails(noun, "show", name)


def test_router_and_floating_ip(customer: OpenStack) -> None:
    customer.run("network", "create", "inner")
    customer.run(
        "subnet", "create", "inner4", "--network", "inner", "--subnet-range", "10.2.0.0/24"
    )
    customer.run("router", "create", "edge")
    customer.run("router", "add", "subnet", "edge", "inner4")
    customer.run("router", "set", "edge", "--external-gateway", "public", "--description", "Out")
    shown = customer.json("router", "show", "edge")
    assert shown["external_gateway_info"]["external_fixed_ips"]
    assert "edge" in {each["Name"] for each in customer.json("router", "list")}
    port = customer.json("port", "create", "host", "--network", "inner")
    floating = customer.json("floating", "ip", "create", "public")
    address = floating["floating_ip_address"]
    customer.run("floating", "ip", "set", address, "--port", port["id"])
    shown = customer.json("floating", "ip", "show", address)
    assert shown["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert address in {
        each["Floating IP Address"] for each in customer.json("floating", "ip", "list")
    }
    assert "required" in customer.fails("router", "unset", "edge", "--external-gateway")
    customer.run("floating", "ip", "unset", address, "--port")
    customer.run("floating", "ip", "delete", address)
    customer.run("router", "unset", "edge", "--external-gateway")
    customer.run("router", "remove", "subnet", "edge", "inner4")
    customer.run("router", "delete", "edge")
    customer.run("port", "delete", "host")
    customer.run("network", "delete", "inner")


def test_security_group_and_rule(customer: OpenStack) -> None:
    customer.run("security", "group", "create", "web", "--description", "Web servers")
    customer.run("security", "group", "set", "web", "--name", "www")
    rule = customer.json(
        "security", "group", "rule", "create", "www", "--protocol", "tcp", "--dst-port", "443",
        "--remote-ip", "0.0.0.0/0",
    )  # fmt: skip
    assert rule["port_range_min"] == 443
    listed = customer.json("security", "group", "rule", "list", "www")
    assert rule["id"] in {each["ID"] for each in listed}
    assert customer.json("security", "group", "rule", "show", rule["id"])["protocol"] == "tcp"
    names = {each["Name"] for each in customer.json("security", "group", "list")}
    assert {"default", "www"} <= names
    assert customer.json("security", "group", "show", "www")["description"] == "Web servers"
    customer.run("security", "group", "rule", "delete", rule["id"])
    customer.run("security", "group", "delete", "www")
