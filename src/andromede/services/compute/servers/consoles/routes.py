"""Asking for a console: the rows and handlers.

Source: the compute API's reference, "Server consoles", "Get VNC Console", "Get Serial Console" and
"Show Console Connection Information".
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote, urlsplit

from andromede import clock
from andromede.http.access import ADMIN, PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Operation
from andromede.services.compute.servers import guards
from andromede.services.compute.servers import store as servers
from andromede.services.compute.servers.consoles import opening, store
from andromede.services.compute.servers.consoles.schema import (
    RemoteConsoleBody,
    SerialBody,
    SpiceBody,
    VncBody,
)
from andromede.services.compute.servers.model import Server
from andromede.services.identity import api as identity

SECONDS = 600  # until a token expires
PAGES = {("vnc", "novnc"): "vnc.html", ("serial", "serial"): "serial.html"}
NOT_HERE = ("spice", "rdp", "mks")
ACTION = "/v2.1/servers/{id}/action"


def create(context: Context) -> dict[str, Any]:
    """Errors: as `_issue`."""
    body: RemoteConsoleBody = context.body
    asked = body.remote_console
    url = _issue(context, "server_id", asked.protocol, asked.type)
    return {"remote_console": {"protocol": asked.protocol, "type": asked.type, "url": url}}


def vnc(context: Context) -> dict[str, Any]:
    """Errors: as `_issue`."""
    return _older(context, "vnc", context.body.wanted.type)


def spice(context: Context) -> dict[str, Any]:
    """Errors: as `_issue`."""
    return _older(context, "spice", context.body.wanted.type)


def serial(context: Context) -> dict[str, Any]:
    """Errors: as `_issue`."""
    return _older(context, "serial", context.body.wanted.type)


def rdp(context: Context) -> dict[str, Any]:
    """Errors: as `_issue`; there never is such a console."""
    return _older(context, "rdp", "rdp-html5")


def _older(context: Context, protocol: str, type_: str) -> dict[str, Any]:
    return {"console": {"type": type_, "url": _issue(context, "id", protocol, type_)}}


def _issue(context: Context, param: str, protocol: str, type_: str) -> str:
    """The address of a page that opens the console, soon and in one browser.

    Errors: NotFound; Refused for an operator without the project's consent; Conflict when no
    machine runs; BadRequest for a console that is not served.
    """
    server = guards.changeable(context, param)
    context.reveal(server.project_id, server.id)
    _require_machine(server)
    if protocol in NOT_HERE:
        raise BadRequest(
            f"Unavailable console type {type_}. Accepted: novnc (protocol vnc) and serial."
        )
    if (protocol, type_) not in PAGES:
        raise BadRequest(
            f"Invalid console type {type_} of protocol {protocol}. "
            f"Accepted: novnc (protocol vnc) and serial."
        )
    text = secrets.token_urlsafe(32)
    epoch = identity.epoch(context.conn)
    issued = store.Issued(
        server_id=server.id, type=type_, caller=context.caller, epoch=epoch,
        expires_at=clock.now() + SECONDS * clock.SECOND,
    )  # fmt: skip
    store.add(context.conn, text, issued)
    path = quote(f"console/socket?token={text}", safe="")
    return f"{context.base_url}/console/{PAGES[protocol, type_]}?path={path}"


def _require_machine(server: Server) -> None:
    if not opening.has_machine(server):
        raise Conflict(
            f"Instance {server.id} is not ready: a console needs its machine to run, and it is in "
            f"vm_state {server.vm_state}, task_state {server.task_state}."
        )


def refuse(_: Context) -> dict[str, Any]:
    """Errors: BadRequest."""
    raise BadRequest(
        "Until microversion 2.31 only tokens of RDP consoles, which are no more, show."
    )


def show(context: Context) -> dict[str, Any]:
    """Where a token leads. A machine here has no address of its own: its console is behind the
    listener by which this was asked.

    Errors: NotFound for a token that opens nothing; Refused without the project's consent.
    """
    issued = store.get(context.conn, context.params["id"])
    server = servers.get(context.conn, issued.server_id) if issued is not None else None
    if server is None:
        raise NotFound("Token not found")
    context.concerns(server.id, server.project_id)
    context.reveal(server.project_id, server.id)
    where = urlsplit(context.base_url)
    port = where.port or (443 if where.scheme == "https" else 80)
    return {
        "console": {
            "instance_uuid": server.id, "host": where.hostname, "port": port,
            "internal_access_path": None,
        }
    }  # fmt: skip


def _act(key: str, handler: Any, verb: str, body: Any = None) -> Operation:
    return Operation(
        method="POST", path=ACTION, key=key, handler=handler, action=f"compute:console:get-{verb}",
        allow=PROJECT_MEMBER, body=body, until=(2, 5), reveals="console",
    )  # fmt: skip


TOKENS = "/v2.1/os-console-auth-tokens/{id}"
OPERATIONS = [
    Operation(
        method="POST", path="/v2.1/servers/{server_id}/remote-consoles", handler=create,
        action="compute:console:create", allow=PROJECT_MEMBER, body=RemoteConsoleBody,
        since=(2, 6), reveals="console",
    ),
    _act("os-getVNCConsole", vnc, "vnc", VncBody),
    _act("os-getSPICEConsole", spice, "spice", SpiceBody),
    _act("os-getSerialConsole", serial, "serial", SerialBody),
    _act("os-getRDPConsole", rdp, "rdp"),
    Operation(
        method="GET", path=TOKENS, handler=refuse, action="compute:console-token:show",
        allow=ADMIN, until=(2, 30), reveals="console",
    ),
    Operation(
        method="GET", path=TOKENS, handler=show, action="compute:console-token:show",
        allow=ADMIN, since=(2, 31), reveals="console",
    ),
]  # fmt: skip
