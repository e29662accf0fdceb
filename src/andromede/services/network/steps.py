"""The worker's side of networks, ports and filters: rows to documents to the engine.

Documents of a whole network are as long as it has ports: everybody who waits for one shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from andromede.db import Connection, Database
from andromede.engine.networks import FirewallSpec
from andromede.engine.protocol import Engine
from andromede.services.network import admission, filters, intents, specs
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import DHCP
from andromede.services.network.removals import store as removals
from andromede.services.network.rules import store as rules
from andromede.services.network.sharing import alone, together
from andromede.work import Done, Lifecycle, Nap, Outcome, Step
from andromede.work.lifecycle import Record

SOON = 0.05
_applied: dict[str, FirewallSpec] = {}  # what each network is filtered by, since this worker began


@together("network")
def apply_network(database: Database, engine: Engine, network_id: str, /, *_: str) -> bool:
    """Make the host's network equal to the rows; False when there is no such row."""
    with database.read_often() as connection:
        spec = specs.network_spec(connection, network_id)
    if spec is not None:
        engine.ensure_network(spec)
    return spec is not None


@together("firewall")
def apply_firewall(database: Database, engine: Engine, network_id: str, /, *port_ids: str) -> bool:
    """Make a network's filters equal to the rows, or have at least some ports among them; False
    when there is no such row."""
    before = _applied.pop(network_id, None)
    hosts = [host.name for host in engine.hosts()]
    with database.read_often() as connection:
        spec = None
        if before and port_ids:
            spec = filters.extended(connection, before, port_ids, hosts)
        spec = spec or filters.firewall_spec(connection, network_id, hosts)
    if spec is not None:
        engine.ensure_firewall(spec)
        _applied[network_id] = spec
    return spec is not None


def apply_port(database: Database, engine: Engine, port_id: str) -> bool:
    """Make the host's port equal to its row; False when no server holds it and it is gone."""
    with alone("port", port_id):
        with database.read_often() as connection:
            row = ports.by_id(connection, port_id)
            held = row is not None and ports.bound(row)
            spec = specs.port_specs(connection, [row])[0] if row is not None and held else None
        if spec is None:
            engine.remove_port(port_id)
        else:
            engine.ensure_port(spec)
    return spec is not None


def realise(database: Database, engine: Engine, port_ids: Sequence[str]) -> None:
    """Have networks, ports and filters on the host before the machine that uses them starts.

    Errors: EngineError.
    """
    with database.read_often() as connection:
        rows = ports.by_ids(connection, port_ids)
    network_ids = sorted({row["network_id"] for row in rows.values()})
    for network_id in network_ids:
        apply_network(database, engine, network_id)
    for port_id in port_ids:
        apply_port(database, engine, port_id)
    for network_id in network_ids:
        of_network = (key for key, row in rows.items() if row["network_id"] == network_id)
        apply_firewall(database, engine, network_id, *of_network)


def _network(step: Step) -> Outcome:
    with step.database.read() as connection:
        row = networks.by_id(connection, step.id)
        if row is not None and row["status"] == "BUILD":
            admission.require(step, connection, "network", row)
    if apply_network(step.database, step.world.engine, step.id):
        return Done(lambda connection: _network_ready(connection, step.id))
    with step.database.read() as connection:
        if removals.ports_remain(connection, step.id):
            return Nap(SOON)
    step.world.engine.remove_network(step.id)
    return Done(lambda connection: removals.forget(connection, "network", step.id))


def _network_ready(connection: Connection, network_id: str) -> None:
    networks.set_status(connection, network_id, "ACTIVE")
    owned = ports.owned(connection, network_id, DHCP)
    ports.set_status(connection, (row["id"] for row in owned), "ACTIVE")


def _port(step: Step) -> Outcome:
    if _network_missing(step):
        return Nap(SOON)
    if apply_port(step.database, step.world.engine, step.id):
        return Done()
    return Done(lambda connection: _port_gone(connection, step.id))


def _network_missing(step: Step) -> bool:
    """Whether a held port's network is not on the host yet.

    Errors: PermanentError when the port is not either, and may not come to be.
    """
    with step.database.read() as connection:
        row = ports.by_id(connection, step.id)
        if row is None or not ports.bound(row):
            return False
        if row["status"] == "DOWN":
            admission.require(step, connection, "port", row)
        network = networks.by_id(connection, row["network_id"])
        return network is not None and network["status"] == "BUILD"


def _port_gone(connection: Connection, port_id: str) -> None:
    removals.forget(connection, "port", port_id)
    row = ports.by_id(connection, port_id)
    if row is not None and not ports.bound(row):
        ports.off_host(connection, port_id)


def _firewall(step: Step) -> Outcome:
    with step.database.read() as connection:
        network = networks.by_id(connection, step.id)
        if network is None:
            return Done()
        if network["status"] == "BUILD":
            return Nap(SOON)
    apply_firewall(step.database, step.world.engine, step.id)
    return Done()


def _members(step: Step) -> Outcome:
    """Spread a group's change to the networks that it, or a rule that names it, filters."""
    with step.database.read() as connection:
        naming = rules.naming(connection, step.id)
        reached = ports.networks_of_groups(connection, [step.id, *naming])
    request_id = step.task.request_id

    def record(connection: Connection) -> None:
        for network_id, project_id in reached:
            intents.converge(connection, intents.FIREWALL, network_id, project_id, request_id)

    return Done(record)


def _fail_network(step: Step, _: str) -> Record:
    return lambda connection: networks.set_status(connection, step.id, "ERROR")


def _fail_port(step: Step, _: str) -> Record:
    return lambda connection: ports.set_status(connection, [step.id], "ERROR")


def _leave(_: Step, __: str) -> Record | None:
    """Nothing to show: the reconciler asks again."""
    return None


def _lifecycle(
    kind: str,
    step: Callable[[Step], Outcome],
    fail: Callable[[Step, str], Record | None],
    doc: str,
) -> Lifecycle:
    return Lifecycle(kind=kind, steps={intents.CONVERGE: step}, fail=fail, doc=doc)


LIFECYCLES = [
    _lifecycle(intents.NETWORK, _network, _fail_network, "a network on the host"),
    _lifecycle(intents.PORT, _port, _fail_port, "a server's port on the host"),
    _lifecycle(intents.FIREWALL, _firewall, _leave, "the filters of a network"),
    _lifecycle(intents.MEMBERS, _members, _leave, "a group's change, to the networks it filters"),
]
