"""Pausing, suspending and going on: states, codes, power, history, and what happens meanwhile."""

from __future__ import annotations

import pytest

from andromede.engine.protocol import EngineError, Power
from tests.contract.compute.servers.helpers import ROOT, Site

FREEZES = [
    ("pause", "unpause", "pausing", "unpausing", "PAUSED", "paused", 3, Power.PAUSED),
    ("suspend", "resume", "suspending", "resuming", "SUSPENDED", "suspended", 4, Power.SUSPENDED),
]


def states(site: Site, server: str) -> tuple[object, ...]:
    shown = site.show(server, site.member)
    names = (
        "status",
        *(f"OS-EXT-STS:{each}" for each in ("vm_state", "task_state", "power_state")),
    )
    return tuple(shown[name] for name in names)


@pytest.mark.parametrize(
    ("freeze", "thaw", "freezing", "thawing", "status", "vm", "power", "held"), FREEZES
)
def test_a_server_halts_and_goes_on(
    site: Site, freeze: str, thaw: str, freezing: str, thawing: str, status: str, vm: str,
    power: int, held: Power,
) -> None:  # fmt: skip
    server = site.build()["id"]
    boots = site.cloud.engine.console[server]
    assert site.act(server, freeze).expect(202) is None
    assert states(site, server) == ("ACTIVE", "active", freezing, 1)
    site.cloud.settle()
    assert states(site, server) == (status, vm, None, power)
    assert site.cloud.engine.power[server].power is held
    site.follow()
    assert states(site, server) == (status, vm, None, power)
    assert site.act(server, thaw).expect(202) is None
    assert states(site, server) == (status, vm, thawing, power)
    site.cloud.settle()
    assert states(site, server) == ("ACTIVE", "active", None, 1)
    assert site.cloud.engine.power[server].power is Power.ON
    assert site.cloud.engine.console[server] == boots
    url = f"{ROOT}/servers/{server}/os-instance-actions"
    acts = site.member.get(url).expect(200)["instanceActions"]
    assert [each["action"] for each in acts] == [thaw, freeze, "create"]
    request = acts[1]["request_id"]
    [event] = site.member.get(f"{url}/{request}").expect(200)["instanceAction"]["events"]
    assert (event["event"], event["result"]) == (f"compute_{freeze}_instance", "Success")


@pytest.mark.parametrize("act", ["pause", "unpause", "suspend", "resume"])
def test_only_from_the_right_state_and_unlocked_and_by_members(site: Site, act: str) -> None:
    server = site.build()["id"]
    if act in ("pause", "suspend"):
        site.act(server, "os-stop").expect(202)
        site.cloud.settle()
    state = "stopped" if act in ("pause", "suspend") else "active"
    refused = site.act(server, act).expect(409)["conflictingRequest"]
    assert refused["message"] == (
        f"Cannot '{act}' instance {server} while it is in vm_state {state}"
    )
    site.act(server, "lock").expect(202)
    assert "is locked" in site.act(server, act).expect(409)["conflictingRequest"]["message"]
    assert site.act(server, act, client=site.reader).status == 403
    assert site.act(server, act, client=site.other).status == 404


@pytest.mark.parametrize("freeze", ["pause", "suspend"])
def test_a_hard_reboot_and_a_deletion_end_it(site: Site, freeze: str) -> None:
    server = site.build()["id"]
    site.act(server, freeze).expect(202)
    refused = site.act(server, "pause").expect(409)["conflictingRequest"]["message"]
    assert "task_state" in refused
    site.cloud.settle()
    assert site.act(server, "reboot", {"type": "SOFT"}).status == 409
    site.act(server, "reboot", {"type": "HARD"}).expect(202)
    site.cloud.settle()
    assert states(site, server) == ("ACTIVE", "active", None, 1)
    site.act(server, freeze).expect(202)
    site.cloud.settle()
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert site.cloud.engine.disks == set()


@pytest.mark.parametrize("freeze", ["pause", "suspend"])
def test_a_guest_that_ended_itself_meanwhile_is_stopped(site: Site, freeze: str) -> None:
    server = site.build()["id"]
    site.act(server, freeze).expect(202)
    site.cloud.engine.guest_powers_off(server)
    site.cloud.settle()
    assert states(site, server) == ("SHUTOFF", "stopped", None, 4)


def test_a_paused_server_whose_machine_is_gone_is_stopped(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "pause").expect(202)
    site.cloud.settle()
    site.cloud.engine.machine_vanishes(server)
    site.follow()
    assert states(site, server) == ("SHUTOFF", "stopped", None, 4)


def test_a_suspended_server_outlives_its_host(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "suspend").expect(202)
    site.cloud.settle()
    site.cloud.engine.host_restarts()
    site.follow()
    assert states(site, server) == ("SUSPENDED", "suspended", None, 4)
    site.act(server, "resume").expect(202)
    site.cloud.settle()
    assert states(site, server) == ("ACTIVE", "active", None, 1)


@pytest.mark.parametrize("freeze", ["pause", "suspend"])
def test_an_operator_who_says_that_it_is_active_has_it_run(site: Site, freeze: str) -> None:
    server = site.build()["id"]
    site.act(server, freeze).expect(202)
    site.cloud.settle()
    site.act(server, "os-resetState", {"state": "active"}, client=site.admin).expect(202)
    site.cloud.settle()
    assert states(site, server) == ("ACTIVE", "active", None, 1)
    assert site.cloud.engine.power[server].power is Power.ON


def test_what_fails_for_good_is_seen(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("suspend_server", permanent=True)
    site.act(server, "suspend").expect(202)
    site.cloud.settle()
    shown = site.show(server, site.member)
    assert shown["status"] == "ERROR"
    assert shown["fault"]["message"] == "simulated failure of suspend_server"


def test_lists_find_them_by_their_status(site: Site) -> None:
    paused, running = site.build()["id"], site.build()["id"]
    site.act(paused, "pause").expect(202)
    site.cloud.settle()
    for status, wanted in (("PAUSED", [paused]), ("ACTIVE", [running]), ("SUSPENDED", [])):
        found = site.member.get(f"{ROOT}/servers?status={status}").expect(200)["servers"]
        assert [each["id"] for each in found] == wanted


@pytest.mark.parametrize(
    ("act", "verb"), [("suspend", "suspend_server"), ("resume", "ensure_server")]
)
def test_a_deletion_goes_before_what_stalls(
    site: Site, monkeypatch: pytest.MonkeyPatch, act: str, verb: str
) -> None:
    """It is asked for while the disk stalls: the engine gives up waiting, and is not asked again."""
    server = site.build()["id"]
    if act == "resume":
        site.act(server, "suspend").expect(202)
        site.cloud.settle()
    site.act(server, act).expect(202)
    engine, asked = site.cloud.engine, []

    def stalls(*_: object) -> None:
        asked.append(verb)
        if len(asked) == 2:
            assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
        raise EngineError("writing its memory: nothing moved for 30 s; the disk it is on stalls")

    monkeypatch.setattr(engine, verb, stalls)
    site.cloud.settle()
    assert asked == [verb] * 2
    assert site.member.get(f"{ROOT}/servers/{server}").status == 404
    assert engine.disks == set()


def test_what_stalls_for_a_while_is_done_in_the_end(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("suspend_server", 5)
    site.act(server, "suspend").expect(202)
    site.cloud.settle()
    assert states(site, server) == ("SUSPENDED", "suspended", None, 4)
