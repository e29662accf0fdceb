"""Opening a console with its token, and whether who opened it may still have it.

The first opening makes the token one browser's, which keeps a secret in a cookie and may load its page
again until the token expires. Each opening is a leaf of the project's log, in the same transaction.
"""

from __future__ import annotations

import secrets

from msgspec import Struct

from andromede import clock
from andromede.cloud import Cloud
from andromede.db import Connection
from andromede.http.access import Caller
from andromede.http.errors import ApiError, Conflict, Forbidden
from andromede.services.compute.servers import guards
from andromede.services.compute.servers import store as servers
from andromede.services.compute.servers.consoles import store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.identity import api as identity
from andromede.sovereignty.consent import places, rules
from andromede.sovereignty.log import Leaf, append

KIND = "console"  # of a consent
KINDS = {"novnc": "vnc", "serial": "serial"}  # of a machine's consoles, by the API's types
ACTION = "compute:console:open"


class Opened(Struct, frozen=True, kw_only=True):
    """A console that was opened: `kind` as engines name it, `cookie` what the browser is to keep, with
    its age, when it was the first to open it."""

    server_id: str
    kind: str
    caller: Caller
    epoch: int
    cookie: str | None = None


class Came(Struct, frozen=True, kw_only=True):
    """How a token came: by which listener, from which address, in which request, with which
    cookies."""

    listener: str
    remote: str
    request_id: str
    cookies: dict[str, str] = {}


def has_machine(server: Server) -> bool:
    """Whether a server has a machine with a console: it runs, or stands still in memory."""
    going = (Doing.DELETING, Doing.SOFT_DELETING)
    on = server.power_state in (PowerState.RUNNING, PowerState.PAUSED)
    return on and server.vm_state != Vm.BUILDING and server.task_state not in going


def cookie_name(text: str) -> str:
    """The cookie by which a browser shows that it opened a token: one of each token's own."""
    return f"console-{store.digest(text)[:16]}"


def redeem(cloud: Cloud, text: str, came: Came) -> Opened:
    """Open a token's console, the first time or for the browser that did.

    Errors: Forbidden for a token that opens nothing, or nothing any more; Conflict when no machine
    runs; Refused for an operator who may not look, which is a leaf.
    """
    secret = secrets.token_urlsafe(32)

    def work(connection: Connection) -> Opened | ApiError:
        issued = store.get(connection, text)
        server = servers.get(connection, issued.server_id) if issued is not None else None
        if issued is None or server is None:
            raise Forbidden("This token opens no console: it is unknown or expired.")
        first = store.bind(connection, text, secret)
        shown = came.cookies.get(cookie_name(text), "")
        if not first and not store.bound(connection, text, shown):
            raise Forbidden("This token opens no console here: another browser opened it.")
        status, refused, notes = 101, None, dict[str, object]({"type": issued.type})
        try:
            notes |= _require(connection, issued, server, came)
        except ApiError as error:
            status, refused = error.status, error
        append(connection, _leaf(issued.caller, server, came, status, notes))
        return refused or Opened(
            server_id=server.id, kind=KINDS[issued.type], caller=issued.caller, epoch=issued.epoch,
            cookie=_cookie(text, secret, issued.expires_at) if first else None,
        )  # fmt: skip

    opened = cloud.database.transact(work)
    if isinstance(opened, ApiError):
        raise opened
    return opened


def _cookie(text: str, secret: str, expires_at: int) -> str:
    age = max(1, (expires_at - clock.now()) // clock.SECOND)
    return f"{cookie_name(text)}={secret}; Max-Age={age}"


def _leaf(
    caller: Caller, server: Server, came: Came, status: int, notes: dict[str, object]
) -> Leaf:
    return Leaf(
        action=ACTION, subject=server.id, request_id=came.request_id, status=status,
        actor=caller.user_id, actor_project=caller.project_id, project_id=server.project_id,
        detail=notes,
    )  # fmt: skip


def _require(
    connection: Connection, issued: store.Issued, server: Server, came: Came
) -> dict[str, object]:
    """What the log is to tell of it: the consent by which an operator looks.

    Errors: Forbidden, Refused, Conflict.
    """
    caller = issued.caller
    if rules.operator(caller):
        if came.listener == "public":
            raise Forbidden("Operators open consoles on the private listener only.")
        places.require(connection, came.remote)
    consent = _allowed(connection, caller, issued.epoch, server)
    if not has_machine(server):
        raise Conflict(f"Instance {server.id} is not ready: its machine does not run.")
    return {} if consent is None else {"consent": consent}


def _allowed(connection: Connection, caller: Caller, epoch: int, server: Server) -> str | None:
    """The consent that the caller needs to see the console, if it needs one.

    Errors: Forbidden when its token, or what that rests on, was revoked, or the server is another
    project's; Refused without a consent that is needed.
    """
    if not identity.stands(connection, caller, epoch) or not guards.reached(caller, server):
        raise Forbidden("What let you open this console was revoked. Log in and ask for another.")
    project = server.project_id
    if not rules.stranger(connection, caller, project) or not rules.needed(connection, project):
        return None
    found = rules.found(connection, caller.user_id, KIND, project, server.id)
    if found is None:
        raise rules.refusal(connection, KIND, project, server.id)
    return found


def still(cloud: Cloud, opened: Opened) -> bool:
    """Whether who opened a console may still have it: the server is there, nothing that the
    caller's token rests on was revoked, and an operator's consent is in force."""
    with cloud.database.read() as connection:
        server = servers.get(connection, opened.server_id, with_user_data=False)
        if server is None:
            return False
        try:
            _allowed(connection, opened.caller, opened.epoch, server)
        except ApiError:
            return False
        return True
