"""Verbs twice, cut off at every step, adopted, removed: the host always ends as the documents say."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from andromede.config import Paths, new_config
from andromede.engine.embedded.net import HostNetwork, dnsmasq, links, namespaces, nft, preflight
from andromede.engine.embedded.net import store as store_module
from andromede.engine.protocol import EngineError
from tests.host import net_documents as doc
from tests.host.conftest import again
from tests.host.net_lab import Guest, connect, echoes, serving
from tests.host.net_whole import (
    ALL,
    NET,
    ROUTER,
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


def identities(host: HostNetwork) -> dict[str, object]:
    """What would change if anything were made anew."""
    facts: dict[str, object] = {"dnsmasq": host.network(NET.id).dnsmasq.pid()}
    for name in [None, *namespaces.listed(host.names.mark)]:
        with namespaces.inside(name):
            facts[f"links {name}"] = links.held()
            facts[f"rules {name}"] = nft.generation()
        facts[f"inode {name}"] = namespaces.identity(name) if name else None
    return facts


def test_a_second_time_changes_nothing_and_runs_no_program(
    lab: HostNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = again(lab)
    ensure_all(host)
    before = identities(host)
    programs: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr("subprocess.run", lambda *args, **_: programs.append(args))
        ensure_all(host)
    assert programs == []
    assert identities(host) == before
    assert found(host) == ALL


def test_a_restarted_worker_adopts_everything_and_guests_notice_nothing(lab: HostNetwork) -> None:
    ensure_all(host := again(lab))
    guests = [Guest(host, each.id, each.mac, each.id) for each in (A, B)]
    try:
        for guest, port in zip(guests, (A, B), strict=True):
            guest.configure(f"{port.addresses[0]}/24", "10.0.0.1")
        with (
            serving(guests[1].namespace, 22),
            connect(guests[0].namespace, "10.0.0.12", 22) as link,
        ):
            before = identities(host)
            fresh = again(lab)
            assert found(fresh) == ALL
            ensure_all(fresh)
            assert echoes(link)
            after = identities(fresh)
        assert {k: v for k, v in after.items() if not k.startswith("rules")} == {
            k: v for k, v in before.items() if not k.startswith("rules")
        }
    finally:
        for guest in guests:
            guest.close()


def test_removing_twice_leaves_nothing(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    for _, remove in reversed(VERBS.values()):
        remove(host)
        remove(host)
    assert left_over(host) == []
    assert found(host) == {"networks": set(), "ports": set(), "routers": set()}


def test_after_a_reboot_all_is_made_again(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    for pid in dnsmasq.running(host.store.root).values():
        dnsmasq.end(pid)
    for name in namespaces.listed(host.names.mark):
        with links.netlink(name) as ip:
            for link, index in links.held().items():
                if link.startswith(host.names.mark) and links.index(link) is not None:
                    ip.link("del", index=index)
        namespaces.remove(name)
    nft.run(f"delete table inet {host.names.table}\n")
    rebooted = again(lab)
    view = rebooted.observe()
    assert view.ports == frozenset()  # no tap is there
    assert view.networks == ALL["networks"]  # their documents are: the verbs make them again
    ensure_all(rebooted)
    assert found(rebooted) == ALL


def cutting(monkeypatch: pytest.MonkeyPatch, at: int) -> Callable[[], int]:
    """Make the `at`-th step that touches the host die before it acts; returns a step counter."""
    steps = count(1)
    taken = [0]

    def step() -> None:
        taken[0] = next(steps)
        if taken[0] == at:
            raise CutOffError

    def before(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def stepping(*args: Any, **kwargs: Any) -> Any:
            step()
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, stepping)

    class Stepping:
        """A connection each of whose changes is a step."""

        def __init__(self) -> None:
            self.real = IPRoute()

        def __enter__(self) -> Stepping:
            return self

        def __exit__(self, *_: object) -> None:
            self.real.close()

        def __getattr__(self, name: str) -> Any:
            if name in ("link", "addr", "route", "fdb", "brport"):
                step()
            return getattr(self.real, name)

    monkeypatch.setattr(links, "IPRoute", Stepping)
    before(nft, "run")
    before(namespaces, "_mount")
    before(namespaces, "remove")
    before(links, "attach_tap")
    before(store_module, "_write")
    before(store_module.Store, "forget_port")
    before(store_module.Store, "forget_network")
    before(store_module.Store, "forget_router")
    before(dnsmasq.Dnsmasq, "_start")
    before(dnsmasq, "end")
    return lambda: taken[0]


@pytest.mark.parametrize("name", list(VERBS))
@pytest.mark.parametrize("removing", [False, True], ids=["ensure", "remove"])
def test_cut_off_at_every_step_it_converges(
    lab: HostNetwork, monkeypatch: pytest.MonkeyPatch, name: str, removing: bool
) -> None:
    names = list(VERBS)
    ensure, remove = VERBS[name]
    for earlier in names[: names.index(name)]:
        VERBS[earlier][0](again(lab))
    without = found(again(lab))
    ensure(again(lab))
    whole, rules = found(again(lab)), ruleset(lab)
    for at in count(1):
        (ensure if removing else remove)(again(lab))
        with monkeypatch.context() as patch:
            steps = cutting(patch, at)
            with contextlib.suppress(CutOffError):
                (remove if removing else ensure)(again(lab))
            if steps() < at:
                break
        if at % 2:  # the same document again, or its removal: both must converge
            ensure(again(lab))
            assert (found(again(lab)), ruleset(lab)) == (whole, rules), at
        else:
            remove(again(lab))
            assert found(again(lab)) == (whole if name == "firewall" else without), at
    assert at > 1 or name == "firewall"


def ruleset(host: HostNetwork) -> list[str]:
    """Every rule of the cloud, in no order."""
    lines = []
    for name in [None, *namespaces.listed(host.names.mark)]:
        with namespaces.inside(name):
            done = subprocess.run(["nft", "list", "ruleset"], capture_output=True, check=True)
        lines += [f"{name} {line}" for line in done.stdout.decode().splitlines()]
    return sorted(lines)


def test_two_clouds_live_on_one_host(lab: HostNetwork, tmp_path: Path) -> None:
    ensure_all(again(lab))
    state = Path(f"{lab.paths.state}-second")
    state.mkdir(mode=0o711)
    second = HostNetwork(new_config(), Paths(state))
    try:
        second.ensure_network(NET)
        second.ensure_port(A)
        with pytest.raises(EngineError, match="already on link"):
            second.ensure_network(doc.EXTERNAL)
        assert found(again(lab)) == ALL
        second.remove_everything()
        assert left_over(second) == []
        assert found(again(lab)) == ALL
    finally:
        second.remove_everything()
        shutil.rmtree(state)


def test_what_is_not_there_is_refused_with_its_name(lab: HostNetwork) -> None:
    for act in (
        lambda: lab.ensure_port(A),
        lambda: lab.ensure_firewall(RULES),
        lambda: lab.ensure_router(ROUTER),
        lambda: lab.open_tap("port-77"),
    ):
        with pytest.raises(EngineError, match=r"net|port-77"):
            act()
    assert left_over(lab) == []


def test_a_tap_is_opened_once(lab: HostNetwork) -> None:
    host = again(lab)
    ensure_all(host)
    handle = host.open_tap(A.id)
    with pytest.raises(EngineError, match="busy"):
        host.open_tap(A.id)
    os.close(handle)
    os.close(host.open_tap(A.id))


def test_preflight_finds_nothing_missing_here_and_names_what_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert preflight.check() == []
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(preflight, "SYSTEM_FOLDER", Path("/nonexistent"))
    assert [each.name for each in preflight.check()] == ["nft", "dnsmasq", "setpriv"]
    assert list(namespaces.listed("andromede-check-")) == []
