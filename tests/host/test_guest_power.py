"""Servers off and on again, and gone without a trace; with the unmodified client too."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.cli.client import ApiFailure, poll
from andromede.config import Paths
from andromede.engine.embedded.machine import process
from tests.clients.command import OpenStack
from tests.host.guest_cloud import PATIENCE, USER_DATA_SAYS, Guests, Server

pytestmark = pytest.mark.host
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


def processes(guests: Guests, server_id: str) -> list[int]:
    config = guests.world.cloud.config
    return [pid for pid, name in process.marked(config.short, config.uid_base) if name == server_id]


def test_soft_and_hard_reboot_stop_and_start_and_a_guest_that_turns_itself_off(
    guests: Guests,
) -> None:
    """One server each, all at once: boots are what costs time."""
    alpha, beta, gamma, delta = guests.alpha, guests.beta, guests.gamma, guests.delta
    before = {each.id: each.ssh(BOOT_ID) for each in guests.all()}
    for each in guests.all():
        each.ssh(f"echo {each.name} >kept; sync")
    delta.try_ssh("sudo poweroff")
    for each in guests.all():
        each.hang_up()
    alpha.act("reboot", {"type": "SOFT"})
    beta.act("reboot", {"type": "HARD"})
    gamma.act("os-stop")
    gamma.wait("SHUTOFF")
    assert processes(guests, gamma.id) == []
    gamma.act("os-start")
    delta.wait("SHUTOFF")
    for each in (alpha, beta, gamma):
        each.wait("ACTIVE")
        each.wait_ssh()
        assert each.ssh(BOOT_ID) != before[each.id]
        assert each.ssh("cat kept") == each.name
    for each in (alpha, beta):
        assert each.ssh("cat /var/user-data-ran") == USER_DATA_SAYS
        assert each.console().count("andromede-guest: ready") == 2
    _stayed_off(guests, delta)
    delta.act("os-start")
    delta.wait("ACTIVE")
    delta.wait_ssh()
    assert delta.ssh("cat kept") == "delta"


def _stayed_off(guests: Guests, server: Server) -> None:
    """All the others booted meanwhile: time enough to start it, had anyone wanted to."""
    assert server.shown()["status"] == "SHUTOFF"
    assert processes(guests, server.id) == []
    path = f"/servers/{server.id}/os-instance-actions"
    actions = server.tenant.api.call("compute", "GET", path)["instanceActions"]
    assert [each["action"] for each in actions] == ["stop", "create"]


@pytest.fixture
def client(guests: Guests) -> Iterator[OpenStack]:
    """`openstack` as the first customer."""
    user = guests.tenant.login["auth"]["identity"]["password"]["user"]
    client = OpenStack(
        {
            "OS_AUTH_URL": guests.tenant.api.auth_url,
            "OS_CACERT": str(guests.world.cloud.state / "tls" / "ca.pem"),
            "OS_USERNAME": user["name"],
            "OS_PASSWORD": user["password"],
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_ID": guests.tenant.api.project_id,
            "OS_IDENTITY_API_VERSION": "3",
        }
    )
    yield client
    client.close()


def test_a_servers_life_by_the_unmodified_client(
    guests: Guests, client: OpenStack, tmp_path: Path
) -> None:
    data = tmp_path / "user-data"
    data.write_text(guests.user_data)
    made = client.json(
        "server", "create", "zeta", "--image", "tiny", "--flavor", "t1.tiny", "--network", "blue",
        "--key-name", "key", "--security-group", "login", "--user-data", str(data),
        "--config-drive", "true", "--wait",
    )  # fmt: skip
    assert made["status"] == "ACTIVE"
    address = client.json("floating", "ip", "create", "public")["floating_ip_address"]
    client.run("server", "add", "floating", "ip", "zeta", address)
    zeta = Server(made["id"], "zeta", "", address, guests.tenant.key, guests.tenant)
    zeta.wait_ssh()
    assert zeta.ssh("hostname; cat /var/user-data-ran").split() == ["zeta", USER_DATA_SAYS]
    assert "andromede-guest: ready" in client.run("console", "log", "show", "zeta")
    assert len(client.run("console", "log", "show", "--lines", "3", "zeta").splitlines()) <= 4
    zeta.hang_up()
    assert guests.world.outside.banner(address).startswith("SSH-2.0")
    client.run("server", "remove", "floating", "ip", "zeta", address)
    outside = guests.world.outside
    poll(lambda: not outside.banner(address, 2), PATIENCE, "the address is zeta's no more")
    client.run("floating", "ip", "delete", address)
    pids = processes(guests, made["id"])
    assert len(pids) == 1
    client.run("server", "delete", "--wait", "zeta")
    poll(lambda: not processes(guests, made["id"]), PATIENCE, "its process is gone")
    files = Paths(guests.world.cloud.state).servers / made["id"]
    poll(lambda: not files.exists(), PATIENCE, "its files are gone")


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
