"""What servers ask of the network service: cards at create, addresses to show, ports to let go.

Source: the compute API's reference, "Create Server", `networks`; refusals are compute's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from msgspec import UNSET

from andromede.config import server_uid
from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, NotFound, OverLimit
from andromede.services.compute.servers.model import Nic, Server
from andromede.services.compute.servers.schema import Network, NewServer
from andromede.services.network import api
from andromede.services.network.api import Holder, Port


def attach(context: Context, servers: Sequence[Server], asked: NewServer) -> None:
    """Give each server its cards, as the request names them.

    Errors: BadRequest for what cannot be had; Conflict for a port in use or an unclear choice.
    """
    wanted = _wanted(context, asked)
    _require_sense(wanted, len(servers))
    groups = [each.name for each in asked.security_groups or []]
    for server in servers:
        holder = _holder(context, server)
        try:
            server.nics = [
                _card(context, holder, each, groups, at) for at, each in enumerate(wanted)
            ]
        except NotFound as error:
            raise BadRequest(error.message) from error


def _holder(context: Context, server: Server) -> Holder:
    place = context.cloud.config.place
    return Holder(
        server_id=server.id,
        host=server.host or place.host,
        site=server.site,
        owner_uid=server_uid(context.cloud.config, server.number),
        hostname=server.hostname.partition(".")[0],
    )


def join(context: Context, server: Server, asked: Network) -> Nic:
    """A further card for a server, on the network or port that is named, or on its project's only
    network.

    Errors: NotFound; BadRequest; Conflict; OverLimit for the project's ports.
    """
    if not asked.uuid and not asked.port:
        asked.uuid = api.default_network(context.conn, context.project_id)
        if asked.uuid is None:
            raise BadRequest(
                f"No network is there to attach an interface of server {server.id} to: net_id or "
                f"port_id is accepted."
            )
    at = len(api.ports_of(context.conn, server.id))
    try:
        return _card(context, _holder(context, server), asked, [], at)
    except ApiError as error:
        if error.type == "OverQuota":
            raise OverLimit("Maximum number of ports exceeded") from error
        raise


def _wanted(context: Context, asked: NewServer) -> list[Network]:
    if isinstance(asked.networks, list) and asked.networks:
        return asked.networks
    if asked.networks == "none":
        return []
    found = api.default_network(context.conn, context.project_id)
    if found is None and asked.networks == "auto":
        raise BadRequest(
            f"Unable to automatically allocate a network for project {context.project_id}: it has "
            f"none; a network's id or 'none' is accepted."
        )
    return [Network(uuid=found)] if found else []


def _require_sense(wanted: Sequence[Network], servers: int) -> None:
    ports: set[str] = set()
    for each in wanted:
        if each.port:
            if each.port in ports:
                raise BadRequest(
                    f"Port ID '{each.port}' was specified twice: you cannot attach a port multiple "
                    f"times."
                )
            if each.fixed_ip is not UNSET:
                raise BadRequest(
                    f"Specified Fixed IP '{each.fixed_ip}' cannot be used with port "
                    f"'{each.port}': the two cannot be specified together."
                )
            ports.add(each.port)
        elif not each.uuid:
            raise BadRequest("Bad network format: missing 'uuid'")
        elif each.fixed_ip is not UNSET and not _address(each.fixed_ip):
            raise BadRequest(
                f"Invalid input for field/attribute fixed_ip. Value: {each.fixed_ip}. An IPv4 or "
                f"IPv6 address is accepted."
            )
        elif each.fixed_ip and servers > 1:
            raise BadRequest(
                "Failed to launch instances: max_count cannot be greater than 1 if 1 fixed_ip "
                "specified."
            )
    if ports and servers > 1:
        raise BadRequest("Failed to launch multiple instances with one port.")


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _card(context: Context, holder: Holder, each: Network, groups: list[str], at: int) -> Nic:
    if each.port:
        [port] = api.bind_ports(context.conn, context, [each.port], holder, first=at)
        if not port.addresses:
            raise BadRequest(f"Port {port.id} requires a FixedIP in order to be used.")
        return Nic(port=port.id, owned=False, tag=each.tag or None)
    assert each.uuid is not None
    port = api.create_port(
        context.conn, context, each.uuid, holder,
        security_groups=groups or None, fixed_ip=each.fixed_ip or None, position=at,
    )  # fmt: skip
    if not port.addresses:
        raise BadRequest(f"Network {each.uuid} requires a subnet in order to boot instances on.")
    return Nic(port=port.id, owned=True, tag=each.tag or None)


def move(conn: Connection, server: Server, host: str, site: str) -> None:
    """The server is on a host: its ports are there too."""
    api.ports_on(conn, server.id, host, site)


def ports(conn: Connection, server: Server) -> list[tuple[Port, str | None]]:
    """A server's ports in the guest's order, each with its card's tag."""
    tags = {card.port: card.tag for card in server.nics}
    return [(port, tags.get(port.id)) for port in api.ports_of(conn, server.id)]


def started(conn: Connection, server: Server) -> None:
    """The machine runs: its ports are in use."""
    api.ports_active(conn, server.id, True)


def ended(conn: Connection, server: Server) -> None:
    """The machine is off: its ports are not in use."""
    api.ports_active(conn, server.id, False)
