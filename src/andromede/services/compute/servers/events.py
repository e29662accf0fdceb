"""What other services tell of servers: whatever it is, the machine is compared with its row again.

Source: the compute API's reference, "Create external events".
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.compute.servers import store
from andromede.services.compute.servers.actions.interfaces import KIND, SECONDS
from andromede.services.compute.servers.model import Server
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.work import intend
from andromede.work.store import busy

NETWORK = ("network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted")
LATER = {  # events with the versions that brought them; they must bear a tag
    "volume-extended": (2, 51), "power-update": (2, 76), "accelerator-request-bound": (2, 82),
    "volume-reimaged": (2, 93),
}  # fmt: skip
STATUSES = ("failed", "completed", "in-progress")


class Event(Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    server_uuid: str
    status: str = ""
    tag: str | None = None


class EventsBody(Struct, forbid_unknown_fields=True):
    events: Annotated[list[Event], Meta(min_length=1)]


def create(context: Context) -> Reply:
    """Each event has a code of its own; the answer is 207 when not all are 200.

    Errors: BadRequest for an unknown event.
    """
    body: EventsBody = context.body
    for event in body.events:
        _require_known(context, event)
    reached: dict[str, str] = {}
    told = [_take(context, event, reached) for event in body.events]
    if reached:
        among = set(reached.values())
        context.concerns(next(iter(reached)), among.pop() if len(among) == 1 else EVERYONE)
        context.notes["servers"] = list(reached)
    return Reply(200 if all(each["code"] == 200 for each in told) else 207, {"events": told})


def _require_known(context: Context, event: Event) -> None:
    known = [*NETWORK, *(name for name, since in LATER.items() if context.version >= since)]
    if event.name not in known or event.status not in ("", *STATUSES):
        raise BadRequest(
            f"Invalid input for field/attribute name or status. Value: {event.name}, "
            f"{event.status}. Events: {', '.join(known)}; statuses: {', '.join(STATUSES)}."
        )


def _take(context: Context, event: Event, reached: dict[str, str]) -> dict[str, Any]:
    """What is told of one event; `reached` are the servers that it had an effect on, and whose."""
    server = store.get(context.conn, event.server_uuid, with_user_data=False)
    code = 200
    if server is None:
        code = 404
    elif event.name in LATER and event.tag is None:
        code = 400
    elif server.host is None:
        code = 422
    else:
        reached[server.id] = server.project_id
        _compare(context, server, event)
    told: dict[str, Any] = {"name": event.name, "server_uuid": event.server_uuid}
    if event.tag is not None:
        told["tag"] = event.tag
    return {**told, "status": "completed" if code == 200 else "failed", "code": code}


def _compare(context: Context, server: Server, event: Event) -> None:
    common: dict[str, Any] = {"project_id": server.project_id, "request_id": context.request_id}
    if event.name in NETWORK:
        intend(context.conn, KIND, server.id, "plug", seconds=SECONDS, **common)
    elif not busy(context.conn, "server", server.id):
        intend(context.conn, "server", server.id, "sync", **common)


OPERATIONS = [
    Operation(
        method="POST", path="/v2.1/os-server-external-events", handler=create,
        action="compute:server-event:create", allow=ADMIN, body=EventsBody,
    )
]  # fmt: skip
