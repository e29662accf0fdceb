"""What a server's machine used, for operators, measured when it is asked: the worker reads it from the
machine, and the edge role hands it on.

Source: the compute API's reference, "Servers diagnostics"; until 2.48 each driver had its own names,
and these are those of upstream's driver for QEMU.
"""

from __future__ import annotations

from typing import Any

from andromede.cloud import Consoles
from andromede.figures import CardFigures, DiskFigures, Figures
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import Conflict, Unavailable
from andromede.http.operation import Operation, Transaction
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import PowerState
from andromede.services.compute.versions import ALWAYS, Conversion, Drop

SHOW = "compute:server-diagnostics:show"
KIB, MIB = 1 << 10, 1 << 20
HYPERVISORS = {"tcg": "qemu"}  # by accelerator, where its name is another
STATES = {
    PowerState.NOSTATE: "pending",
    PowerState.RUNNING: "running",
    PowerState.PAUSED: "paused",
    PowerState.SHUTDOWN: "shutdown",
    PowerState.CRASHED: "crashed",
}
Body = dict[str, Any]


def show(context: Context) -> Body:
    """Errors: NotFound; Conflict while the machine does not run; Unavailable when the edge role, the
    worker or the machine does not answer."""
    with context.cloud.database.read() as connection:
        context.conn = connection
        try:
            server = guards.readable(context, param="server_id")
        finally:
            context.conn = None
    if not server.host:
        raise Conflict(f"Instance {server.id} is not ready")
    figures = _measured(context, server)
    return {**_standard(server, figures), "_older": _older(figures)}


def _measured(context: Context, server: Server) -> Figures:
    edge: Consoles | None = context.cloud.edge
    if edge is None:
        raise Unavailable("Machines are measured through the edge role, which does not run here.")
    try:
        figures = edge.figures(server.id)
    except ConnectionError as error:
        raise Unavailable(f"{str(error).rstrip('.')}. Ask again in a moment.") from error
    if figures is None or figures.paused:
        state = STATES[PowerState(server.power_state)]
        if figures is not None:
            state = "paused"
        elif state == "running":
            state = "shutdown"  # it went since the row was written
        raise Conflict(
            f"Cannot 'get_diagnostics' instance {server.id} while it is in power state {state}"
        )
    return figures


def _standard(server: Server, figures: Figures) -> Body:
    return {
        "state": "running",
        "driver": "libvirt",  # the value of the API's list that stands for QEMU
        "hypervisor": HYPERVISORS.get(figures.accelerator, figures.accelerator),
        "hypervisor_os": "linux",
        "uptime": figures.uptime,
        "config_drive": server.config_drive,
        "num_cpus": len(figures.cpu_times),
        "num_nics": len(figures.cards),
        "num_disks": len(figures.disks),
        "cpu_details": [
            {"id": index, "time": time, "utilisation": None}
            for index, time in enumerate(figures.cpu_times)
        ],
        "disk_details": [_disk(disk) for disk in figures.disks],
        "nic_details": [_card(card) for card in figures.cards],
        "memory_details": {
            "maximum": figures.memory // MIB,
            "used": None if figures.memory_used is None else figures.memory_used // MIB,
        },
    }


def _disk(disk: DiskFigures) -> Body:
    return {
        "read_bytes": disk.read_bytes,
        "read_requests": disk.read_requests,
        "write_bytes": disk.write_bytes,
        "write_requests": disk.write_requests,
        "errors_count": disk.errors,
    }


def _card(card: CardFigures) -> Body:
    shown: Body = {"mac_address": card.mac}
    for way in ("rx", "tx"):
        shown |= {
            f"{way}_octets": getattr(card, f"{way}_bytes"),
            f"{way}_errors": getattr(card, f"{way}_errors"),
            f"{way}_drop": getattr(card, f"{way}_dropped"),
            f"{way}_packets": getattr(card, f"{way}_packets"),
            f"{way}_rate": None,
        }
    return shown


def _older(figures: Figures) -> Body:
    """One flat document; memory in kibibytes, disks in the guest's order from `vda` on."""
    shown: Body = {f"cpu{index}_time": time for index, time in enumerate(figures.cpu_times)}
    for index, disk in enumerate(figures.disks):
        name = f"vd{chr(ord('a') + index)}"
        shown |= {
            f"{name}_read_req": disk.read_requests,
            f"{name}_read": disk.read_bytes,
            f"{name}_write_req": disk.write_requests,
            f"{name}_write": disk.write_bytes,
            f"{name}_errors": disk.errors,
        }
    for card in figures.cards:
        for way in ("rx", "tx"):
            shown |= {
                f"{card.name}_{way}": getattr(card, f"{way}_bytes"),
                f"{card.name}_{way}_packets": getattr(card, f"{way}_packets"),
                f"{card.name}_{way}_errors": getattr(card, f"{way}_errors"),
                f"{card.name}_{way}_drop": getattr(card, f"{way}_dropped"),
            }
    shown["memory"] = figures.memory // KIB
    if figures.memory_used is not None:
        shown["memory-rss"] = figures.memory_used // KIB
    return shown


def _lower(body: Body) -> Body:
    older: Body = body["_older"]
    return older


OPERATIONS = [
    Operation(
        method="GET", path="/v2.1/servers/{server_id}/diagnostics", handler=show, action=SHOW,
        allow=ADMIN, transaction=Transaction.OWN,
    ),
]  # fmt: skip
CONVERSIONS = [
    Conversion(since=(2, 48), actions=frozenset({SHOW}), lower=_lower),
    Conversion(
        since=ALWAYS, actions=frozenset({SHOW}), lower=Drop(lambda body: [body], ("_older",))
    ),
]
