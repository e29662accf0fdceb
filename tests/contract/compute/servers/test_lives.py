"""What becomes of servers: built, stopped, started, rebooted, deleted, and left to themselves."""

from __future__ import annotations

from tests.contract.compute.servers.helpers import ROOT, Site


def test_a_server_is_built_and_deleted(site: Site) -> None:
    answer = site.create()
    made = answer.expect(202)["server"]
    assert set(made) == {"id", "links", "OS-DCF:diskConfig", "security_groups"}
    assert answer.headers["location"] == made["links"][0]["href"]
    building = site.show(made["id"], site.member)
    assert (building["status"], building["OS-EXT-STS:task_state"]) == ("BUILD", "scheduling")
    assert building["addresses"] == {}
    site.cloud.settle()
    shown = site.show(made["id"], site.member)
    assert shown["status"] == "ACTIVE", shown
    assert shown["OS-EXT-STS:power_state"] == 1
    assert shown["OS-SRV-USG:launched_at"] is not None
    assert made["id"] in site.cloud.engine.servers
    assert site.member.delete(f"{ROOT}/servers/{made['id']}").status == 204
    assert site.show(made["id"], site.member)["OS-EXT-STS:task_state"] == "deleting"
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{made['id']}").status == 404
    assert site.cloud.engine.disks == set()
