"""The verbs and documents every engine understands, at the level of a resource.

Verbs are level-triggered and idempotent: `ensure_X(spec)` makes the world equal to the document,
`remove_X(id)` makes it absent and succeeds when it already is. A document never carries a path, a
command or an argument: engines derive those from ids. A verb may be killed at any instant and is
then called again with the same or a newer document.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from andromede.engine.networks import FirewallSpec, NetworkSpec, PortSpec, RouterSpec
from andromede.figures import Figures


class EngineError(Exception):
    """An effect failed. `permanent` says that trying again with the same document cannot help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class NotYet(EngineError):
    """What the effect stands on is not on this host yet. Somebody makes it: it is tried again."""

    awaited = True  # no failure to look into


class Power(StrEnum):
    """What a server's machine is doing, as the engine sees it."""

    ON = "on"
    OFF = "off"  # the guest powered itself off, or was stopped: its disk is kept
    PAUSED = "paused"
    SUSPENDED = "suspended"  # off, with its memory on disk: started, it goes on where it was
    VANISHED = "vanished"  # it should exist here and its process is gone
    ABSENT = "absent"  # the engine holds nothing of it


class DiskSpec(Struct, frozen=True, kw_only=True):
    """A server's own disk: a copy-on-write child of an image, or empty when there is none.

    A disk of another `generation` than the one that is there replaces it. A disk grows to `size`
    and never shrinks.
    """

    image_id: str | None
    image_format: str | None  # "qcow2" | "raw", as inspection found it
    size: int  # bytes
    generation: int = 0


class RescueSpec(Struct, frozen=True, kw_only=True):
    """A disk to boot a server from for once, beside its own: new at each rescue.

    `last`: the server's own devices keep their places and names; else it takes the first place.
    """

    disk: DiskSpec
    last: bool = False
    device: str = "disk"  # "disk" | "cdrom"
    bus: str = "virtio"  # "virtio" | "scsi" | "sata" | "usb"


class NicSpec(Struct, frozen=True, kw_only=True):
    """A server's network card: the port behind it, in the guest's order."""

    port_id: str
    network_id: str
    mac: str
    mtu: int


class ServerSpec(Struct, frozen=True, kw_only=True):
    """A server's machine. `config_drive` maps names on the drive to their content; None: no drive."""

    id: str
    number: int  # unique on this cloud; its uid and vsock-like names derive from it
    project_id: str
    name: str
    vcpus: int
    memory: int  # bytes
    disk: DiskSpec
    nics: tuple[NicSpec, ...]
    config_drive: dict[str, bytes] | None = None
    firmware: str = "bios"  # "bios" | "uefi"
    disk_bus: str = "virtio"
    nic_model: str = "virtio"
    rescue: RescueSpec | None = None
    agent: bool = False  # whether it has a port for an agent in its guest


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What is really there of a server."""

    id: str
    power: Power
    accelerator: str | None = None  # "kvm" | "tcg" | "simulated"
    since: int | None = None  # microseconds since the epoch at which this state was reached
    # Why it is paused, off or unknown when nobody asked, for people. Of a machine that vanished: what
    # its process said last; None when it went with the host.
    reason: str | None = None


class Copy(Struct, frozen=True, kw_only=True):
    """How far the copy of a server's disk is; `progress` in percent."""

    done: bool
    progress: int = 0


class HostFacts(Struct, frozen=True, kw_only=True):
    """What this host offers, for scheduling and for people."""

    name: str
    vcpus: int
    memory: int
    disk: int
    accelerator: str
    hypervisor: str  # "QEMU" | "simulated"
    hypervisor_version: int
    booted_at: int = 0  # microseconds since the epoch


class Observation(Struct, frozen=True, kw_only=True):
    """Everything the engine holds, by id: what nobody owns is found by comparing it to the rows."""

    servers: dict[str, ServerFacts]
    networks: frozenset[str]
    ports: frozenset[str]
    routers: frozenset[str]
    disks: frozenset[str]  # server ids that have files on disk
    strays: frozenset[str]  # objects bearing this cloud's mark that belong to no id, described


class Engine(Protocol):
    """One host's engine, or that of several. Methods block; callers run them in worker threads,
    several at once.

    Errors: EngineError, whose text says what was tried, on what, and why it failed.
    """

    def hosts(self) -> tuple[HostFacts, ...]:
        """Every host this engine places servers on; at least one."""

    def ensure_network(self, spec: NetworkSpec) -> None: ...
    def remove_network(self, network_id: str) -> None: ...

    def ensure_port(self, spec: PortSpec) -> None:
        """The network must exist. Until a firewall names the port nothing but DHCP passes it."""

    def remove_port(self, port_id: str) -> None: ...
    def ensure_firewall(self, spec: FirewallSpec) -> None: ...

    def ensure_router(self, spec: RouterSpec) -> None:
        """The networks of its legs must exist. Connections of addresses that went are cut."""

    def remove_router(self, router_id: str) -> None: ...

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        """Make the disk if there is none, and the machine run, from where it was paused or suspended.
        A running machine is left as it is."""

    def observe_server(self, server_id: str) -> ServerFacts: ...

    def ask_shutdown(self, server_id: str) -> None:
        """Press the power button; the guest may take its time, or ignore it."""

    def stop_server(self, server_id: str) -> None:
        """Take the machine's power away; the disk stays."""

    def reset_server(self, server_id: str) -> None:
        """Press the reset button of a running machine."""

    def remove_server(self, server_id: str) -> None:
        """End the machine and erase its disk, logs and drive."""

    def pause_server(self, server_id: str) -> None:
        """Halt a running machine where it is; `ensure_server` has it go on.

        Errors: EngineError, permanent when it does not run.
        """

    def suspend_server(self, server_id: str) -> None:
        """Put a running machine's memory on disk and end it; `ensure_server` has it go on.

        Errors: EngineError, permanent when it does not run.
        """

    def keep_disk(self, server_id: str) -> None:
        """Keep a copy of the disk of a machine that is off, unless there is one."""

    def restore_disk(self, server_id: str) -> None:
        """Put the copy that was kept in the place of the disk of a machine that is off."""

    def forget_disk(self, server_id: str) -> None:
        """Remove the copy that was kept."""

    def ensure_cards(self, spec: ServerSpec) -> frozenset[str]:
        """Make the cards of a running machine those of the document; a machine that is off has
        those of its next start. The ports whose cards the guest has not let go of yet."""

    def copy_disk(self, server_id: str, copy_id: str) -> Copy:
        """Begin to copy a server's disk as it is now, or go on, or tell that it is done."""

    def open_copy(self, server_id: str, copy_id: str) -> int:
        """A readable descriptor, owned by the caller, on a copy that is done: a qcow2 disk that
        refers to no other."""

    def remove_copy(self, server_id: str, copy_id: str) -> None:
        """Forget a copy, done or not."""

    def interrupt_server(self, server_id: str) -> None:
        """Send a running machine a non-maskable interrupt, for its guest to dump what it knows."""

    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Have the agent in a running machine's guest give one of the guest's users a password.

        Errors: NotYet while no agent answers; EngineError, permanent when no machine runs, it has no
        port for an agent, or the agent refuses. No text of one has the password.
        """

    def figures(self, server_id: str) -> Figures | None:
        """What a machine used since its start; None when it does not run, nor is paused.

        Errors: EngineError, also when it is being changed just now.
        """

    def quarantine_disk(self, server_id: str) -> None:
        """End what runs of a server that nobody owns, and put its disk aside for seven days."""

    def purge_quarantine(self) -> frozenset[str]:
        """Erase the disks that were put aside seven days ago; their servers' ids."""

    def remove_strays(self) -> None:
        """Remove what bears the cloud's mark and belongs to no id, as `observe` reports it."""

    def remove_image(self, image_id: str) -> None:
        """Forget the engine's cached base of an image that no server's disk stands on."""

    def console_output(self, server_id: str) -> int | None:
        """A readable descriptor on the server's console log, owned by the caller; None: no log."""

    def open_console(self, server_id: str, kind: str) -> int | None:
        """A connected stream socket, owned by the caller, on what a machine shows: of kind "vnc" its
        screen, as RFB without a password; of kind "serial" its serial port, which one has at a
        time. None: no machine runs, or it has none."""

    def metadata_socket(self, network_id: str) -> int | None:
        """A descriptor listening on 169.254.169.254:80 inside the network; None: nothing to serve."""

    def metadata_changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        """A rising number, and the networks whose metadata socket came, went or is to be had anew
        after that number was `since`; None: any of them, as at the first call, with 0."""

    def wait_events(self, seconds: float) -> frozenset[str]:
        """Ids of servers whose machine changed by itself since the last call; empty on time-out."""

    def observe(self) -> Observation: ...
