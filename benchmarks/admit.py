"""Admission: decisions a second with nested policies in a declared world, and the re-evaluation of
all that is placed.

A decision is asked for as handlers and the worker do, on a connection's transaction. Those that were
not asked for before are counted apart; their limit is what a process needs for one plain statement.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, Database, metadata
from andromede.db.types import Json
from andromede.services import compute, identity, image, network
from andromede.services.compute.servers import store as servers
from andromede.services.identity.projects.store import project
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.subnets import store as subnets
from andromede.services.sovereignty import placed
from andromede.sovereignty import admit, generation
from andromede.sovereignty.findings import reevaluate
from andromede.sovereignty.findings.store import OPEN, finding
from andromede.sovereignty.policy import decide, store
from andromede.sovereignty.policy.model import (
    AT_REST,
    Ownership,
    Policy,
    domain_scope,
    project_scope,
)
from andromede.sovereignty.world import facts
from andromede.sovereignty.world import store as world_store
from andromede.sovereignty.world.model import Entity, Holding, Kind, Site, World
from benchmarks.frame import Row

ENTITIES = 200
SITES = 10
PROJECTS = 200
SHARES = (40_000, 10_000)  # servers, with a port each; networks, with a subnet each
PLACED = 2 * sum(SHARES)
HOME = "site-0"
NESTED = ("cloud", "domain/d", "project/top", "project/middle")  # and each project's own
SECONDS = 2.0
GOAL = "at least 20,000 a second"
WITHIN = "below 5 s"
SERVICES = (compute, identity, image, network)  # whose tables the world of the bench has


def run() -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory(prefix="andromede-bench-admit-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'admit.sqlite'}")
        metadata.create_all(database.engine)
        database.transact(_declare)
        rows = [*_decisions(database), *_evaluations(database)]
        database.dispose()
    return rows


def _declare(connection: Connection) -> None:
    """A chain of companies below the State, sites that they run, projects three levels deep."""
    entities = {"state": Entity(id="state", name="State", kind=Kind.PUBLIC_BODY, country="FR")}
    holdings: dict[str, Holding] = {}
    for at in range(ENTITIES - 1):
        key, holder = f"company-{at}", f"company-{at - SITES}" if at >= SITES else "state"
        entities[key] = Entity(id=key, name=key, country="FR" if at % 7 else "DE")
        holdings[f"h{at}"] = Holding(id=f"h{at}", holder=holder, held=key, capital=Decimal(100))
    sites = {
        f"site-{at}": Site(
            name=f"site-{at}", country="FR", operator=f"company-{ENTITIES - 2 - at}",
            hosts=(f"host-{at}",),
        )
        for at in range(SITES)
    }  # fmt: skip
    world = World(sites=sites, entities=entities, holdings=holdings)
    world_store.save(connection, World(), world)
    _projects(connection)
    for scope in NESTED:
        store.put(connection, scope, Policy(allowed_countries=("FR", "DE", "IT")))
    for at in range(PROJECTS):
        ownership = Ownership(individual_percent=Decimal(24), shown_required=True)
        own = Policy(refused_jurisdictions=("US", "CN"), ownership=ownership)
        store.put(connection, project_scope(f"p{at}"), own)


def _projects(connection: Connection) -> None:
    common = {"enabled": True, "description": "", "options": {}, "extra": {}, "is_domain": False}
    parents = {"top": "d", "middle": "top", **{f"p{at}": "middle" for at in range(PROJECTS)}}
    rows = [
        {**common, "id": key, "name": key, "domain_id": "d", "parent_id": parent}
        for key, parent in parents.items()
    ]
    domain = {**common, "id": "d", "name": "d", "domain_id": "", "parent_id": None}
    connection.execute(sa.insert(project), [{**domain, "is_domain": True}, *rows])
    assert domain_scope("d") == NESTED[1]


def _asked() -> Iterator[tuple[admit.Subject, admit.Destination]]:
    """Every project at every site, some of them with a host of its own name."""
    for at in range(PROJECTS):
        for site in range(SITES):
            subject = admit.Subject(project_id=f"p{at}", kind="server", id=f"s{at}")
            yield subject, admit.Destination(site=f"site-{site}", keys=AT_REST)


def _decisions(database: Database) -> list[Row]:
    asked = list(_asked())

    def every(connection: Connection) -> None:
        for subject, destination in asked:
            decision = admit.admit(connection, "compute:server:create", subject, destination)
            assert decision.allowed, decision.reason

    with database.read() as connection:
        started = time.perf_counter()
        every(connection)
        first = len(asked) / (time.perf_counter() - started)
        alone = _rate(lambda: _rules(connection, asked), len(asked))
        again = _rate(lambda: every(connection), len(asked))
        plain = _rate(lambda: [generation.read(connection) for _ in range(1_000)], 1_000)
    return [
        Row(name="one plain statement", value=plain, unit="/s"),
        Row(name="decisions", value=again, unit="/s", limit=plain, goal=GOAL, n=len(asked)),
        Row(name="decisions, the first of each project and site", value=first, unit="/s",
            n=len(asked)),
        Row(name="decisions, every rule weighed again", value=alone, unit="/s", goal=GOAL,
            n=len(asked)),
    ]  # fmt: skip


def _rules(connection: Connection, asked: list[tuple[admit.Subject, admit.Destination]]) -> None:
    """The same decisions from policies and facts, with no decision kept."""
    known = facts.current(connection)
    for subject, destination in asked:
        policy = store.effective(connection, subject.project_id)
        assert decide.refuse(policy, known, destination) is None


def _rate(work: Callable[[], object], each: int) -> float:
    """How many a second, over some seconds."""
    started = time.perf_counter()
    rounds = 0
    while time.perf_counter() - started < SECONDS:
        work()
        rounds += 1
    return rounds * each / (time.perf_counter() - started)


def _evaluations(database: Database) -> list[Row]:
    database.transact(_place)
    rows = _weigh(database, "none offends", 0)
    _allow(database, ("IT",))
    rows += _weigh(database, "all offend", PLACED)
    _allow(database, ("FR", "DE"))
    return rows + _weigh(database, "all are healed", 0)


def _allow(database: Database, countries: tuple[str, ...]) -> None:
    wanted = Policy(allowed_countries=countries)
    database.transact(lambda connection: store.put(connection, "cloud", wanted))


def _weigh(database: Database, name: str, findings: int) -> list[Row]:
    """How long a re-evaluation takes, and how much processor, which tells of a busy machine."""
    started, processor = time.perf_counter(), time.process_time()
    assert reevaluate.run(database, placed.sources(HOME), {placed.GRANT: placed.grants})
    spent, worked = time.perf_counter() - started, time.process_time() - processor
    with database.read() as connection:
        wanted = sa.select(sa.func.count()).select_from(finding).where(OPEN)
        assert connection.execute(wanted).scalar() == findings
    title = f"re-evaluation of 100,000, {name}"
    return [
        Row(name=title, value=spent, unit="s", goal=WITHIN, n=PLACED),
        Row(name=f"{title}: processor", value=worked, unit="s", n=PLACED),
    ]


def _place(connection: Connection) -> None:
    """Servers of every project at every site, each with a port there, and networks with subnets."""
    servers_there, networks_there = SHARES
    _fill(connection, servers.server, "s", servers_there, lambda at: {"site": _site(at)})
    _fill(connection, ports.port, "q", servers_there, lambda at: {
        "site": _site(at), "network_id": f"n{at % networks_there}", "mac_address": f"{at}",
    })  # fmt: skip
    _fill(connection, networks.network, "n", networks_there, lambda _: {})
    _fill(connection, subnets.subnet, "b", networks_there, lambda at: {"network_id": f"n{at}"})


def _site(at: int) -> str:
    return f"site-{at // PROJECTS % SITES}"


def _fill(
    connection: Connection, rows: sa.Table, mark: str, count: int, more: Callable[[int], Any]
) -> None:
    """Rows of a table with all the columns that a resource has."""
    values: dict[str, Any] = {each.name: _empty(each) for each in rows.c}
    connection.execute(
        sa.insert(rows),
        [
            {**values, "id": f"{mark}{at}", "project_id": f"p{at % PROJECTS}", "created_at": at,
             **({"number": at} if "number" in values else {}), **more(at)}
            for at in range(count)
        ],
    )  # fmt: skip


def _empty(column: sa.Column[Any]) -> Any:
    if column.nullable or isinstance(column.type, Json):
        return None if column.nullable else []
    return {str: "", int: 0, bool: False}[column.type.python_type]
