"""Looks for servers that contradict their work, their ports or their machines. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from andromede.db import Connection
from andromede.engine.protocol import Observation, Power
from andromede.findings import CONVERGES, REPORT, WORKER, Finding
from andromede.services.compute.servers import store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Vm
from andromede.services.network.api import held_by_servers
from andromede.work.store import busy


def audit(connection: Connection, held: Observation | None) -> list[Finding]:
    """What contradicts; `held` is what the engine has, None when it cannot be asked."""
    servers = store.every(connection)
    found = [*_states(connection, servers), *_ports(connection, servers)]
    found += _undeleted(connection, servers)
    if held is not None:
        resting = [each for each in servers if not busy(connection, "server", each.id)]
        found += [*_machines(resting, held), *_leaked({each.id for each in servers}, held)]
    return found


def _finding(subject: str, problem: str, remedy: str = REPORT, kind: str = "server") -> Finding:
    return Finding(kind=kind, subject=subject, problem=problem, remedy=remedy)


def _states(connection: Connection, servers: Sequence[Server]) -> Iterator[Finding]:
    for each in servers:
        doing = each.task_state or (each.vm_state if each.vm_state == Vm.BUILDING else None)
        if doing is not None and not busy(connection, "server", each.id):
            yield _finding(each.id, f"is {doing}, and nobody works on it")


def _undeleted(connection: Connection, servers: Sequence[Server]) -> Iterator[Finding]:
    """Servers whose deletion failed for good: what they hold is held until they are deleted again."""
    for each in servers:
        if each.vm_state != Vm.ERROR or busy(connection, "server", each.id):
            continue
        newest = history.page(connection, each.id, limit=1, marker=None, since=None, before=None)
        if newest and newest[0]["action"] == "delete":
            why = each.fault.message if each.fault is not None else "nobody noted why"
            yield _finding(
                each.id,
                f"was to be deleted and is still there: {why}",
                f"put right what that names, then: openstack server delete {each.id}",
            )


def _ports(connection: Connection, servers: Sequence[Server]) -> Iterator[Finding]:
    living = {each.id for each in servers}
    holders = dict(held_by_servers(connection))
    for port, server_id in holders.items():
        if server_id not in living:
            problem = f"is held by server {server_id}, which is not there"
            yield _finding(port, problem, kind="port")
    for each in servers:
        for card in each.nics:
            if holders.get(card.port) != each.id:
                yield _finding(each.id, f"has port {card.port}, which is not bound to it")


def _machines(servers: Sequence[Server], held: Observation) -> Iterator[Finding]:
    for each in servers:
        facts = held.servers.get(each.id)
        power = facts.power if facts is not None else Power.ABSENT
        if each.vm_state == Vm.ACTIVE and power is not Power.ON:
            yield _finding(each.id, f"is ACTIVE and its machine is {power}", CONVERGES)
        if each.vm_state == Vm.STOPPED and power in (Power.ON, Power.PAUSED):
            yield _finding(each.id, f"is SHUTOFF and its machine is {power}", CONVERGES)
        if each.vm_state == Vm.STOPPED and each.id not in held.disks:
            yield _finding(each.id, "is SHUTOFF and its disk is not there")


def _leaked(living: set[str], held: Observation) -> Iterator[Finding]:
    for server_id in held.servers.keys() - living:
        yield _finding(server_id, "has a machine on the host and nobody owns it", WORKER)
    for server_id in held.disks - held.servers.keys() - living:
        yield _finding(server_id, "has files on the host and nobody owns them", WORKER)
