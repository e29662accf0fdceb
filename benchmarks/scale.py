"""How the cloud behaves with 100 to 100,000 servers on the simulated engine: creation, lists, show.

Up to 10,000 servers are made through the API. Above, rows are inserted in bulk through the stores'
tables, as copies of one server and its port on a host of its own; the rows' names say so.
"""

from __future__ import annotations

import ipaddress
import math
import statistics
import time
from collections.abc import Callable

import sqlalchemy as sa

from andromede import ids
from andromede.cli.client import Session, poll
from andromede.config import Paths
from andromede.db import Connection, Database
from andromede.services.compute.servers.store import server
from andromede.services.network.addresses.store import allocation, open_pools
from andromede.services.network.groups.store import member
from andromede.services.network.ports.store import port
from andromede.services.network.ranges import store as ranges
from andromede.services.network.subnets.store import subnet
from benchmarks import load, scratch
from benchmarks.api import _Target
from benchmarks.frame import Row
from benchmarks.scratch import Scratch

SIZES = (100, 1_000, 10_000, 100_000)
BY_API = 10_000  # above, rows are inserted in bulk
CLIENTS = 8
SECONDS = 5.0
SAMPLES = 50
GOAL = 6_000  # boots a minute
BLOCK = 2_000  # servers in one transaction of bulk rows
ELSEWHERE = "bulk"  # the host that bulk rows are on: no worker's


def run() -> list[Row]:
    """Each size in turn, in one cloud."""
    rows: list[Row] = []
    with scratch.cloud() as cloud:
        target = _Target(cloud)
        target.fill(1)
        for size in SIZES:
            grow(cloud, target, size)
            bulk = ", in bulk above 10,000" if size > BY_API else ""
            name = f"{size:,} servers{bulk}"
            rows += [*_boots(target, name), *_latencies(target, name)]
    return rows


def grow(cloud: Scratch, target: _Target, size: int) -> None:
    """Have so many servers, all of them ACTIVE."""
    while (there := _count(cloud)) < min(size, BY_API):
        load.rate(
            f"{target.compute}/servers", CLIENTS, min(SECONDS, math.ceil((size - there) / 1_000)),
            method="POST", headers=target.headers, body=target.server_body(),
        )  # fmt: skip
        _settled(cloud.customer)
    if size > BY_API:
        _insert(cloud, size - there)


def _database(cloud: Scratch) -> Database:
    return Database(Paths(cloud.state).database_url(cloud.config))


def _count(cloud: Scratch) -> int:
    wanted = sa.select(sa.func.count()).select_from(server).where(server.c.deleted == 0)
    with _database(cloud).read() as connection:
        return int(connection.execute(wanted).scalar_one())


def _settled(session: Session) -> None:
    """Wait until no server is being built."""

    def idle() -> bool:
        path = "/servers?status=BUILD&limit=1"
        return not session.call("compute", "GET", path)["servers"]

    poll(idle, 600, "servers were still being built")


def _boots(target: _Target, name: str) -> list[Row]:
    """Servers a minute from POST to ACTIVE, each with its port, and the worker's steps meanwhile."""
    before, began = _steps(target.cloud), time.monotonic()
    _, made = load.rate(
        f"{target.compute}/servers", CLIENTS, SECONDS, method="POST", headers=target.headers,
        body=target.server_body(),
    )  # fmt: skip
    _settled(target.cloud.customer)
    spent = time.monotonic() - began
    steps = _steps(target.cloud) - before
    return [
        Row(
            name=f"boots, c={CLIENTS}, {name}", value=60 * made / spent, unit="1/min",
            limit=float(GOAL), goal=">= 1", n=made,
        ),
        Row(name=f"worker's steps, {name}", value=steps / spent, unit="/s", n=steps),
    ]  # fmt: skip


def _steps(cloud: Scratch) -> int:
    """How many steps the worker has made, by its own log."""
    log = (cloud.state / "logs" / "worker.log").read_text(errors="replace")
    return log.count('"event":"step"')


def _latencies(target: _Target, name: str) -> list[Row]:
    session, one = target.cloud.customer, target.servers[0]
    asked = {
        "GET /servers?limit=50": "/servers?limit=50",
        "GET /servers/detail?limit=50": "/servers/detail?limit=50",
        "GET /servers/{id}": f"/servers/{one}",
    }
    return [
        Row(
            name=f"{said}, {name}",
            value=_median(lambda path=path: session.call("compute", "GET", path)),  # type: ignore[misc]
            unit="ms",
            n=SAMPLES,
        )
        for said, path in asked.items()
    ]


def _median(ask: Callable[[], object]) -> float:
    samples = []
    for _ in range(SAMPLES):
        began = time.perf_counter()
        ask()
        samples.append((time.perf_counter() - began) * 1000)
    return statistics.median(samples)


def _insert(cloud: Scratch, count: int) -> None:
    database = _database(cloud)
    for at in range(0, count, BLOCK):
        size = min(BLOCK, count - at)
        database.transact(lambda connection, size=size: _copies(connection, size))  # type: ignore[misc]
    database.transact(_allocated)


def _allocated(connection: Connection) -> None:
    """Have the copies' addresses be no longer free."""
    for row in connection.execute(sa.select(subnet)).mappings():
        open_pools(connection, row["id"], row["pools"])


def _copies(connection: Connection, count: int) -> None:
    """Copy one server with its port, so many times, as rows alone."""
    first = connection.execute(sa.select(server).limit(1)).mappings().one()
    card = connection.execute(
        sa.select(port).where(port.c.device_id == first["id"]).limit(1)
    ).mappings().one()  # fmt: skip
    wanted = sa.select(member).where(member.c.port_id == card["id"])
    groups = connection.execute(wanted).mappings().all()
    held = connection.execute(
        sa.select(allocation).where(allocation.c.port_id == card["id"]).limit(1)
    ).mappings().one()  # fmt: skip
    number = connection.execute(sa.select(sa.func.max(server.c.number))).scalar_one()
    highest = connection.execute(sa.select(sa.func.max(allocation.c.address))).scalar_one()
    servers, ports, members, addresses = [], [], [], []
    for at in range(1, count + 1):
        key, port_id, card_number = ids.new(), ids.new(), ranges.take_number(connection, "port")
        servers.append({**first, "id": key, "number": number + at, "host": ELSEWHERE})
        ports.append({
            **card, "id": port_id, "number": card_number, "device_id": key,
            "mac_address": f"02:42:00:{card_number.to_bytes(3).hex(':')}", "host_id": ELSEWHERE,
        })  # fmt: skip
        members += [{**each, "port_id": port_id} for each in groups]
        address = int(highest, 16) + at
        addresses.append({
            **held, "address": f"{address:032x}", "ip": str(ipaddress.IPv4Address(address)),
            "port_id": port_id,
        })  # fmt: skip
    for rows, table in ((servers, server), (ports, port), (members, member),
                        (addresses, allocation)):  # fmt: skip
        connection.execute(sa.insert(table), rows)
