"""Deleting where the cloud keeps deleted servers for a while: restored, reclaimed, or forced away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from andromede.engine.protocol import Power
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    cloud = open_cloud(tmp_path, database_url)
    cloud.cloud.config = msgspec.structs.replace(cloud.config, reclaim_seconds=3600)
    yield open_site(cloud)
    cloud.close()


def work(site: Site) -> None:
    """All that is due now, and nothing that waits."""
    while tasks := site.cloud.runner.lease(1):
        site.cloud.runner.run(tasks[0])
        site.cloud.runner._release(tasks[0])


def put_aside(site: Site) -> str:
    server = str(site.build()["id"])
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    assert site.show(server)["OS-EXT-STS:task_state"] == "soft-deleting"
    work(site)
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("SOFT_DELETED", "soft-delete")
    assert (shown["OS-EXT-STS:power_state"], shown["OS-EXT-STS:task_state"]) == (4, None)
    assert site.cloud.engine.power[server].power is Power.OFF
    return server


def gone(site: Site, server: str) -> bool:
    missing = site.member.get(f"{ROOT}/servers/{server}").status == 404
    return missing and server not in site.cloud.engine.disks


def test_what_is_put_aside_is_restored(site: Site) -> None:
    server = put_aside(site)
    assert site.member.get(f"{ROOT}/servers").expect(200)["servers"] == []
    listed = site.member.get(f"{ROOT}/servers?status=SOFT_DELETED").expect(200)["servers"]
    assert [each["id"] for each in listed] == [server]
    for act in ("os-start", "pause"):
        assert site.act(server, act).status == 409
    assert site.act(server, "restore").expect(202) is None
    assert site.show(server)["OS-EXT-STS:task_state"] == "restoring"
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    refused = site.act(server, "restore").expect(409)["conflictingRequest"]["message"]
    assert refused == f"Cannot 'restore' instance {server} while it is in vm_state active"
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    names = [each["action"] for each in acts["instanceActions"]]
    assert names == ["restore", "delete", "create"]


def test_what_nobody_restores_goes(site: Site) -> None:
    server = put_aside(site)
    site.cloud.settle()  # jumps over the time in which it could be restored
    assert gone(site, server)


@pytest.mark.parametrize("how", ["again", "force"])
def test_asked_again_or_by_force_it_goes_at_once(site: Site, how: str) -> None:
    server = put_aside(site)
    if how == "again":
        assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    else:
        assert site.act(server, "forceDelete").expect(202) is None
    work(site)
    assert gone(site, server)


def test_by_force_nothing_is_kept(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "forceDelete").expect(202)
    work(site)
    assert gone(site, server)


def test_what_never_ran_is_not_kept(site: Site) -> None:
    site.cloud.engine.faults.fail("ensure_server", permanent=True)
    server = site.create().expect(202)["server"]["id"]
    site.cloud.settle()
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    work(site)
    assert gone(site, server)


def test_a_lock_protects_from_deletion(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "lock").expect(202)
    for answer in (site.member.delete(f"{ROOT}/servers/{server}"),
                   site.act(server, "forceDelete")):  # fmt: skip
        assert answer.status == 409
    assert site.status(server) == "ACTIVE"
