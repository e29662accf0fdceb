"""Deleting what cannot be removed: the owner sees why and may ask again, and doctor names it."""

from __future__ import annotations

import pytest

from andromede import clock
from andromede.findings import Finding
from andromede.services.compute.api import audit
from andromede.work.audit import FAILING
from andromede.work.audit import audit as work_audit
from tests.contract.compute.servers.helpers import ROOT, Site

FAULT = "simulated failure of remove_server"


def told(site: Site) -> list[Finding]:
    """What doctor would find of servers and of work."""
    with site.cloud.database.read() as conn:
        held = site.cloud.engine.observe()
        return [*audit(conn, held), *work_audit(conn, site.cloud.lifecycles)]


def delete(site: Site, server: str) -> int:
    return site.member.delete(f"{ROOT}/servers/{server}").status


def fail_for_good(site: Site) -> str:
    """A server whose removal failed for good."""
    server = str(site.build()["id"])
    site.cloud.engine.faults.fail("remove_server", permanent=True)
    assert delete(site, server) == 204
    site.cloud.settle()
    return server


def test_a_deletion_that_failed_for_good_shows_why_and_can_be_asked_again(site: Site) -> None:
    server = fail_for_good(site)
    shown = site.show(server, site.member)
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ERROR", None)
    assert shown["fault"]["message"] == FAULT
    [found] = told(site)
    assert (found.kind, found.subject) == ("server", server)
    assert found.problem == f"was to be deleted and is still there: {FAULT}"
    assert found.remedy.endswith(f"openstack server delete {server}")
    ports = site.member.get("/network/v2.0/ports?device_id=" + server).expect(200)["ports"]
    assert len(ports) == 1, "it holds what it held"
    assert delete(site, server) == 204
    assert site.show(server)["OS-EXT-STS:task_state"] == "deleting"
    assert told(site) == [], "it is under way"
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{server}").status == 404
    assert told(site) == []
    engine = site.cloud.engine
    assert (engine.disks, engine.power) == (set(), {})


def test_it_may_fail_again_and_the_newest_reason_is_told(site: Site) -> None:
    server = fail_for_good(site)
    site.cloud.engine.faults.fail("remove_server", permanent=True)
    assert delete(site, server) == 204
    site.cloud.settle()
    assert site.status(server) == "ERROR"
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    failed = [(each["action"], each["message"]) for each in acts["instanceActions"]]
    assert failed == [("delete", "Error"), ("delete", "Error"), ("create", None)]
    assert len(told(site)) == 1


def test_its_owner_may_keep_it_after_all(site: Site) -> None:
    server = fail_for_good(site)
    assert site.act(server, "reboot", {"type": "HARD"}).status == 202
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert told(site) == []


def test_one_that_fails_for_now_goes_on_by_itself_and_is_told_meanwhile(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("remove_server", FAILING)
    assert delete(site, server) == 204
    later = clock.now()
    for _ in range(FAILING):
        assert told(site) == []
        later += 60 * clock.SECOND
        clock.set_source(lambda moment=later: moment)
        (task,) = site.cloud.runner.lease(1)
        site.cloud.runner.run(task)
        site.cloud.runner._release(task)
    assert site.show(server)["OS-EXT-STS:task_state"] == "deleting"
    [found] = told(site)
    assert found.problem == f"remove failed {FAILING} times: EngineError: {FAULT}"
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{server}").status == 404


@pytest.mark.parametrize("role", ["other", "reader"])
def test_only_its_owner_may_ask_again(site: Site, role: str) -> None:
    server = fail_for_good(site)
    refused = getattr(site, role).delete(f"{ROOT}/servers/{server}").status
    assert refused == {"other": 404, "reader": 403}[role]
    assert site.status(server) == "ERROR"
