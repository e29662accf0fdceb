"""`openstack` on servers and what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.command import OpenStack

PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqY8Lz0tW4bQ8yQd4mRkVYxM2kqWw0mC7cCw8mY2v1J someone"
)


@pytest.fixture(scope="module")
def ground(customer: OpenStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An image, a network and a key that the servers of this module share."""
    folder = tmp_path_factory.mktemp("server")
    disk = folder / "disk.raw"
    disk.write_bytes(bytes(65536))
    customer.run("image", "create", "boot", "--file", str(disk), "--disk-format", "raw")
    customer.run("network", "create", "servers")
    customer.run("subnet", "create", "s4", "--network", "servers", "--subnet-range", "10.3.0.0/24")
    customer.run("router", "create", "way-out", "--external-gateway", "public")
    customer.run("router", "add", "subnet", "way-out", "s4")
    key = folder / "key.pub"
    key.write_text(PUBLIC_KEY)
    customer.run("keypair", "create", "someone", "--public-key", str(key))
    yield
    customer.run("keypair", "delete", "someone")
    customer.run("router", "remove", "subnet", "way-out", "s4")
    customer.run("router", "delete", "way-out")
    customer.run("network", "delete", "servers")
    customer.run("image", "delete", "boot")


def test_flavor(operator: OpenStack) -> None:
    made = operator.json(
        "flavor", "create", "f.test", "--ram", "256", "--disk", "1", "--vcpus", "2"
    )
    assert (made["ram"], made["vcpus"]) == (256, 2)
    operator.run("flavor", "set", "f.test", "--property", "hw:x=y", "--description", "For tests")
    shown = operator.json("flavor", "show", "f.test")
    assert shown["properties"] == {"hw:x": "y"}
    assert "f.test" in {each["Name"] for each in operator.json("flavor", "list")}
    operator.run("flavor", "delete", "f.test")
    operator.fails("flavor", "show", "f.test")


def test_keypair(customer: OpenStack, tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(PUBLIC_KEY)
    made = customer.json("keypair", "create", "mine", "--public-key", str(path))
    assert made["name"] == "mine"
    assert "mine" in {each["Name"] for each in customer.json("keypair", "list")}
    assert customer.run("keypair", "show", "mine", "--public-key").strip() == PUBLIC_KEY
    customer.run("keypair", "delete", "mine")
    customer.fails("keypair", "show", "mine")


@pytest.mark.usefixtures("ground")
def test_server_life(customer: OpenStack, tmp_path: Path) -> None:
    data = tmp_path / "user-data"
    data.write_text("#!/bin/sh\necho hello\n")
    customer.run("security", "group", "create", "life")
    made = customer.json(
        "server", "create", "life", "--image", "boot", "--flavor", "t1.tiny",
        "--network", "servers", "--key-name", "someone", "--user-data", str(data),
        "--config-drive", "true", "--security-group", "life", "--property", "role=web", "--wait",
    )  # fmt: skip
    assert made["status"] == "ACTIVE"
    assert (made["properties"], made["key_name"]) == ({"role": "web"}, "someone")
    assert [each["Name"] for each in customer.json("server", "list")] == ["life"]
    customer.run("server", "set", "life", "--name", "vie", "--property", "tier=1")
    assert customer.json("server", "show", "vie")["properties"] == {"role": "web", "tier": "1"}
    assert "booted" in customer.run("console", "log", "show", "vie")
    for kind, page in (("novnc", "vnc"), ("serial", "serial")):
        shown = customer.json("console", "url", "show", f"--{kind}", "vie")
        assert shown["type"] == kind
        assert f"/console/{page}.html?path=" in shown["url"]
    customer.fails("console", "url", "show", "--spice", "vie")
    for command, status in (("stop", "SHUTOFF"), ("start", "ACTIVE")):
        customer.run("server", command, "vie")
        _until(customer, "vie", status)
    customer.run("server", "reboot", "--soft", "--wait", "vie")
    customer.run("server", "reboot", "--hard", "--wait", "vie")
    address = customer.json("floating", "ip", "create", "public")["floating_ip_address"]
    customer.run("server", "add", "floating", "ip", "vie", address)
    assert address in str(customer.json("server", "show", "vie")["addresses"])
    customer.run("server", "remove", "floating", "ip", "vie", address)
    assert address not in str(customer.json("server", "show", "vie")["addresses"])
    customer.run("floating", "ip", "delete", address)
    customer.run("server", "delete", "--wait", "vie")
    customer.fails("server", "show", "vie")
    customer.run("security", "group", "delete", "life")


@pytest.mark.usefixtures("ground")
def test_diagnostics(operator: OpenStack, customer: OpenStack) -> None:
    made = customer.json(
        "server", "create", "measured", "--image", "boot", "--flavor", "t1.tiny",
        "--network", "servers", "--wait",
    )  # fmt: skip
    asked = ("server", "show", "--diagnostics", made["id"])
    shown = operator.json("--os-compute-api-version", "2.48", *asked)
    assert (shown["state"], shown["num_nics"]) == ("running", 1)
    assert shown["memory_details"]["maximum"] == 128
    assert "asks for: admin" in customer.fails("--os-compute-api-version", "2.48", *asked)
    customer.run("server", "stop", made["id"])
    _until(customer, made["id"], "SHUTOFF")
    assert "power state" in operator.fails("--os-compute-api-version", "2.48", *asked)
    customer.run("server", "delete", "--wait", made["id"])


@pytest.mark.usefixtures("ground")
@pytest.mark.parametrize("nic", ["--port=P", "--nic=port-id=P", "--nic=net-id=servers"])
def test_server_on_a_given_port(customer: OpenStack, nic: str) -> None:
    port = customer.json("port", "create", "given", "--network", "servers")
    option = nic.replace("P", port["id"])
    if "net-id" in nic:
        network = customer.json("network", "show", "servers")["id"]
        option = f"--nic=net-id={network}"
    customer.run(
        "server", "create", "placed", "--image", "boot", "--flavor", "t1.tiny", option, "--wait"
    )
    addresses = str(customer.json("server", "show", "placed")["addresses"])
    assert (port["fixed_ips"][0]["ip_address"] in addresses) == ("net-id" not in nic)
    customer.run("server", "delete", "--wait", "placed")
    assert customer.json("port", "show", "given")["device_id"] == ""
    customer.run("port", "delete", "given")


def _until(customer: OpenStack, name: str, status: str) -> None:
    for _ in range(100):
        if customer.json("server", "show", name)["status"] == status:
            return
    raise AssertionError(f"{name} did not become {status}")


def test_quota_and_limits(operator: OpenStack, customer: OpenStack) -> None:
    operator.run("project", "create", "small")
    operator.run("quota", "set", "small", "--instances", "3", "--ports", "7", "--cores", "5")
    shown = {each["Resource"]: each["Limit"] for each in operator.json("quota", "show", "small")}
    assert (shown["instances"], shown["ports"], shown["cores"]) == (3, 7, 5)
    assert customer.json("quota", "show")
    limits = {each["Name"]: each["Value"] for each in customer.json("limits", "show", "--absolute")}
    assert limits["instances"] == -1
    operator.run("project", "delete", "small")
