"""What Tempest's minimum basic scenario does, without a volume: where there are
none, it skips itself. Runs in Tempest's environment, with its clients, waiters and checks.
"""

from __future__ import annotations

from typing import Any

from tempest import config
from tempest.common import waiters
from tempest.scenario import manager

CONF = config.CONF
UNSTABLE = {"updated", "OS-EXT-STS:power_state", "OS-EXT-AZ:availability_zone"}


class MinimumBasicWithoutVolume(manager.ScenarioTest):  # type: ignore[misc]
    """One customer's way through images, servers, groups and floating addresses."""

    def test_a_server_of_an_own_image(self) -> None:
        """Image, key, server; address, group and login; a reboot and another login."""
        image, keypair = self.image_create(), self.create_keypair()
        server = self.create_server(image_id=image, key_name=keypair["name"])
        listed = self.servers_client.list_servers()["servers"]
        assert server["id"] in [each["id"] for each in listed]
        assert server["image"]["id"] == image
        self._shown_as(server)
        floating = self.create_floating_ip(server)
        waiters.wait_for_server_floating_ip(self.servers_client, server, floating)
        self.create_and_add_security_group_to_server(server)
        before = self._log_in(server, floating, keypair)
        self.servers_client.reboot_server(server["id"], type="SOFT")
        waiters.wait_for_server_status(self.servers_client, server["id"], "ACTIVE")
        after = self._log_in(server, floating, keypair)
        assert before.list_disks() == after.list_disks()
        self.disassociate_floating_ip(floating)
        waiters.wait_for_server_floating_ip(
            self.servers_client, server, floating, wait_for_disassociate=True
        )

    def _shown_as(self, server: dict[str, Any]) -> None:
        again = self.servers_client.show_server(server["id"])["server"]
        keys = server.keys() - UNSTABLE
        assert {key: server[key] for key in keys} == {key: again[key] for key in keys}

    def _log_in(self, server: dict[str, Any], floating: dict[str, Any], keypair: Any) -> Any:
        return self.get_remote_client(
            floating["floating_ip_address"], private_key=keypair["private_key"], server=server
        )
