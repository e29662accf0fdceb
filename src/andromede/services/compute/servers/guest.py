"""A server as its guest may know it: the facts behind the metadata service and the config drive."""

from __future__ import annotations

import base64
from typing import Any

from andromede.db import Connection
from andromede.services.compute.metadata.guest import Guest, Key
from andromede.services.compute.servers import networking
from andromede.services.compute.servers.model import Server
from andromede.services.network import api as network


def guest(conn: Connection, server: Server) -> Guest:
    """The facts of a server, which must have been read with its user data."""
    attached = network.attachments_of(conn, [server.id])[server.id]
    entries = [each for listed in attached.addresses.values() for each in listed]
    return Guest(
        id=server.id,
        number=server.number,
        project_id=server.project_id,
        name=server.name,
        hostname=_full_name(conn, server),
        image_id=server.image_id,
        flavor=server.flavor.original_name,
        zone=server.zone,
        reservation_id=server.reservation_id,
        launch_index=server.launch_index,
        key=_key(server),
        meta=server.metadata,
        user_data=None if server.user_data is None else base64.b64decode(server.user_data),
        groups=tuple(sorted(attached.groups)),
        local_ipv4=_first(entries, "fixed"),
        public_ipv4=_first(entries, "floating"),
        tags=tuple((port.mac, tag) for port, tag in networking.ports(conn, server) if tag),
        network=network.network_data(conn, server.id),
    )


def _full_name(conn: Connection, server: Server) -> str:
    """The host name in the domain in which the network's resolver knows it."""
    if "." in server.hostname:
        return server.hostname
    return f"{server.hostname}.{network.domain_of(conn, server.id)}"


def _key(server: Server) -> Key | None:
    if server.key_name is None or server.public_key is None:
        return None
    return Key(name=server.key_name, kind=server.key_type or "ssh", data=server.public_key)


def _first(entries: list[dict[str, Any]], kind: str) -> str:
    """The first IPv4 address of a kind, empty for none."""
    return next(
        (str(each["addr"]) for each in entries
         if each["version"] == 4 and each["OS-EXT-IPS:type"] == kind),
        "",
    )  # fmt: skip
