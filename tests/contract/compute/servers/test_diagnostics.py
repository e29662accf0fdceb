"""Diagnostics of servers over HTTP: who may ask, what is answered before and since 2.48, and when
nothing can be."""

from __future__ import annotations

import pytest

from andromede.figures import CardFigures, DiskFigures, Figures
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import Answer, caller, unknown_id

GIB = 1 << 30


def ask(site: Site, server: str, version: str = "2.96") -> Answer:
    headers = {"OpenStack-API-Version": f"compute {version}"}
    return site.admin.get(f"{ROOT}/servers/{server}/diagnostics", headers=headers)


def test_the_standard_document_since_2_48(site: Site) -> None:
    server = site.build(config_drive=True)
    shown = ask(site, server["id"], "2.48").expect(200)
    assert ask(site, server["id"]).expect(200).keys() == shown.keys()
    uptime, cards = shown.pop("uptime"), shown.pop("nic_details")
    assert uptime >= 0
    (address,) = next(iter(server["addresses"].values()))
    assert [card["mac_address"] for card in cards] == [address["OS-EXT-IPS-MAC:mac_addr"]]
    assert set(cards[0]) == {
        "mac_address", "rx_octets", "rx_errors", "rx_drop", "rx_packets", "rx_rate", "tx_octets",
        "tx_errors", "tx_drop", "tx_packets", "tx_rate",
    }  # fmt: skip
    idle = {
        "read_bytes": 0, "read_requests": 0, "write_bytes": 0, "write_requests": 0,
        "errors_count": 0,
    }  # fmt: skip
    assert shown == {
        "state": "running", "driver": "libvirt", "hypervisor": "simulated",
        "hypervisor_os": "linux", "config_drive": True, "num_cpus": 1, "num_nics": 1,
        "num_disks": 2, "cpu_details": [{"id": 0, "time": 0, "utilisation": None}],
        "disk_details": [idle, idle],
        "memory_details": {"maximum": server["flavor"]["ram"], "used": None},
    }  # fmt: skip


MEASURED = Figures(
    paused=False,
    accelerator="tcg",
    uptime=61,
    cpu_times=(7_000_000_000, 11),
    memory=2 * GIB,
    memory_used=GIB,
    disks=(
        DiskFigures(read_bytes=1, read_requests=2, write_bytes=3, write_requests=4, errors=5),
        DiskFigures(read_bytes=6, read_requests=7, write_bytes=8, write_requests=9, errors=0),
    ),
    cards=(
        CardFigures(
            name="tap1", mac="fa:16:3e:00:00:01", rx_bytes=1, rx_packets=2, rx_errors=3,
            rx_dropped=4, tx_bytes=5, tx_packets=6, tx_errors=7, tx_dropped=8,
        ),
    ),
)  # fmt: skip


def test_what_was_measured_is_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    server = site.build()["id"]
    monkeypatch.setattr(site.cloud.cloud.edge, "figures", lambda _: MEASURED)
    shown = ask(site, server).expect(200)
    assert shown["hypervisor"] == "qemu"
    assert shown["uptime"] == 61
    assert [cpu["time"] for cpu in shown["cpu_details"]] == [7_000_000_000, 11]
    assert shown["memory_details"] == {"maximum": 2048, "used": 1024}
    assert shown["disk_details"][0]["errors_count"] == 5
    assert shown["nic_details"][0]["tx_drop"] == 8
    assert ask(site, server, "2.47").expect(200) == {
        "cpu0_time": 7_000_000_000, "cpu1_time": 11, "memory": 2 << 20, "memory-rss": 1 << 20,
        "vda_read_req": 2, "vda_read": 1, "vda_write_req": 4, "vda_write": 3, "vda_errors": 5,
        "vdb_read_req": 7, "vdb_read": 6, "vdb_write_req": 9, "vdb_write": 8, "vdb_errors": 0,
        "tap1_rx": 1, "tap1_rx_packets": 2, "tap1_rx_errors": 3, "tap1_rx_drop": 4,
        "tap1_tx": 5, "tap1_tx_packets": 6, "tap1_tx_errors": 7, "tap1_tx_drop": 8,
    }  # fmt: skip


def test_the_oldest_document_has_what_a_machine_says(site: Site) -> None:
    server = site.build()
    shown = ask(site, server["id"], "2.1").expect(200)
    assert shown["memory"] == server["flavor"]["ram"] * 1024
    assert "memory-rss" not in shown
    assert {"cpu0_time", "vda_read", "vda_errors"} <= shown.keys()


def test_only_operators_may_ask(site: Site) -> None:
    server = site.build()["id"]
    path = f"{ROOT}/servers/{server}/diagnostics"
    manager = site.cloud.as_(caller("manager"))
    for client in (site.member, site.reader, site.other, manager):
        assert client.get(path).status == 403
    assert ask(site, server).status == 200
    assert ask(site, unknown_id()).status == 404


@pytest.mark.parametrize(
    ("act", "state"),
    [("os-stop", "shutdown"), ("pause", "paused"), ("suspend", "shutdown")],
)
def test_a_machine_that_does_not_run_is_not_measured(site: Site, act: str, state: str) -> None:
    server = site.build()["id"]
    assert site.act(server, act).status == 202
    site.cloud.settle()
    for version in ("2.1", "2.48"):
        refused = ask(site, server, version).expect(409)["conflictingRequest"]
        assert refused["message"] == (
            f"Cannot 'get_diagnostics' instance {server} while it is in power state {state}"
        )


def test_a_server_without_a_machine_is_not_ready(site: Site) -> None:
    server = site.create().expect(202)["server"]["id"]
    refused = ask(site, server).expect(409)["conflictingRequest"]
    assert refused["message"] == f"Instance {server} is not ready"


def test_a_machine_that_went_unseen_is_not_said_to_run(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.stop_server(server)
    refused = ask(site, server).expect(409)["conflictingRequest"]
    assert refused["message"].endswith("while it is in power state shutdown")


def test_what_nobody_measures_now_may_be_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = site.build()["id"]

    def away(_: str) -> Figures:
        raise ConnectionError("measuring server x: its machine does not say now")

    monkeypatch.setattr(site.cloud.cloud.edge, "figures", away)
    refused = ask(site, server).expect(503)["serviceUnavailable"]
    assert refused["message"].endswith("does not say now. Ask again in a moment.")
    site.cloud.cloud.edge = None
    assert ask(site, server).status == 503
