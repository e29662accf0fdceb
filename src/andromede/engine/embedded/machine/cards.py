"""Plugging network cards into a running machine and pulling them, on root ports spared at its start.

A card is gone when the guest has let it go. Touches the machine through its monitor, and taps.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress

from andromede.engine.embedded.machine import record
from andromede.engine.embedded.machine.command import NIC_MODELS, ON_ROOT_PORTS
from andromede.engine.embedded.machine.holding import Holding
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError
from andromede.engine.embedded.machine.record import Record
from andromede.engine.protocol import EngineError, NicSpec, Power, ServerSpec


class Plugging(Holding):
    """The verb that changes a machine's cards while it runs."""

    def ensure_cards(self, spec: ServerSpec) -> frozenset[str]:
        doing = "changing the cards of"
        with self._hold(doing, spec.id) as folder:
            held = record.load(folder)
            found = self._find(spec.id, held) if held is not None and held.wanted else None
            if held is None or found is None:
                return frozenset()
            with closing(found):
                if self._status(spec.id, found)[0] is Power.OFF:
                    return frozenset()
                with self._asking(doing, spec.id) as monitor:
                    before = dict(held.cards)
                    leaving = _pull(monitor, spec, held)
                    for nic in spec.nics:
                        self._plug(monitor, spec, nic, held)
                    if held.cards != before:
                        record.save(folder, held)
            return leaving

    def _plug(self, monitor: Monitor, spec: ServerSpec, nic: NicSpec, held: Record) -> None:
        slot = held.cards.get(nic.port_id)
        if slot is None:
            slot = _free(spec, held)
        if f"nic{slot}" not in _devices(monitor):
            with suppress(MonitorError):  # of an attempt that was cut short
                monitor.execute("netdev_del", id=f"net{slot}")
            tap = self._open_tap(nic.port_id)
            try:
                monitor.hand_over(tap, "getfd", fdname=f"tap{slot}")
            finally:
                os.close(tap)
            monitor.execute("netdev_add", type="tap", id=f"net{slot}", fd=f"tap{slot}")
            monitor.execute("device_add", **_device(spec, nic, slot))
        held.cards = {**held.cards, nic.port_id: slot}


def _free(spec: ServerSpec, held: Record) -> int:
    if spec.nic_model not in ON_ROOT_PORTS:
        raise EngineError(
            f"plugging a card into server {spec.id}: a {spec.nic_model} cannot be plugged while the "
            f"machine runs; {' and '.join(ON_ROOT_PORTS)} can",
            permanent=True,
        )
    free = set(range(held.ports)) - set(held.cards.values())
    if not free:
        raise EngineError(
            f"plugging a card into server {spec.id}: all {held.ports} slots of its machine are "
            f"taken; it gets more when it is stopped and started",
            permanent=True,
        )
    return min(free)


def _device(spec: ServerSpec, nic: NicSpec, slot: int) -> dict[str, object]:
    device: dict[str, object] = {
        "driver": NIC_MODELS[spec.nic_model], "netdev": f"net{slot}", "id": f"nic{slot}",
        "mac": nic.mac, "bus": f"port{slot}", "romfile": "",
    }  # fmt: skip
    return {**device, "host_mtu": nic.mtu} if spec.nic_model == "virtio" else device


def _devices(monitor: Monitor) -> set[str]:
    return {str(each["name"]) for each in monitor.execute("qom-list", path="/machine/peripheral")}


def _pull(monitor: Monitor, spec: ServerSpec, held: Record) -> frozenset[str]:
    """Ask the guest to let go of the cards that the document does not have; those it still holds."""
    wanted = {nic.port_id for nic in spec.nics}
    there = _devices(monitor)
    leaving = set()
    for port_id, slot in sorted(held.cards.items()):
        if port_id in wanted:
            continue
        if f"nic{slot}" in there:
            with suppress(MonitorError):  # it was asked before and has not answered yet
                monitor.execute("device_del", id=f"nic{slot}")
            leaving.add(port_id)
            continue
        with suppress(MonitorError):  # it went with an earlier attempt
            monitor.execute("netdev_del", id=f"net{slot}")
        held.cards = {port: at for port, at in held.cards.items() if port != port_id}
    return frozenset(leaving)
