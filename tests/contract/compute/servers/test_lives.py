"""What becomes of servers: built, stopped, started, rebooted, deleted, and left to themselves."""

from __future__ import annotations

import pytest

from andromede import clock
from andromede.engine.protocol import HostFacts, Power, ServerFacts
from andromede.services.compute.servers import create, reconcile, store
from andromede.services.compute.servers.reconcile import REMEMBERED, reconcilers
from andromede.services.compute.servers.steps.sync import PAUSES, STEADY
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.policies import set_allowed_sites


def test_a_server_is_built_and_deleted(site: Site) -> None:
    answer = site.create()
    made = answer.expect(202)["server"]
    assert set(made) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert answer.headers["location"] == made["links"][0]["href"]
    building = site.show(made["id"], site.member)
    assert (building["status"], building["OS-EXT-STS:task_state"]) == ("BUILD", "scheduling")
    assert building["addresses"] == {}
    site.cloud.settle()
    shown = site.show(made["id"], site.member)
    assert (shown["status"], shown["progress"]) == ("ACTIVE", 100)
    assert shown["OS-EXT-STS:power_state"] == 1
    assert shown["OS-SRV-USG:launched_at"] is not None
    assert site.member.delete(f"{ROOT}/servers/{made['id']}").status == 204
    assert site.show(made["id"], site.member)["OS-EXT-STS:task_state"] == "deleting"
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{made['id']}").status == 404
    engine = site.cloud.engine
    assert (engine.disks, engine.power, engine.ports) == (set(), {}, {})
    ports = site.member.get("/network/v2.0/ports").expect(200)["ports"]
    assert all(each["device_owner"] == "network:dhcp" for each in ports)


def test_stop_and_start(site: Site) -> None:
    server = site.build()["id"]
    assert site.act(server, "os-start").status == 409
    assert site.act(server, "os-stop").status == 202
    assert site.show(server)["OS-EXT-STS:task_state"] == "powering-off"
    refused = site.act(server, "os-stop").expect(409)["conflictingRequest"]["message"]
    assert refused == (f"Cannot 'os-stop' instance {server} while it is in task_state powering-off")
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("SHUTOFF", 4)
    assert "progress" not in shown
    refused = site.act(server, "os-stop").expect(409)["conflictingRequest"]["message"]
    assert refused == f"Cannot 'os-stop' instance {server} while it is in vm_state stopped"
    assert site.cloud.engine.power[server].power is Power.OFF
    assert site.act(server, "os-start").status == 202
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert site.cloud.engine.calls["stop_server"] == 0


def test_a_guest_that_ignores_the_button_loses_its_power(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.shutdown_ignored.add(server)
    site.act(server, "os-stop")
    site.cloud.settle()
    assert site.status(server) == "SHUTOFF"
    assert site.cloud.engine.calls["stop_server"] == 1
    site.act(server, "os-start")
    site.cloud.settle()
    site.act(server, "reboot", {"type": "SOFT"})
    assert site.status(server) == "REBOOT"
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert site.cloud.engine.calls["stop_server"] == 2


def test_reboots(site: Site) -> None:
    server = site.build()["id"]
    for kind, status in (("SOFT", "REBOOT"), ("hard", "HARD_REBOOT")):
        assert site.act(server, "reboot", {"type": kind}).status == 202
        assert site.status(server) == status
        if kind == "SOFT":
            assert site.act(server, "reboot", {"type": "SOFT"}).status == 409
        site.cloud.settle()
        assert site.status(server) == "ACTIVE"
    boots = site.cloud.engine.console[server].count(b"booted")
    assert boots == 3
    site.act(server, "os-stop")
    site.cloud.settle()
    assert site.act(server, "reboot", {"type": "SOFT"}).status == 409
    assert site.act(server, "reboot", {"type": "HARD"}).status == 202
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


def test_a_build_that_fails_shows_why_and_can_be_deleted(site: Site) -> None:
    site.cloud.engine.faults.fail("ensure_server", permanent=True)
    made = site.create().expect(202)["server"]["id"]
    site.cloud.settle()
    shown = site.show(made, site.member)
    assert (shown["status"], shown["fault"]["code"]) == ("ERROR", 500)
    assert shown["fault"]["message"] == "simulated failure of ensure_server"
    assert "details" not in shown["fault"]
    assert "step spawn" in site.show(made)["fault"]["details"]
    refused = site.act(made, "os-stop").expect(409)["conflictingRequest"]["message"]
    assert "launched_at None" in refused
    assert site.member.delete(f"{ROOT}/servers/{made}").status == 204
    site.cloud.settle()
    assert site.member.get(f"{ROOT}/servers/{made}").status == 404
    assert not site.cloud.engine.ports


def test_a_build_that_fails_for_a_while_succeeds(site: Site) -> None:
    site.cloud.engine.faults.fail("ensure_server", 3)
    site.cloud.engine.faults.fail("ensure_port", 2)
    site.build()


def test_a_transition_has_a_deadline(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create, "BUILD_SECONDS", 1.0)
    site.cloud.engine.faults.fail("ensure_server", 10_000)
    made = site.create().expect(202)["server"]["id"]
    site.cloud.settle()
    message = site.show(made)["fault"]["message"]
    assert "spawn was not done in time" in message
    assert "simulated failure of ensure_server" in message
    site.cloud.engine.faults.clear()


def test_a_failed_start_shows_and_is_mended_by_a_hard_reboot(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "os-stop")
    site.cloud.settle()
    site.cloud.engine.faults.fail("ensure_server", permanent=True)
    site.act(server, "os-start")
    site.cloud.settle()
    assert site.status(server) == "ERROR"
    assert site.act(server, "reboot", {"type": "HARD"}).status == 202
    site.cloud.settle()
    shown = site.show(server)
    assert shown["status"] == "ACTIVE"
    assert "fault" not in shown


def test_a_host_that_is_full_takes_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    small = HostFacts(
        name="small", vcpus=1, memory=(512 + 300) << 20, disk=10 << 30, accelerator="simulated",
        hypervisor="simulated", hypervisor_version=1,
    )  # fmt: skip
    monkeypatch.setattr(site.cloud.engine, "hosts", lambda: (small,))
    site.build()
    site.build()
    third = site.create().expect(202)["server"]["id"]
    site.cloud.settle()
    fault = site.show(third)["fault"]["message"]
    assert fault == ("No valid host was found. 128 MiB of memory are needed and 44 MiB are free")


def test_sites_that_are_refused_after_the_create_are_refused_by_the_worker(site: Site) -> None:
    made = site.create().expect(202)["server"]["id"]
    site.cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    site.cloud.settle()
    assert "allowed_sites" in site.show(made)["fault"]["message"]
    assert made not in site.cloud.engine.disks


def test_a_host_needs_room_of_every_kind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    small = HostFacts(
        name="small", vcpus=0, memory=1 << 40, disk=1 << 40, accelerator="simulated",
        hypervisor="simulated", hypervisor_version=1,
    )  # fmt: skip
    monkeypatch.setattr(site.cloud.engine, "hosts", lambda: (small,))
    made = site.create().expect(202)["server"]["id"]
    site.cloud.settle()
    assert "1 of vcpus are needed and 0 are free" in site.show(made)["fault"]["message"]


def test_a_guest_that_powers_itself_off_stays_off(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.guest_powers_off(server)
    site.follow()
    assert site.status(server) == "SHUTOFF"
    site.follow()
    assert site.status(server) == "SHUTOFF"
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert [each["action"] for each in acts["instanceActions"]] == ["stop", "create"]
    site.act(server, "os-start")
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


def test_a_machine_that_vanished_is_started_again(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.machine_vanishes(server)
    site.follow()
    assert site.status(server) == "ACTIVE"
    assert site.cloud.engine.power[server].power is Power.ON
    assert site.cloud.engine.calls["ensure_server"] == 2


def die(site: Site, server: str, times: int) -> None:
    """The machine dies so often, at each start."""
    for number in range(times):
        assert site.cloud.engine.power[server].power is Power.ON, number
        site.cloud.engine.machine_vanishes(server, "noise\nno such\nCPU feature\nfoo")
        site.follow()


def test_a_machine_that_dies_at_each_start_is_given_up(site: Site) -> None:
    server = site.build()["id"]
    die(site, server, len(PAUSES))
    assert site.status(server) == "ACTIVE"
    die(site, server, 1)
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("ERROR", 6)
    fault = shown["fault"]
    assert f"died {len(PAUSES) + 1} times in a row" in fault["message"]
    assert fault["message"].endswith("no such CPU feature foo")
    assert "noise" in fault["details"]
    site.follow()
    assert site.cloud.engine.calls["ensure_server"] == 1 + len(PAUSES)
    assert site.act(server, "reboot", {"type": "HARD"}).status == 202
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    die(site, server, 1)
    assert site.status(server) == "ACTIVE", "a start by hand forgives what was before"


def test_a_machine_is_started_later_after_each_death(site: Site) -> None:
    server = site.build()["id"]
    die(site, server, 1)
    site.cloud.engine.machine_vanishes(server)
    reconcile.follow_events(site.world(), 0)
    (task,) = site.cloud.runner.lease(1)
    site.cloud.runner.run(task)
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("ACTIVE", 6)
    assert site.cloud.runner.lease(1) == [], "it waits"
    site.cloud.settle()
    assert site.show(server)["OS-EXT-STS:power_state"] == 1


def test_deaths_are_forgiven_with_time(site: Site) -> None:
    server = site.build()["id"]
    die(site, server, len(PAUSES))
    later = clock.now() + (STEADY + sum(map(int, PAUSES)) + 1) * clock.SECOND
    clock.set_source(lambda: later)
    die(site, server, 1)
    assert site.status(server) == "ACTIVE"


def test_after_a_restart_of_the_host_what_should_run_runs(site: Site) -> None:
    running, stopped = site.build()["id"], site.build()["id"]
    site.act(stopped, "os-stop")
    site.cloud.settle()
    site.cloud.engine.host_restarts()
    site.follow()
    assert (site.status(running), site.status(stopped)) == ("ACTIVE", "SHUTOFF")
    assert site.cloud.engine.power[running].power is Power.ON
    assert stopped not in site.cloud.engine.power


def test_a_machine_that_runs_while_it_should_not_is_stopped(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "os-stop")
    site.cloud.settle()
    engine = site.cloud.engine
    engine.power[server] = ServerFacts(id=server, power=Power.ON)
    site.follow()
    assert engine.power[server].power is Power.OFF
    assert site.status(server) == "SHUTOFF"


def test_a_paused_machine_tells_its_owner_why(site: Site) -> None:
    server = site.build()["id"]
    engine = site.cloud.engine
    engine.power[server] = ServerFacts(id=server, power=Power.PAUSED, reason="no space left")
    site.follow()
    shown = site.show(server, site.member)
    assert shown["status"] == "ERROR"
    assert "no space left" in shown["fault"]["message"]


def test_an_event_never_replaces_what_was_asked_for(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "os-stop")
    site.cloud.engine.machine_vanishes(server)
    site.follow()
    assert site.status(server) == "SHUTOFF"
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.engine.guest_powers_off(server)
    site.follow()
    assert site.member.get(f"{ROOT}/servers/{server}").status == 404


def test_what_no_row_names_goes_and_its_disk_is_put_aside(site: Site) -> None:
    kept, lost = site.build()["id"], site.build()["id"]
    site.cloud.database.transact(lambda conn: store.bury(conn, lost))
    site.follow()
    engine = site.cloud.engine
    assert set(engine.power) == engine.disks == {kept}
    assert set(engine.quarantine) == {lost}
    later = clock.now() + REMEMBERED + clock.SECOND
    clock.set_source(lambda: later)
    site.follow()
    assert engine.quarantine == {}
    with site.cloud.database.read() as conn:
        assert store.get(conn, lost, deleted=True) is None
        assert store.get(conn, kept) is not None


def test_reconcilers_are_offered_to_the_worker(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.machine_vanishes(server)
    for each in reconcilers(site.world()):
        each.run()
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
