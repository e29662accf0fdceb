"""The request bodies of servers on the latest version.

Source: the compute API's reference, "Create Server" and "Update Server".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Text255 = Annotated[str, Meta(min_length=1, max_length=255)]
Host = Annotated[str, Meta(min_length=1, max_length=255, pattern="^[a-zA-Z0-9-._]+$")]
Tag = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[^,/]*$")]
Tags = Annotated[list[Tag], Meta(max_length=50)]
Flag = bool | str
Count = int | str
UserData = Annotated[str, Meta(max_length=65535)]


class Network(Struct, forbid_unknown_fields=True):
    """Where a network card goes: a network's id or a port's."""

    uuid: Annotated[str, Meta(min_length=1)] | None = None
    port: Annotated[str, Meta(min_length=1)] | None = None
    fixed_ip: str | UnsetType = UNSET
    tag: Tag | UnsetType = UNSET


class Group(Struct, forbid_unknown_fields=True):
    name: Text255


class Device(Struct, forbid_unknown_fields=True):
    """An entry of `block_device_mapping_v2`."""

    uuid: str | None = None
    image_id: str | None = None
    source_type: Literal["volume", "image", "snapshot", "blank"] | None = None
    destination_type: Literal["local", "volume"] | None = None
    boot_index: int | str | None = None
    delete_on_termination: Flag | None = None
    volume_id: str | None = None
    snapshot_id: str | None = None
    volume_size: int | str | None = None
    volume_type: str | None = None
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    guest_format: str | None = None
    virtual_name: str | None = None
    no_device: Any = None
    tag: Tag | None = None


class NewServer(Struct, forbid_unknown_fields=True, rename={"disk_config": "OS-DCF:diskConfig"}):
    name: str
    flavorRef: str | int  # noqa: N815 (the API's word)
    networks: list[Network] | Literal["auto", "none"]
    imageRef: str = ""  # noqa: N815
    adminPass: str | None = None  # noqa: N815
    metadata: dict[str, Any] = {}
    key_name: Text255 | None = None
    user_data: UserData | None = None
    config_drive: Flag | None = None
    security_groups: list[Group] | None = None
    availability_zone: Text255 | None = None
    block_device_mapping: list[Any] = []
    block_device_mapping_v2: list[Device] = []
    min_count: Count = 1
    max_count: Count | None = None
    return_reservation_id: Flag = False
    disk_config: Literal["AUTO", "MANUAL"] | UnsetType = UNSET
    accessIPv4: str | None = None  # noqa: N815
    accessIPv6: str | None = None  # noqa: N815
    description: str | None = None
    hostname: str | None = None
    tags: Tags = []
    trusted_image_certificates: list[str] | None = None
    host: Host | None = None
    hypervisor_hostname: Host | None = None


class CreateServer(Struct, forbid_unknown_fields=True, rename={
    "hints": "os:scheduler_hints", "old_hints": "OS-SCH-HNT:scheduler_hints"}):  # fmt: skip
    server: NewServer
    hints: dict[str, Any] | None = None
    old_hints: dict[str, Any] | None = None


class Changes(Struct, forbid_unknown_fields=True, rename={"disk_config": "OS-DCF:diskConfig"}):
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    hostname: str | UnsetType = UNSET
    accessIPv4: str | UnsetType = UNSET  # noqa: N815
    accessIPv6: str | UnsetType = UNSET  # noqa: N815
    disk_config: Literal["AUTO", "MANUAL"] | UnsetType = UNSET


class UpdateServer(Struct, forbid_unknown_fields=True):
    server: Changes


Password = str


class Rebuild(Struct, forbid_unknown_fields=True, rename={"disk_config": "OS-DCF:diskConfig"}):
    imageRef: Annotated[str, Meta(min_length=1)]  # noqa: N815
    name: str | UnsetType = UNSET
    adminPass: Password | None = None  # noqa: N815
    metadata: dict[str, Any] | UnsetType = UNSET
    preserve_ephemeral: Flag | None = None
    disk_config: Literal["AUTO", "MANUAL"] | UnsetType = UNSET
    accessIPv4: str | UnsetType = UNSET  # noqa: N815
    accessIPv6: str | UnsetType = UNSET  # noqa: N815
    description: str | UnsetType | None = UNSET
    key_name: Text255 | UnsetType | None = UNSET
    user_data: UserData | UnsetType | None = UNSET
    trusted_image_certificates: list[str] | None = None
    hostname: str | UnsetType = UNSET


class RebuildBody(Struct, forbid_unknown_fields=True):
    rebuild: Rebuild


class Resize(Struct, forbid_unknown_fields=True, rename={"disk_config": "OS-DCF:diskConfig"}):
    flavorRef: str | int  # noqa: N815
    disk_config: Literal["AUTO", "MANUAL"] | UnsetType = UNSET


class ResizeBody(Struct, forbid_unknown_fields=True):
    resize: Resize


class NewImage(Struct, forbid_unknown_fields=True):
    name: str
    metadata: dict[str, Any] = {}


class ImageBody(Struct, forbid_unknown_fields=True):
    createImage: NewImage  # noqa: N815


class Backup(Struct, forbid_unknown_fields=True):
    name: str
    backup_type: str
    rotation: Count
    metadata: dict[str, Any] = {}


class BackupBody(Struct, forbid_unknown_fields=True):
    createBackup: Backup  # noqa: N815


class RescueWith(Struct, forbid_unknown_fields=True):
    adminPass: Password | None = None  # noqa: N815
    rescue_image_ref: str | None = None


class RescueBody(Struct, forbid_unknown_fields=True):
    rescue: RescueWith | None


class Unshelve(Struct, forbid_unknown_fields=True):
    availability_zone: str | UnsetType | None = UNSET
    host: str | UnsetType = UNSET


class UnshelveBody(Struct, forbid_unknown_fields=True):
    unshelve: Unshelve | None


class Migrate(Struct, forbid_unknown_fields=True):
    host: Text255 | None = None


class MigrateBody(Struct, forbid_unknown_fields=True):
    migrate: Migrate | None


class Live(Struct, forbid_unknown_fields=True):
    host: Text255 | None
    block_migration: Flag


class LiveBody(Struct, rename={"wanted": "os-migrateLive"}, forbid_unknown_fields=True):
    wanted: Live


class Evacuate(Struct, forbid_unknown_fields=True):
    host: Text255 | None = None
    adminPass: Password | None = None  # noqa: N815


class EvacuateBody(Struct, forbid_unknown_fields=True):
    evacuate: Evacuate


class CrashDumpBody(Struct, forbid_unknown_fields=True):
    trigger_crash_dump: None


class NewPassword(Struct, forbid_unknown_fields=True):
    adminPass: Password  # noqa: N815


class PasswordBody(Struct, rename={"wanted": "changePassword"}, forbid_unknown_fields=True):
    wanted: NewPassword


class OnNetwork(Struct, forbid_unknown_fields=True):
    networkId: str  # noqa: N815


class AddAddressBody(Struct, forbid_unknown_fields=True):
    addFixedIp: OnNetwork  # noqa: N815


class Address(Struct, forbid_unknown_fields=True):
    address: str


class RemoveAddressBody(Struct, forbid_unknown_fields=True):
    removeFixedIp: Address  # noqa: N815


class FixedIp(Struct, forbid_unknown_fields=True):
    ip_address: str


class Attachment(Struct, forbid_unknown_fields=True):
    net_id: str | None = None
    port_id: str | None = None
    fixed_ips: Annotated[list[FixedIp], Meta(min_length=1, max_length=1)] | None = None
    tag: Tag | None = None


class AttachBody(Struct, rename={"attachment": "interfaceAttachment"}, forbid_unknown_fields=True):
    attachment: Attachment | None = None


class Reboot(Struct, forbid_unknown_fields=True):
    type: Literal["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]


class RebootBody(Struct, forbid_unknown_fields=True):
    reboot: Reboot


class ConsoleOutput(Struct, forbid_unknown_fields=True):
    length: Annotated[int, Meta(ge=-1)] | str | None = None


class ConsoleBody(Struct, rename={"wanted": "os-getConsoleOutput"}, forbid_unknown_fields=True):
    wanted: ConsoleOutput


class LockReason(Struct, forbid_unknown_fields=True):
    locked_reason: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET


class LockBody(Struct, forbid_unknown_fields=True):
    lock: LockReason | None


class NewState(Struct, forbid_unknown_fields=True):
    state: Literal["active", "error"]


class ResetBody(Struct, rename={"wanted": "os-resetState"}, forbid_unknown_fields=True):
    wanted: NewState


class AddGroupBody(Struct, rename={"group": "addSecurityGroup"}, forbid_unknown_fields=True):
    group: Group


class RemoveGroupBody(Struct, rename={"group": "removeSecurityGroup"}, forbid_unknown_fields=True):
    group: Group
