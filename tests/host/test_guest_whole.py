"""The whole server, seen from inside real guests: halted, resized, copied, rescued, plugged."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from andromede.cli.client import ApiFailure, poll
from andromede.engine.embedded.machine import process
from tests.host.guest_cloud import PATIENCE, Guests, Server

pytestmark = pytest.mark.host
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
SECTORS = "cat /sys/class/block/vda/size"


def processes(guests: Guests, server_id: str) -> list[int]:
    config = guests.world.cloud.config
    return [pid for pid, name in process.marked(config.short, config.uid_base) if name == server_id]


def test_paused_and_suspended_guests_go_on_where_they_were(guests: Guests) -> None:
    alpha, beta = guests.alpha, guests.beta
    before = {each.id: each.ssh(BOOT_ID) for each in (alpha, beta)}
    alpha.act("pause")
    beta.act("suspend")
    alpha.wait("PAUSED")
    beta.wait("SUSPENDED")
    assert len(processes(guests, alpha.id)) == 1
    assert processes(guests, beta.id) == []
    alpha.act("unpause")
    beta.act("resume")
    for each in (alpha, beta):
        each.hang_up()
        each.wait("ACTIVE")
        each.wait_ssh()
        assert each.ssh(BOOT_ID) == before[each.id]


def test_a_guest_sees_another_size_and_its_old_disk_again(guests: Guests) -> None:
    delta = guests.delta
    delta.ssh("echo before >kept; sync")
    small = int(delta.ssh(SECTORS))
    delta.act("resize", {"flavorRef": "t1.small"})
    delta.hang_up()
    delta.wait("VERIFY_RESIZE")
    delta.wait_ssh()
    assert int(delta.ssh(SECTORS)) == 2 * small
    assert int(delta.ssh("awk '/MemTotal/ {print $2}' /proc/meminfo")) > 140_000
    delta.ssh("echo after >kept; sync")
    delta.act("revertResize")
    delta.hang_up()
    delta.wait("ACTIVE")
    delta.wait_ssh()
    assert (int(delta.ssh(SECTORS)), delta.ssh("cat kept")) == (small, "before")
    delta.act("resize", {"flavorRef": "t1.small"})
    delta.hang_up()
    delta.wait("VERIFY_RESIZE")
    delta.act("confirmResize")
    delta.wait("ACTIVE")
    delta.wait_ssh()
    assert (int(delta.ssh(SECTORS)), delta.ssh("cat kept")) == (2 * small, "before")


def test_a_guest_sees_cards_come_and_go(guests: Guests) -> None:
    alpha, tenant = guests.alpha, guests.tenant
    networks = tenant.api.call("network", "GET", "/v2.0/networks?name=green")["networks"]
    before = set(alpha.ssh("ls /sys/class/net").split())
    asked = {"interfaceAttachment": {"net_id": networks[0]["id"]}}
    path = f"/servers/{alpha.id}/os-interface"
    made = tenant.api.call("compute", "POST", path, asked)["interfaceAttachment"]
    poll(lambda: len(set(alpha.ssh("ls /sys/class/net").split()) - before) == 1, PATIENCE,
         "the guest sees no card")  # fmt: skip
    [card] = set(alpha.ssh("ls /sys/class/net").split()) - before
    assert alpha.ssh(f"cat /sys/class/net/{card}/address") == made["mac_addr"]
    tenant.api.call("compute", "DELETE", f"{path}/{made['port_id']}", None)
    poll(lambda: set(alpha.ssh("ls /sys/class/net").split()) == before, PATIENCE,
         "the guest keeps the card")  # fmt: skip

    def gone() -> bool:
        try:
            tenant.api.call("network", "GET", f"/v2.0/ports/{made['port_id']}")
        except ApiFailure as error:
            return error.status == 404
        return False

    poll(gone, PATIENCE, "the port is still there")


def snapshot(server: Server, name: str) -> str:
    server.act("createImage", {"name": name})

    def found() -> list[dict[str, Any]]:
        listed = server.tenant.api.call("image", "GET", f"/v2/images?name={name}")["images"]
        return [dict(each) for each in listed]

    poll(
        lambda: [each["status"] for each in found()] == ["active"], PATIENCE,
        f"image {name} does not become active",
    )  # fmt: skip
    server.wait("ACTIVE")
    return str(found()[0]["id"])


def test_a_snapshot_of_a_running_guest_boots_with_what_it_held(guests: Guests) -> None:
    gamma = guests.gamma
    gamma.ssh("echo remembered >kept; sync")
    image = snapshot(gamma, "snap")
    gamma.ssh("echo forgotten >kept; sync")
    gamma.act("rebuild", {"imageRef": image})
    gamma.hang_up()
    gamma.wait("ACTIVE")
    gamma.wait_ssh()
    assert gamma.ssh("cat kept") == "remembered"


def test_a_rescued_guest_has_its_own_disk_second(guests: Guests) -> None:
    gamma = guests.gamma
    gamma.ssh("echo mine >kept; sync")
    gamma.act("rescue")
    gamma.hang_up()
    gamma.wait("RESCUE")
    gamma.wait_ssh()
    assert {"vda", "vdb"} <= set(gamma.ssh("ls /sys/class/block").split())
    gamma.act("unrescue")
    gamma.hang_up()
    gamma.wait("ACTIVE")
    gamma.wait_ssh()
    assert gamma.ssh("cat kept") == "mine"
    assert "vdb" not in gamma.ssh("ls /sys/class/block").split()


def test_a_shelved_guest_leaves_the_host_and_returns_with_its_disk(guests: Guests) -> None:
    beta = guests.beta
    beta.ssh("echo shelved >kept; sync")
    beta.act("shelve")
    beta.hang_up()
    beta.wait("SHELVED_OFFLOADED")
    assert processes(guests, beta.id) == []
    beta.act("unshelve")
    beta.wait("ACTIVE")
    beta.wait_ssh()
    assert beta.ssh("cat kept") == "shelved"


def test_what_a_guest_used_is_measured(guests: Guests) -> None:
    alpha, operator = guests.alpha, guests.world.cloud.operator
    path = f"/servers/{alpha.id}/diagnostics"
    before = operator.call("compute", "GET", path)
    alpha.ssh("dd if=/dev/urandom of=written bs=1M count=4; sync; rm written")
    after = operator.call("compute", "GET", path)
    heard = next(name for name in before if name.endswith("_rx_packets"))
    assert after["vda_write"] - before["vda_write"] >= 4 << 20
    assert after["memory"] == 128 << 10
    for name in ("cpu0_time", "vda_write_req", heard, heard.replace("_rx_", "_tx_")):
        assert after[name] > before[name], name
    url = operator.catalog["compute"] + path
    body, _ = operator._send("GET", url, None, {"OpenStack-API-Version": "compute 2.48"})
    shown = json.loads(body)
    ports = operator.call("network", "GET", "/v2.0/ports", None, device_id=alpha.id)["ports"]
    assert {card["mac_address"] for card in shown["nic_details"]} == {
        each["mac_address"] for each in ports
    }
    assert shown["memory_details"]["maximum"] == 128
    assert shown["memory_details"]["used"] > 0
    assert (shown["state"], shown["num_cpus"], shown["num_disks"]) == ("running", 1, 2)
    assert shown["disk_details"][0]["write_bytes"] >= after["vda_write"]
    assert all(disk["errors_count"] == 0 for disk in shown["disk_details"])


def test_guests_have_the_randomness_that_the_scs_standard_asks_for(guests: Guests) -> None:
    assert guests.alpha.ssh("cat /proc/sys/kernel/random/entropy_avail") == "256"
    assert guests.alpha.ssh("cat /sys/class/misc/hw_random/rng_current").startswith("virtio_rng")


def test_deleting_a_projects_resources_leaves_nothing_on_the_host(guests: Guests) -> None:
    rival, gamma = guests.rival, guests.gamma
    names = guests.world.outside.names
    namespaces = [
        names.network_namespace(guests.rival_network),
        names.router_namespace(guests.rival_router),
    ]
    taps = _taps(namespaces[0])
    assert len(taps) == 1
    assert set(namespaces) <= set(os.listdir("/run/netns"))
    gamma.hang_up()
    rival.api.call("compute", "DELETE", f"/servers/{gamma.id}")
    poll(lambda: _gone(gamma), PATIENCE, "the server is gone")
    poll(lambda: not _taps(namespaces[0]), PATIENCE, "its tap is gone")
    assert processes(guests, gamma.id) == []
    _take_apart(guests)
    poll(
        lambda: not set(namespaces) & set(os.listdir("/run/netns")),
        PATIENCE, "the namespaces are gone",
    )  # fmt: skip
    short = guests.world.cloud.config.short
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue  # it ended
        assert guests.rival_network.encode() not in line, f"a process of network {short} is left"


def _taps(namespace: str) -> list[str]:
    done = subprocess.run(
        ["ip", "-n", namespace, "-o", "link", "show", "type", "tun"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()


def _gone(server: Server) -> bool:
    try:
        server.shown()
    except ApiFailure as error:
        return error.status == 404
    return False


def _take_apart(guests: Guests) -> None:
    """Delete a project's network and router, as its user does."""
    api = guests.rival.api
    subnet = api.call("network", "GET", "/v2.0/subnets", None, network_id=guests.rival_network)
    router = f"/v2.0/routers/{guests.rival_router}"
    for each in api.call("network", "GET", "/v2.0/floatingips")["floatingips"]:
        api.call("network", "DELETE", f"/v2.0/floatingips/{each['id']}")
    body = {"subnet_id": subnet["subnets"][0]["id"]}
    api.call("network", "PUT", f"{router}/remove_router_interface", body)
    api.call("network", "DELETE", router)
    ports = api.call("network", "GET", "/v2.0/ports", None, network_id=guests.rival_network)
    for each in ports["ports"]:
        if not each["device_owner"]:
            api.call("network", "DELETE", f"/v2.0/ports/{each['id']}")
    api.call("network", "DELETE", f"/v2.0/networks/{guests.rival_network}")
