"""What the bench of boots compares with: a server's own machine, started without the cloud."""

from __future__ import annotations

import pytest

from andromede.config import Paths
from andromede.engine.embedded.machine import process
from benchmarks.rawboot import RawBoot
from tests.host.guest_cloud import Guests

pytestmark = pytest.mark.host


def test_a_servers_command_line_boots_without_the_cloud(guests: Guests) -> None:
    """Whatever a server's QEMU is handed, the bench has its own of it: else nothing answers."""
    cloud = guests.world.cloud
    paths, config = Paths(cloud.state), cloud.config
    marked = process.marked(config.short, config.uid_base)
    pid = next(pid for pid, server_id in marked if server_id == guests.alpha.id)
    bare = RawBoot(pid, paths.servers / guests.alpha.id, paths.bases)
    try:
        assert bare.boot() > 0
    finally:
        bare.close()
