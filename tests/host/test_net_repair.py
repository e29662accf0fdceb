"""What was lost, left or changed on the host behind the cloud's back is told, and put right."""

from __future__ import annotations

import os
import shutil

import pytest

from andromede.engine.embedded import look
from andromede.engine.embedded.net import HostNetwork, dnsmasq, links, namespaces, nft
from andromede.engine.protocol import EngineError
from tests.host import net_documents as doc
from tests.host.conftest import again
from tests.host.net_whole import (
    ALL,
    NET,
    RULES,
    VERBS,
    A,
    B,
    CutOffError,
    ensure_all,
    found,
    left_over,
)

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("emptied")]


def test_strays_are_described_and_removed_and_others_things_are_left(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    mark, other = host.names.mark, "amzzzz"
    namespaces.create(f"{mark}-n-lost")
    namespaces.create(f"{other}-n-theirs")
    (namespaces.FOLDER / f"{mark}-r-half").touch()
    with links.netlink(None) as ip:
        ip.link("add", ifname=f"{mark}x77", kind="bridge")
        ip.link("add", ifname=f"{other}x77", kind="bridge")
    with links.netlink(host.names.network_namespace(NET.id)) as ip:
        ip.link("add", ifname=f"{mark}t77", kind="bridge")
        ip.link("del", index=links.index(host.names.tap(B.number)))
    try:
        assert {each.split(" (")[0] for each in host.observe().strays} == {
            f"link {mark}x77 on the host",
            f"link {mark}t77 in network net",
            f"port {B.id} without its tap",
        }
        fresh = again(lab)
        assert len(fresh.remove_strays()) == 3
        assert found(fresh) == {
            "networks": {*ALL["networks"], "lost"},
            "ports": {A.id},
            "routers": {*ALL["routers"], "half"},
        }
        fresh.remove_network("lost")
        fresh.remove_router("half")
        assert found(fresh) == {**ALL, "ports": {A.id}}
        assert namespaces.exists(f"{other}-n-theirs")
        assert links.index(f"{other}x77") is not None
    finally:
        namespaces.remove(f"{other}-n-theirs")
        with links.netlink(None) as ip:
            ip.link("del", index=links.index(f"{other}x77"))


def test_a_network_that_lost_its_document_is_told_and_removed(lab: HostNetwork) -> None:
    host = again(lab)
    host.ensure_network(NET)
    (host.store.network_folder(NET.id) / "network.json").unlink()
    fresh = again(lab)
    assert fresh.observe().networks == {NET.id}
    assert len(fresh.observe().strays) == 1  # its dnsmasq
    fresh.remove_network(NET.id)
    assert left_over(fresh) == []


def test_an_orphaned_dnsmasq_is_a_stray(lab: HostNetwork) -> None:
    host = again(lab)
    host.ensure_network(NET)
    shutil.rmtree(host.store.network_folder(NET.id))
    fresh = again(lab)
    assert len(fresh.observe().strays) == 1
    fresh.remove_strays()
    assert dnsmasq.running(fresh.store.root) == {}


def test_a_dnsmasq_in_a_namespace_that_was_made_again_is_replaced(
    lab: HostNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_all(host := again(lab))
    (old,) = dnsmasq.running(host.store.network_folder(NET.id))
    namespaces.remove(host.names.network_namespace(NET.id))
    with monkeypatch.context() as patch:
        patch.setattr(dnsmasq.Dnsmasq, "ensure", lambda *_: None)
        host.ensure_network(NET)
    assert old in dnsmasq.running(host.store.root)
    (broken,) = [each for each in look.networks(again(lab)) if each.id == NET.id]
    assert broken.problem == "has no DHCP server in its namespace"
    fresh = again(lab)
    fresh.ensure_network(NET)
    (new,) = dnsmasq.running(host.store.network_folder(NET.id))
    assert new != old
    inode = os.stat(f"/proc/{new}/ns/net").st_ino
    assert inode == namespaces.identity(host.names.network_namespace(NET.id))[1]
    assert [each for each in look.networks(again(lab)) if each.id == NET.id] == []


def test_rules_changed_behind_our_back_are_put_right(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    with namespaces.inside(host.names.network_namespace(NET.id)):
        nft.run(f"delete table inet {host.names.table}\n")
        host.ensure_firewall(RULES)
        assert ("inet", host.names.table) in nft.present()


def test_a_flushed_host_table_is_put_back(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    nft.run("flush ruleset\n")
    host.ensure_network(doc.EXTERNAL)
    assert ("inet", host.names.table) in nft.present()


@pytest.mark.parametrize("verb", ["port", "network", "router"])
def test_a_removal_that_failed_is_finished_by_the_next(
    lab: HostNetwork, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    host = again(lab)
    ensure_all(host)

    def refuse(*_: object) -> None:
        raise EngineError("no")

    with monkeypatch.context() as patch:
        patch.setattr(links, "delete", refuse)
        with pytest.raises(EngineError, match="no"):
            VERBS[verb][1](host)
    VERBS[verb][1](host)
    host.remove_everything()
    assert left_over(host) == []


def test_reservations_written_by_a_worker_that_died_are_read(
    lab: HostNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = again(lab)
    host.ensure_network(NET)
    with monkeypatch.context() as patch:
        patch.setattr(dnsmasq, "_send", lambda *_, **__: (_ for _ in ()).throw(CutOffError))
        with pytest.raises(CutOffError):
            host.ensure_port(A)
    told: list[object] = []
    monkeypatch.setattr(dnsmasq, "_send", lambda pid, *_, **__: told.append(pid))
    fresh = again(lab)
    fresh.ensure_port(A)
    assert told == [fresh.network(NET.id).dnsmasq.pid()]
    fresh.ensure_port(A)
    assert len(told) == 1
    monkeypatch.undo()
