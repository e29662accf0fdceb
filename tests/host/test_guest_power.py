"""Servers off and on again, and gone without a trace; with the unmodified client too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.cli.client import poll
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
