"""What flavor requests say. Sizes: `ram` and `swap` in MiB, `disk` and `ephemeral` in GiB."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from andromede.http.errors import BadRequest
from andromede.services.compute import values

FlavorId = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=r"^(?! )[a-zA-Z0-9. _-]+(?<! )$")
]
LARGEST_FACTOR = 3.40282e38


class NewFlavor(Struct, forbid_unknown_fields=True, kw_only=True):
    """A flavor to make. Without an id it gets a UUID."""

    name: str
    ram: int | str
    vcpus: int | str
    disk: int | str
    id: FlavorId | int | float | None = None
    ephemeral: int | str = field(name="OS-FLV-EXT-DATA:ephemeral", default=0)
    swap: int | str = 0
    rxtx_factor: float | str = 1.0
    is_public: bool | str = field(name="os-flavor-access:is_public", default=True)
    description: str | None = None


class NewFlavorBody(Struct, forbid_unknown_fields=True):
    flavor: NewFlavor


class ChangedFlavor(Struct, forbid_unknown_fields=True):
    description: str | None


class ChangedFlavorBody(Struct, forbid_unknown_fields=True):
    flavor: ChangedFlavor


class Specs(Struct, forbid_unknown_fields=True):
    extra_specs: dict[str, Any]


class Tenant(Struct, forbid_unknown_fields=True):
    tenant: Annotated[str, Meta(min_length=1, max_length=255)]


class AddAccess(Struct, forbid_unknown_fields=True):
    add: Tenant = field(name="addTenantAccess")


class RemoveAccess(Struct, forbid_unknown_fields=True):
    remove: Tenant = field(name="removeTenantAccess")


class FlavorQuery(Struct, frozen=True, kw_only=True):
    """What a list of flavors is narrowed to. `public` None: both kinds."""

    public: bool | None = True
    min_ram: int | None = None
    min_disk: int | None = None
    sort_key: str = "flavorid"
    descending: bool = False


def factor(value: float | str) -> float:
    """A bandwidth factor above 0.

    Errors: BadRequest.
    """
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST_FACTOR:
        raise BadRequest(
            f"Invalid input for field/attribute rxtx_factor. Value: {value}. A number above 0 "
            f"and at most {LARGEST_FACTOR} is accepted."
        )
    return number


def columns(new: NewFlavor) -> dict[str, Any]:
    """The row of a new flavor, without its id.

    Errors: BadRequest naming the faulty member.
    """
    return {
        "name": values.printable(new.name, "name"),
        "ram": values.whole(new.ram, "ram", 1),
        "vcpus": values.whole(new.vcpus, "vcpus", 1),
        "disk": values.whole(new.disk, "disk", 0),
        "ephemeral": values.whole(new.ephemeral, "ephemeral", 0),
        "swap": values.whole(new.swap, "swap", 0),
        "rxtx_factor": factor(new.rxtx_factor),
        "is_public": values.boolean(new.is_public, "os-flavor-access:is_public"),
        "description": values.description(new.description),
    }
