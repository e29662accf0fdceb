"""A new password for the administrator of a guest that runs, set by the QEMU guest agent in it.

Source: the compute API's reference, "Change Administrative Password". The image says by
`hw_qemu_guest_agent` that its guests run the agent, and by `os_admin_user` who is meant.
"""

from __future__ import annotations

import base64

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.services.compute.servers import guards, images
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course
from andromede.services.compute.servers.passwords import PURPOSE
from andromede.services.compute.servers.schema import PasswordBody
from andromede.services.compute.servers.states import Doing, Vm

SECONDS = 180.0  # for an agent whose guest boots yet, emulated
LONGEST = 511  # bytes: what guests' own functions take (crypt(3), PAM)
FORBIDDEN = frozenset("\n\r")


def seal(context: Context) -> str:
    """The password as the keys role wraps it for its server, before the transaction.

    Errors: BadRequest for one that no guest takes.
    """
    body: PasswordBody = context.body
    password = body.wanted.adminPass
    size = len(password.encode())
    if not 0 < size <= LONGEST or FORBIDDEN & set(password):
        raise BadRequest(
            f"Invalid input for field/attribute adminPass: 1 to {LONGEST} bytes without line breaks "
            f"are accepted; these are {size}."
        )
    keys = context.cloud.keys
    assert keys is not None, "the api talks to the keys role"
    return base64.b64encode(keys.wrap(PURPOSE, context.params["id"], password.encode())).decode()


def change(context: Context) -> None:
    """A way into the guest for whoever knows the password.

    Errors: Conflict for the state, or when the image says of no agent; Refused for an operator
    without the project's consent.
    """
    server = guards.unlocked(context)
    context.reveal(server.project_id, server.id)
    guards.in_state(server, "changePassword", vm={Vm.ACTIVE})
    if not images.has_agent(server.image):
        raise Conflict(
            f"Guest agent is not enabled for the instance {server.id}: its image has no property "
            f"hw_qemu_guest_agent=yes. A password is also given when a server is made, rebuilt or "
            f"rescued, on its config drive."
        )
    context.admit(server.project_id, server.site)
    begin(
        context, server, "changePassword", "compute_set_admin_password", "set_password",
        seconds=SECONDS, task_state=Doing.UPDATING_PASSWORD,
        course=Course(sealed=context.prepared),
    )  # fmt: skip
