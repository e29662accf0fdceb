"""Which zone each host is in, which hosts take servers, and when a host may change its zone.

In a cloud of several sites each site is a zone; in a cloud of one, operators make zones of aggregates.
"""

from __future__ import annotations

from collections.abc import Iterable

from andromede.db import Connection
from andromede.http.errors import BadRequest
from andromede.services.compute.hosts import store
from andromede.services.compute.hosts.aggregates import store as aggregates
from andromede.services.compute.hosts.aggregates.store import Aggregate
from andromede.services.compute.servers import store as servers


def zones(connection: Connection) -> dict[str, str]:
    """The zone of each host that was ever seen."""
    sites = {name: site for name, (_, site) in store.places(connection).items()}
    if len(set(sites.values())) > 1:
        return sites
    return dict.fromkeys(sites, store.ZONE) | {
        host: zone for host, zone in aggregates.zones(connection).items() if host in sites
    }


def require_rezoning(
    connection: Connection, of: Aggregate, hosts: Iterable[str], zone: str | None
) -> None:
    """Refuse to have hosts of an aggregate be in another zone when that cannot be.

    Errors: BadRequest naming the host, and what stands against it.
    """
    now, wanted = zones(connection), zone or store.ZONE
    places = store.places(connection).values()
    others = [each for each in aggregates.every(connection) if each.number != of.number]
    if zone is not None and len({site for _, site in places}) > 1:
        raise BadRequest(f"Zone {zone}: the zones of a cloud of several sites are its sites.")
    for host in hosts:
        elsewhere = [each.zone for each in others if host in each.hosts and each.zone]
        if zone is not None and elsewhere not in ([], [zone]):
            raise BadRequest(f"Host {host} is in zone {elsewhere[0]} already.")
        if not elsewhere and now.get(host) != wanted and servers.claims(connection, host)[0]:
            raise BadRequest(f"Host {host} has servers that are in zone {now.get(host)}.")
