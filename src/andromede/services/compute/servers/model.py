"""A server as its row holds it. Pure values; what is JSON in the row is plain values here."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True):
    """Why a server is in ERROR: `code` as HTTP has it, `created` in microseconds."""

    code: int
    message: str
    created: int
    details: str = ""


class Flavor(Struct, frozen=True, kw_only=True):
    """The flavor as it was when the server was made. `ram` in MiB, disks in GiB, `swap` in MiB."""

    id: str
    original_name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    extra_specs: dict[str, str] = {}


class Image(Struct, frozen=True, kw_only=True):
    """What a machine needs to know of the image its disk is made from; `format` is inspected."""

    id: str
    format: str
    properties: dict[str, str] = {}


class Nic(Struct, frozen=True, kw_only=True):
    """One of a server's ports, in the guest's order. `owned`: made for the server, goes with it.

    `moving`: "joining" while the card is plugged into the machine, "leaving" while it is pulled.
    """

    port: str
    owned: bool
    tag: str | None = None
    moving: str | None = None


class Sizes(Struct, frozen=True, kw_only=True):
    """A flavor with the GiB of disk that a server of it has."""

    flavor: Flavor
    disk: int


class Rescue(Struct, frozen=True, kw_only=True):
    """What a server is rescued with: an image, the GiB of its disk, and where the disk goes."""

    image: Image
    disk: int
    last: bool = False
    device: str = "disk"
    bus: str = "virtio"


class Course(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a transition, or the state it led to, must remember until the server is itself again.

    `was`: the vm state to return to. `old`: what it was before a resize, `new`: what it becomes.
    `copy`: the image that its disk is copied to; of a backup, `kind` and how many are to be left.
    `password`: what its config drive says once. `sealed`: the password that its guest's agent is to
    set, as the keys role wrapped it, in base64.
    """

    was: str | None = None
    old: Sizes | None = None
    new: Sizes | None = None
    rescue: Rescue | None = None
    copy: str | None = None
    kind: str | None = None
    keep: int = 0
    password: str | None = None
    sealed: str | None = None


class Server(Struct):
    """One row. Moments are microseconds since the epoch. `vcpus`, `memory` (MiB) and `disk` (GiB) are
    what it claims; between a resize and its confirmation that is the larger of both. `generation`
    counts the disks it had."""

    id: str
    number: int
    project_id: str
    user_id: str
    name: str
    description: str | None
    hostname: str
    created_at: int
    updated_at: int
    launched_at: int | None
    terminated_at: int | None
    deleted: bool
    vm_state: str
    task_state: str | None
    power_state: int
    progress: int
    image_id: str
    flavor_id: str
    vcpus: int
    memory: int
    disk: int
    flavor: Flavor
    image: Image
    nics: list[Nic]
    metadata: dict[str, str]
    tags: list[str]
    fault: Fault | None
    hints: dict[str, Any]
    key_name: str | None
    public_key: str | None
    key_type: str | None
    config_drive: bool
    zone: str
    pinned_zone: str | None
    region: str
    site: str
    host: str | None
    wanted_host: str | None
    locked_by: str | None
    locked_reason: str | None
    reservation_id: str
    launch_index: int
    access_ip_v4: str | None
    access_ip_v6: str | None
    disk_config: str
    generation: int = 0
    course: Course | None = None
    user_data: str | None = None

    @property
    def root_disk(self) -> int:
        """GiB of its disk: the flavor's, or what its image made it."""
        return self.flavor.disk or self.disk

    @property
    def instance_name(self) -> str:
        """The name operators know the machine by."""
        return f"instance-{self.number:08x}"
