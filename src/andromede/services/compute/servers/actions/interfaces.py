"""Cards plugged into a server and pulled from it. Source: the compute API's reference, "Port
interfaces". The port is the server's at once; the guest sees the card a moment later."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from andromede.http.access import PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.compute.servers import attached, guards, history, networking, store
from andromede.services.compute.servers.model import Nic, Server
from andromede.services.compute.servers.schema import AttachBody, Attachment, Network
from andromede.services.compute.servers.states import Vm
from andromede.services.network import api as network
from andromede.sovereignty.consent.rules import Kind
from andromede.work import intend

KIND = "server_cards"
SECONDS = 300.0  # a guest may take its time to let go of a card
FROM = {Vm.ACTIVE, Vm.PAUSED, Vm.STOPPED}


def _begin(context: Context, server: Server, act: str, nics: list[Nic]) -> None:
    history.begin(context, server, act, f"compute_{act}")
    store.change(context.conn, server.id, nics=nics)
    intend(
        context.conn, KIND, server.id, "plug", project_id=server.project_id,
        request_id=context.request_id, seconds=SECONDS,
    )  # fmt: skip


def attach(context: Context) -> dict[str, Any]:
    """Errors: BadRequest, Conflict, NotFound, OverLimit; the server's state; Refused for an operator
    without the project's consent: a card is a way to the guest."""
    body: AttachBody = context.body
    asked = body.attachment or Attachment()
    server = guards.unlocked(context, "server_id")
    context.require_consent(Kind.ACCESS, server.project_id, server.id)
    ip = asked.fixed_ips[0].ip_address if asked.fixed_ips else None
    if asked.net_id and asked.port_id:
        raise BadRequest("Must not input both network_id and port_id")
    if ip and not asked.net_id:
        raise BadRequest("Must input network_id when request IP address")
    guards.in_state(server, "attach_interface", vm=FROM)
    context.admit(server.project_id, server.site)
    wanted = Network(
        uuid=asked.net_id, port=asked.port_id, fixed_ip=ip or UNSET, tag=asked.tag or UNSET
    )
    nic = networking.join(context, server, wanted)
    nic = Nic(port=nic.port, owned=nic.owned, tag=nic.tag, moving="joining")
    _begin(context, server, "attach_interface", [*server.nics, nic])
    [port] = [each for each in network.ports_of(context.conn, server.id) if each.id == nic.port]
    return {"interfaceAttachment": attached.interface(port, nic.tag)}


def detach(context: Context) -> Reply:
    """Errors: NotFound when the server has no such port; its state."""
    server = guards.unlocked(context, "server_id")
    guards.in_state(server, "detach_interface", vm=FROM)
    port_id = context.params["port_id"]
    if port_id not in {each.id for each in network.ports_of(context.conn, server.id)}:
        raise NotFound(f"Port {port_id} is not attached")
    pull(context, server, port_id)
    return Reply(202)


def pull(context: Context, server: Server, port_id: str) -> None:
    """Have a server's card pulled and its port freed, or deleted if it was made for the server."""
    nics = [_leaving(nic) if nic.port == port_id else nic for nic in server.nics]
    _begin(context, server, "detach_interface", nics)


def _leaving(nic: Nic) -> Nic:
    return Nic(port=nic.port, owned=nic.owned, tag=nic.tag, moving="leaving")


OPERATIONS = [
    Operation(
        method="POST", path="/v2.1/servers/{server_id}/os-interface", handler=attach,
        action="compute:server-interface:create", allow=PROJECT_MEMBER, body=AttachBody,
        places="create",
    ),
    Operation(
        method="DELETE", path="/v2.1/servers/{server_id}/os-interface/{port_id}", handler=detach,
        action="compute:server-interface:delete", allow=PROJECT_MEMBER, status=202,
    ),
]  # fmt: skip
