"""Shelving: a server gives its host's room back, and its disk becomes an image until it returns.

Source: the compute API's reference, "Shelve", "Shelf-Offload" and "Unshelve Server". As upstream
by default, what is shelved leaves its host at once.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.servers import copies, guards
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course, Server
from andromede.services.compute.servers.placement import zones
from andromede.services.compute.servers.schema import Unshelve, UnshelveBody
from andromede.services.compute.servers.states import Doing, Vm
from andromede.sovereignty.policy.model import AT_REST

SECONDS = 1800.0


def shelve(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "shelve", vm={Vm.ACTIVE, Vm.STOPPED, Vm.PAUSED, Vm.SUSPENDED})
    image_id = copies.reserve(context, server, f"{server.name}-shelved", "snapshot", {})
    begin(
        context, server, "shelve", "compute_shelve_instance", "shelve",
        seconds=copies.SECONDS, task_state=Doing.SHELVING,
        course=Course(was=server.vm_state, copy=image_id),
    )  # fmt: skip


def offload(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "shelveOffload", vm={Vm.SHELVED})
    begin(
        context, server, "shelveOffload", "compute_shelve_offload_instance", "offload",
        seconds=SECONDS, task_state=Doing.SHELVING_OFFLOADING,
    )  # fmt: skip


def unshelve(context: Context) -> None:
    """Errors: BadRequest for an unknown zone or host; Conflict; Forbidden for the host."""
    body: UnshelveBody = context.body
    server = guards.unlocked(context)
    guards.in_state(server, "unshelve", vm={Vm.SHELVED, Vm.SHELVED_OFFLOADED})
    asked = body.unshelve if body.unshelve is not None else Unshelve()
    changes = _destination(context, server, asked)
    asked_zone = changes.get("pinned_zone")
    sites = {site for _, site in hosts.places(context.conn).values()}
    to = asked_zone if asked_zone in sites else server.site
    context.admit(server.project_id, to, keys=AT_REST)
    begin(
        context, server, "unshelve", "compute_unshelve_instance", "unshelve", seconds=SECONDS,
        task_state=Doing.UNSHELVING, **changes,
    )  # fmt: skip


def _destination(context: Context, server: Server, asked: Unshelve) -> dict[str, Any]:
    """The columns that say where the server may go."""
    changes: dict[str, Any] = {}
    named = asked.availability_zone is not UNSET or asked.host is not UNSET
    if named and server.vm_state != Vm.SHELVED_OFFLOADED:
        raise Conflict(
            f'Specifying an availability zone or a host when unshelving server "{server.id}" '
            f'with status "{server.vm_state}" is not supported. The server status must be '
            f"SHELVED_OFFLOADED."
        )
    if asked.availability_zone is not UNSET:
        zone = asked.availability_zone
        if zone is not None and zone not in zones(context.conn):
            raise BadRequest(f"The requested availability zone is not available: {zone}")
        changes["pinned_zone"] = zone
    if asked.host is not UNSET:
        if not context.caller.admin:
            raise Forbidden(
                "Policy doesn't allow os_compute_api:os-shelve:unshelve_to_host to be performed."
            )
        if asked.host not in hosts.places(context.conn):
            raise BadRequest(f"Compute host {asked.host} could not be found.")
        changes["wanted_host"] = asked.host
    return changes
