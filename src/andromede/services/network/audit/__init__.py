"""Looks for rows of the network service that contradict each other or the engine. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from andromede.db import Connection
from andromede.engine.protocol import Observation
from andromede.findings import CONVERGES, REPORT, WORKER, Finding
from andromede.services.network import intents
from andromede.services.network.addresses.store import pool_ranges
from andromede.services.network.audit import store
from andromede.services.network.ranges.store import LARGEST_NUMBER, Range
from andromede.work.store import busy

KINDS = {"network": intents.NETWORK, "port": intents.PORT, "router": intents.ROUTER}


def audit(connection: Connection, held: Observation | None) -> list[Finding]:
    """What contradicts; `held` is what the engine has, None when it cannot be asked."""
    found = [*_references(connection), *_numbers(connection), *_addresses(connection)]
    found += [*_transitions(connection)]
    if held is not None:
        found += [*_leaked(connection, held), *_missing(connection, held)]
    return found


def _finding(kind: str, subject: str, problem: str, remedy: str = REPORT) -> Finding:
    return Finding(kind=kind, subject=subject, problem=problem, remedy=remedy)


def _references(connection: Connection) -> Iterator[Finding]:
    for each in store.REFERENCES:
        for subject, name in store.dangling(connection, each):
            what = f"names {each.target.name} {name} in {each.names.name}, which is not there"
            yield _finding(each.kind, subject, what)
    for subject in store.stray_tags(connection):
        yield _finding("tag", subject, "tags of a resource that is not there")
    for subject, ip in store.unheld_fixed(connection):
        yield _finding("floating IP", subject, f"stands for {ip}, which its port does not hold")


def _numbers(connection: Connection) -> Iterator[Finding]:
    """Each number of a host object is in use once, or free."""
    for kind in store.NUMBERED:
        used = store.numbers(connection, kind)
        yield from _twice(f"{kind} number", used)
        free = [each for each in store.free(connection, f"number:{kind}") if each[0] < 1 << 120]
        if used or free:
            yield from _conserved(f"{kind} number", "", used, free, [(1, LARGEST_NUMBER)])


def _addresses(connection: Connection) -> Iterator[Finding]:
    """Each address of a pool is held by one port, or free."""
    rows = store.subnets(connection)
    for row in rows:
        held = store.addresses(connection, row["id"])
        free = store.free(connection, row["id"])
        pools = pool_ranges(row["pools"])
        yield from _conserved("address", f" of subnet {row['id']}", held, free, pools)
    known = {row["id"] for row in rows} | {f"number:{kind}" for kind in store.NUMBERED}
    for scope in store.scopes(connection) - known:
        yield _finding("address", scope, "free addresses of a subnet that is not there")


def _twice(kind: str, used: Sequence[int]) -> Iterator[Finding]:
    for value, times in Counter(used).items():
        if times > 1:
            yield _finding(kind, str(value), f"is in use {times} times")


def _conserved(
    kind: str, where: str, used: Iterable[int], free: Sequence[Range], whole: Sequence[Range]
) -> Iterator[Finding]:
    """What is used and what is free make up the whole, without overlap."""
    taken = sorted(set(used))
    for value in taken:
        if any(first <= value <= last for first, last in free):
            yield _finding(kind, str(value), f"is in use{where} and free too")
    pieces = sorted([*free, *((value, value) for value in taken)])
    for first, last in whole:
        at = first
        for low, high in pieces:
            if high < at or low > last:
                continue
            if low > at:
                yield _finding(kind, f"{at}-{low - 1}", f"is neither in use nor free{where}")
            at = max(at, high + 1)
        if at <= last:
            yield _finding(kind, f"{at}-{last}", f"is neither in use nor free{where}")


def _transitions(connection: Connection) -> Iterator[Finding]:
    """What waits for the worker has work."""
    for kind, resource_id in store.buried(connection):
        if not busy(connection, KINDS[kind], resource_id):
            yield _finding(
                kind, resource_id, "is deleted, and nobody takes it off the host", WORKER
            )
    for kind in ("network", "router"):
        for resource_id, status in store.statuses(connection, kind).items():
            if status == "BUILD" and not busy(connection, KINDS[kind], resource_id):
                yield _finding(kind, resource_id, "is in BUILD, and nobody builds it", CONVERGES)


def _leaked(connection: Connection, held: Observation) -> Iterator[Finding]:
    buried = store.buried(connection)
    bound, rest = store.on_host(connection)
    owned = {
        "network": held.networks - store.statuses(connection, "network").keys(),
        "router": held.routers - store.statuses(connection, "router").keys(),
        "port": held.ports - bound - rest,
    }
    for kind, ids in owned.items():
        for each in ids:
            if (kind, each) not in buried:
                yield _finding(kind, each, "is on the host and nobody owns it", WORKER)


def _missing(connection: Connection, held: Observation) -> Iterator[Finding]:
    for kind, there in (("network", held.networks), ("router", held.routers)):
        for resource_id, status in store.statuses(connection, kind).items():
            if status == "ACTIVE" and resource_id not in there:
                yield _finding(kind, resource_id, "is ACTIVE and not on the host", CONVERGES)
    bound, _ = store.on_host(connection)
    for resource_id in bound - held.ports:
        if not busy(connection, intents.PORT, resource_id):
            yield _finding("port", resource_id, "is a server's and not on the host", CONVERGES)
