"""The image a server boots from, checked against its flavor."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.services.compute.servers.model import Flavor, Image
from andromede.services.compute.values import TRUE
from andromede.services.image import api

GIB = 1 << 30


def bootable(
    context: Context,
    reference: str,
    flavor: Flavor,
    *,
    missing: str = "Can not find requested image",
) -> tuple[Image, int]:
    """The image and the GiB of the server's disk: the flavor's, or the image's own for 0.

    Errors: BadRequest when the image is not there, does not boot, or is too big for the flavor.
    """
    if not reference:
        raise BadRequest("Invalid imageRef provided: servers boot from an image.")
    try:
        found = api.image_for_boot(context.conn, context.caller, reference)
    except NotFound as error:
        raise BadRequest(missing) from error
    if found.private_to is not None:  # a disk made from it shows it to whoever holds the server
        context.require_consent("disk", found.private_to, found.id)
    if found.min_ram > flavor.ram:
        raise BadRequest("Flavor's memory is too small for requested image.")
    if flavor.disk:
        _require_disk(flavor, found.virtual_size, "image is")
        _require_disk(flavor, found.min_disk * GIB, "minimum is")
    disk = flavor.disk or max(1, found.min_disk, -(-found.virtual_size // GIB))
    return Image(id=found.id, format=found.disk_format, properties=_machine(found.properties)), disk


RESCUE_DEVICES = {
    "disk": ("virtio", "scsi", "sata", "usb"),
    "cdrom": ("sata", "scsi", "ide"),
}


def rescuing(context: Context, reference: str, flavor: Flavor) -> tuple[Image, int, dict[str, Any]]:
    """As `bootable`, with where the image says that its disk goes.

    Errors: BadRequest.
    """
    said = f"Requested rescue image '{reference}' is not supported"
    image, disk = bootable(context, reference, flavor, missing=said)
    found = api.image_for_boot(context.conn, context.caller, image.id).properties
    if "hw_rescue_device" not in found and "hw_rescue_bus" not in found:
        return image, disk, {}
    device = found.get("hw_rescue_device", "disk")
    default = "virtio" if device == "disk" else "sata"
    bus = found.get("hw_rescue_bus", default)
    if bus not in RESCUE_DEVICES.get(device, ()):
        offered = "; ".join(f"{name} on {', '.join(on)}" for name, on in RESCUE_DEVICES.items())
        raise BadRequest(f"{said}: it asks for a {device} on {bus}; {offered} are offered.")
    bus = "sata" if bus == "ide" else bus  # the board has no older one
    return image, disk, {"last": True, "device": device, "bus": bus}


def _require_disk(flavor: Flavor, size: int, what: str) -> None:
    if size > flavor.disk * GIB:
        raise BadRequest(
            f"Flavor's disk is too small for requested image. Flavor disk is "
            f"{flavor.disk * GIB} bytes, {what} {size} bytes."
        )


CHOICES = {  # the properties of an image that shape its machine, and what the engine offers
    "hw_firmware_type": ("bios",),
    "hw_disk_bus": ("virtio", "scsi", "sata"),
    "hw_vif_model": ("virtio", "e1000", "e1000e", "rtl8139"),
}


AGENT = ("hw_qemu_guest_agent", "os_admin_user")  # whether its guest has one, and for whom it acts


def has_agent(image: Image) -> bool:
    """Whether an image says that an agent runs in its guests; any other word is a no, as upstream."""
    return image.properties.get("hw_qemu_guest_agent", "").strip().lower() in TRUE


def administrator(image: Image) -> str:
    """The user of an image's guests whose password is theirs to have set."""
    return image.properties.get("os_admin_user") or "root"


def _machine(properties: dict[str, str]) -> dict[str, str]:
    chosen = {name: properties[name] for name in (*CHOICES, *AGENT) if properties.get(name)}
    for name, value in chosen.items():
        if value not in CHOICES.get(name, (value,)):
            raise BadRequest(
                f"The image asks for {name} {value}; {', '.join(CHOICES[name])} are offered."
            )
    return chosen
