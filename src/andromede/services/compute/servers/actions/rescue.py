"""Rescuing: a server boots from another image, with its own disk beside.

Source: the compute API's reference, "Rescue Server". An image with `hw_rescue_device` or
`hw_rescue_bus` leaves the server's own devices at their places (stable rescue).
"""

from __future__ import annotations

from typing import Any

from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.services.compute.servers import guards, images, passwords
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course, Rescue, Server
from andromede.services.compute.servers.schema import RescueBody
from andromede.services.compute.servers.states import Doing, Vm
from andromede.sovereignty.policy.model import AT_REST

SECONDS = 900.0


def rescue(context: Context) -> dict[str, Any]:
    """A way to the server's disk for whoever asks, by the image it boots and the answer's password.

    Errors: BadRequest for an image that cannot be had; Conflict; Refused for an operator without
    the project's consent.
    """
    body: RescueBody = context.body
    refuse_null(context, "rescue", "adminPass", "rescue_image_ref")
    server = guards.unlocked(context)
    context.reveal(server.project_id, server.id)
    guards.in_state(server, "rescue", vm={Vm.ACTIVE, Vm.STOPPED, Vm.ERROR})
    context.admit(server.project_id, server.site, keys=AT_REST)
    given = body.rescue.adminPass if body.rescue is not None else None
    password = passwords.chosen(given)
    course = Course(
        rescue=_with(context, server, body.rescue.rescue_image_ref if body.rescue else None),
        password=passwords.kept(password, server.config_drive),
    )
    begin(
        context, server, "rescue", "compute_rescue_instance", "rescue", seconds=SECONDS,
        task_state=Doing.RESCUING, course=course,
    )  # fmt: skip
    return {"adminPass": password}


def _with(context: Context, server: Server, reference: str | None) -> Rescue:
    if reference is None:
        return Rescue(image=server.image, disk=server.root_disk)
    image, disk, how = images.rescuing(context, reference, server.flavor)
    return Rescue(image=image, disk=max(disk, server.root_disk), **how)


def unrescue(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "unrescue", vm={Vm.RESCUED})
    begin(
        context, server, "unrescue", "compute_unrescue_instance", "unrescue", seconds=SECONDS,
        task_state=Doing.UNRESCUING,
    )  # fmt: skip
