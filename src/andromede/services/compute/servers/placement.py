"""Where a server may be: zones and hosts as requests name them, and which host takes it."""

from __future__ import annotations

from msgspec import Struct

from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.services.compute.hosts import placing
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.hosts.store import ZONE
from andromede.services.compute.servers import store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.schema import NewServer
from andromede.sovereignty.policy.model import AT_REST

OVERCOMMIT = 4  # vcpus claimed for each of the host's
RESERVED = 512  # MiB of memory kept for the host itself


class Zone(Struct, frozen=True, kw_only=True):
    """A request's destination: the zone, whether it was asked for, and a host if one was; and the
    region and site it begins with, admissible for the project unless none is."""

    name: str
    pinned: str | None
    host: str | None
    region: str
    site: str


def zone(context: Context, asked: NewServer) -> Zone:
    """Read `availability_zone` (also `zone:host:node`), `host` and `hypervisor_hostname`, and ask
    for admission.

    Errors: BadRequest for an unknown zone; Forbidden when others than operators name a host, or no
    site that the request leaves is admissible.
    """
    places = hosts.places(context.conn)
    sites = {site: region for region, site in places.values()}
    several = len(sites) > 1
    name, _, rest = (asked.availability_zone or "").partition(":")
    host, _, node = rest.partition(":")
    if name not in ("", *zones(context.conn)):
        raise BadRequest("The requested availability zone is not available")
    named = {each for each in (host, node, asked.host, asked.hypervisor_hostname) if each}
    if named and not context.caller.admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:servers:create:forced_host to be performed."
        )
    if (host or node) and (asked.host or asked.hypervisor_hostname):
        raise BadRequest(
            "One mechanism with host and/or hypervisor_hostname and another mechanism with "
            "zone:host:node are mutually exclusive."
        )
    if len(named) > 1:
        raise BadRequest("No valid host was found: host and hypervisor are the same machine here.")
    wanted = next(iter(named), None)
    home = context.cloud.config.place
    if not several:
        context.admit(context.project_id, keys=AT_REST)
        named_zone, region, site = name or ZONE, home.region, home.site
        return Zone(name=named_zone, pinned=name or None, host=wanted, region=region, site=site)
    left = [name] if name else [places[wanted][1]] if wanted in places else sorted(sites)
    site = context.admit_any(context.project_id, left, sites, keys=AT_REST)
    return Zone(name=site, pinned=name or None, host=wanted, region=sites[site], site=site)


def zones(conn: Connection) -> set[str]:
    """The zones that servers may be asked to be in."""
    return set(placing.zones(conn).values()) or {ZONE}


def why_not(conn: Connection, server: Server, host: HostFacts) -> str | None:
    """Why a host cannot take a server; None when it can. What the server itself claims is free."""
    if server.wanted_host not in (None, host.name):
        return f"host {server.wanted_host} was asked for and is not here"
    others = {
        name: [server_id for server_id in server.hints.get(name, []) if server_id != server.id]
        for name in ("same_host", "different_host")
    }
    there = store.hosts_of(conn, [*others["same_host"], *others["different_host"]])
    if any(there.get(each) != host.name for each in others["same_host"]):
        return "same_host names a server that is not on the host"
    if any(there.get(each) == host.name for each in others["different_host"]):
        return "different_host names a server that is on the host"
    _, vcpus, memory, disk = store.claims(conn, host.name)
    if server.host == host.name:
        vcpus, memory, disk = vcpus - server.vcpus, memory - server.memory, disk - server.disk
    needs = {"vcpus": server.vcpus, "memory": server.memory, "disk": server.disk}
    return _lack(needs, host, vcpus, memory, disk)


def lacks(conn: Connection, server: Server, host: HostFacts, wanted: dict[str, int]) -> str | None:
    """Why a server on a host cannot claim so many vcpus, MiB of memory and GiB of disk there; None
    when it can."""
    _, vcpus, memory, disk = store.claims(conn, host.name)
    return _lack(wanted, host, vcpus - server.vcpus, memory - server.memory, disk - server.disk)


def _lack(needs: dict[str, int], host: HostFacts, vcpus: int, memory: int, disk: int) -> str | None:
    wanted = {
        "vcpus": (host.vcpus * OVERCOMMIT - vcpus, ""),
        "memory": ((host.memory >> 20) - RESERVED - memory, " MiB"),
        "disk": ((host.disk >> 30) - disk, " GiB"),
    }
    for name, (free, unit) in wanted.items():
        if needs[name] > free:
            return f"{needs[name]}{unit} of {name} are needed and {max(free, 0)}{unit} are free"
    return None
