"""Choosing a host: of those where the project's policies let a server be, the one that its group likes
best, and the emptiest of these."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from andromede.config import Place
from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.services.compute.hosts.aggregates.store import zones as zones_of_aggregates
from andromede.services.compute.hosts.record import place_of
from andromede.services.compute.hosts.store import ZONE
from andromede.services.compute.hosts.store import closed as closed_hosts
from andromede.services.compute.servers import company as companies
from andromede.services.compute.servers import placement, store
from andromede.services.compute.servers.model import Server
from andromede.sovereignty import admit
from andromede.sovereignty.policy.model import AT_REST

ACTION = "compute:server:create"


class Candidate(Struct, frozen=True, kw_only=True):
    """A host with its place and zone; `several`: the cloud has hosts at more than one site."""

    host: HostFacts
    region: str
    site: str
    zone: str
    several: bool


def choose(
    conn: Connection, server: Server, hosts: Sequence[HostFacts], home: Place
) -> tuple[Candidate | None, str | None]:
    """The host for a server, or None and why each is none."""
    reasons: list[str] = []
    best: tuple[tuple[int, float], Candidate] | None = None
    company = companies.of(conn, server)
    closed = closed_hosts(conn)
    candidates = _candidates(conn, hosts, home)
    sites = sorted({each.site for each in candidates})
    for each in candidates:
        why = (
            closed.get(each.host.name)
            or company.why_not(each.host.name)
            or _why_not(conn, server, each, sites)
        )
        if why is not None:
            reasons.append(why if len(hosts) == 1 else f"{each.host.name}: {why}")
            continue
        taken = (
            company.dislike(each.host.name),
            _taken(conn, each.host) if len(hosts) > 1 else 0.0,
        )
        if best is None or taken < best[0]:
            best = (taken, each)
    if best is None:
        return None, "; ".join(dict.fromkeys(reasons))
    return best[1], None


def _candidates(conn: Connection, hosts: Sequence[HostFacts], home: Place) -> list[Candidate]:
    zones = zones_of_aggregates(conn)
    places = {hosts[0].name: (home.region, home.site)}
    if len(hosts) > 1:
        places = {each.name: place_of(conn, each.name, home) for each in hosts}
    several = len(set(places.values())) > 1
    found = []
    for each in hosts:
        region, site = places[each.name]
        zone = site if several else zones.get(each.name, ZONE)
        found.append(Candidate(host=each, region=region, site=site, zone=zone, several=several))
    return found


def _why_not(
    conn: Connection, server: Server, candidate: Candidate, sites: Sequence[str]
) -> str | None:
    if server.pinned_zone not in (None, candidate.zone):
        return f"zone {server.pinned_zone} was asked for"
    decision = admit.admit(
        conn,
        ACTION,
        admit.Subject(project_id=server.project_id, kind="server", id=server.id),
        admit.Destination(site=candidate.site, keys=AT_REST),
        among=sites,
    )
    if not decision.allowed:
        return decision.reason
    return placement.why_not(conn, server, candidate.host)


def _taken(conn: Connection, host: HostFacts) -> float:
    """How much of a host's memory its servers claim, as a part of it."""
    _, _, memory, _ = store.claims(conn, host.name)
    return memory / max(1, host.memory >> 20)
