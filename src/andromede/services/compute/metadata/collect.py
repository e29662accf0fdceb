"""Gathers a server's facts from compute and the network, as they are now."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from andromede.db import Connection
from andromede.services.compute.metadata.guest import Guest, Key
from andromede.services.compute.servers.model import Server
from andromede.services.network import api as network
from andromede.services.network.api import Attachment


def of_server(connection: Connection, server: Server) -> Guest:
    """What a server may know of itself; `user_data` must have been read with it."""
    attachment = network.attachments_of(connection, [server.id])[server.id]
    return Guest(
        id=server.id,
        number=server.number,
        project_id=server.project_id,
        name=server.name,
        hostname=_full_name(connection, server),
        image_id=server.image_id,
        flavor=server.flavor.original_name,
        zone=server.zone,
        reservation_id=server.reservation_id,
        launch_index=server.launch_index,
        key=_key(server),
        meta=server.metadata,
        user_data=_decoded(server.user_data),
        groups=tuple(attachment.groups),
        local_ipv4=_first(attachment, "fixed"),
        public_ipv4=_first(attachment, "floating"),
        tags=tuple(_tags(connection, server)),
        network=network.network_data(connection, server.id),
    )


def _full_name(connection: Connection, server: Server) -> str:
    """The host name with the domain in which the network's resolver knows it."""
    if "." in server.hostname:
        return server.hostname
    return f"{server.hostname}.{network.domain_of(connection, server.id)}"


def _key(server: Server) -> Key | None:
    if server.key_name is None or server.public_key is None:
        return None
    kind = "x509" if server.public_key.startswith("-----BEGIN CERT") else "ssh"
    return Key(name=server.key_name, kind=kind, data=server.public_key)


def _decoded(user_data: str | None) -> bytes | None:
    """The bytes of user data, which the compute API takes in base64."""
    if user_data is None:
        return None
    try:
        return base64.b64decode(user_data)
    except binascii.Error as error:
        raise ValueError("user data that is not base64 was accepted") from error


def _first(attachment: Attachment, kind: str) -> str:
    """The first fixed or floating IPv4 address; empty when there is none."""
    for addresses in attachment.addresses.values():
        for each in addresses:
            if each["version"] == 4 and each["OS-EXT-IPS:type"] == kind:
                return str(each["addr"])
    return ""


def _tags(connection: Connection, server: Server) -> Iterable[tuple[str, str]]:
    tags = {each.port: each.tag for each in server.nics if each.tag}
    if not tags:
        return
    for port in network.ports_of(connection, server.id):
        tag = tags.get(port.id)
        if tag:
            yield port.mac, tag
