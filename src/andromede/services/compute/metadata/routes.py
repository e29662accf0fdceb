"""The internal service behind the metadata address. Only the edge reaches it, by a unix socket; it
says on which network and from which address a guest asked, and nothing else is believed.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Annotated

from msgspec import Meta, Struct

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Conflict, MethodNotAllowed, NotFound
from andromede.http.errors import plain_shape as shape
from andromede.http.operation import Operation, Reply, Service
from andromede.services.compute.metadata import store
from andromede.services.compute.metadata.openstack import SEED_BYTES
from andromede.services.compute.metadata.render import TEXT, is_password, render
from andromede.services.compute.servers import guest as facts
from andromede.services.compute.servers import store as servers
from andromede.services.compute.servers.model import Server
from andromede.services.network import api as network

LONGEST_PASSWORD = 1020  # characters, as upstream keeps
RATE, BURST = 200.0, 1000.0  # answers to one network: a second, and at once


class TooMany(ApiError):
    status = 429


class Share:
    """What is left of each network's share of this process's answers."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, network_id: str) -> None:
        """Errors: TooMany."""
        now = time.monotonic()
        with self._lock:
            if len(self._left) > 10_000:
                self._left.clear()
            left, since = self._left.get(network_id, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            self._left[network_id] = (max(left - 1, 0.0), now)
        if left < 1:
            raise TooMany(f"Network {network_id} asks for metadata too often; slow down.")


class Password(Struct, forbid_unknown_fields=True):
    password: Annotated[str, Meta(max_length=LONGEST_PASSWORD)]


share = Share(RATE, BURST)


def _asked(context: Context, name: str) -> str:
    value = context.first(name)
    if value is None:
        raise BadRequest(f"The query parameter {name} is needed.")
    return value


def _server(context: Context) -> Server:
    """The server that asks.

    Errors: TooMany; NotFound when no server has the address on the network.
    """
    network_id, address = _asked(context, "network"), _asked(context, "address")
    share.take(network_id)
    server_id = network.port_by_address(context.conn, network_id, address)
    server = servers.get(context.conn, server_id) if server_id else None
    if server is None:
        raise NotFound(f"No server has the address {address} on network {network_id}.")
    return server


def read(context: Context) -> Reply:
    """The document a guest asked for, rendered from what is true now."""
    server, path = _server(context), _asked(context, "path")
    try:
        if is_password(path):
            text = store.password(context.conn, server.id) or ""
            return Reply(200, text.encode(), media_type=TEXT)
        guest = facts.guest(context.conn, server)
        document = render(guest, path, os.urandom(SEED_BYTES))
    except KeyError as error:
        raise NotFound(f"There is no metadata at {path}.") from error
    return Reply(200, document.body, media_type=document.media_type)


def set_password(context: Context) -> Reply:
    """Keep the password a guest made for itself; it may do so once."""
    server, path = _server(context), _asked(context, "path")
    try:
        if not is_password(path):
            raise MethodNotAllowed(f"{path} can be read only.")
    except KeyError as error:
        raise NotFound(f"There is no metadata at {path}.") from error
    if store.password(context.conn, server.id):
        raise Conflict(f"The password of server {server.id} was set before.")
    store.set_password(context.conn, server.id, context.body.password)
    context.concerns(server.id, server.project_id)
    return Reply(200, b"", media_type=TEXT)


SERVICE = Service(
    name="internal",
    type="internal",
    mount="/internal",
    error_shape=shape,
    operations=[
        Operation(
            method="GET",
            path="/v1/metadata",
            handler=read,
            action="compute:metadata:read",
            allow=None,
        ),
        Operation(
            method="POST",
            path="/v1/metadata",
            handler=set_password,
            action="compute:metadata:set_password",
            allow=None,
            body=Password,
        ),
    ],
)
