"""What an image may be made of: its attributes, their types, and what of them customers may write.

Source: the Image service API v2, "Image schemas" and "Create image".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from andromede.http.errors import BadRequest, Forbidden, TooLarge

CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
DISK_FORMATS = (
    "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop",
)  # fmt: skip
VISIBILITIES = ("community", "public", "private", "shared")
STATUSES = (
    "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete",
    "deactivated",
)  # fmt: skip
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

WRITABLE = (
    "name", "visibility", "protected", "os_hidden", "container_format", "disk_format", "min_disk",
    "min_ram", "owner", "tags",
)  # fmt: skip
READ_ONLY = (
    "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self",
    "file", "schema", "os_hash_algo", "os_hash_value", "stores",
)  # fmt: skip
RESERVED = ("location", "locations", "deleted", "deleted_at")
RESERVED_NAMESPACES = ("os_glance", "andromede_")
LONGEST_NAME = 255
LONGEST_VALUE = 65_535
MOST_PROPERTIES = 128
MOST_TAGS = 128
MOST = 2**31 - 1


def is_property(name: str) -> bool:
    """Whether a name is free for a custom property: that of no attribute, and not reserved."""
    taken = name == "id" or name in (*WRITABLE, *READ_ONLY, *RESERVED)
    return not taken and not name.startswith(RESERVED_NAMESPACES)


def properties_of(shown: Mapping[str, Any]) -> dict[str, str]:
    """The custom properties in the body of an image."""
    return {name: value for name, value in shown.items() if is_property(name)}


def check_name(name: str) -> None:
    """Refuse what no customer may write.

    Errors: Forbidden naming the attribute; BadRequest when it is no property's name.
    """
    if name in READ_ONLY:
        raise Forbidden(f"Attribute '{name}' is read-only.")
    if name in RESERVED or name.startswith(RESERVED_NAMESPACES):
        raise Forbidden(f"Attribute '{name}' is reserved.")
    if not name or len(name) > LONGEST_NAME:
        raise BadRequest(
            f"The custom property {name[:40]!r}… is not valid: a name of 1 to {LONGEST_NAME} "
            f"characters is accepted."
        )


def check_value(name: str, value: Any) -> None:
    """Check one attribute or custom property.

    Errors: BadRequest naming the attribute and what it accepts.
    """
    CHECKS.get(name, _custom)(name, value)


def check_counts(tags: list[str], properties: Mapping[str, str]) -> None:
    """Bound what one image may carry.

    Errors: TooLarge.
    """
    if len(properties) > MOST_PROPERTIES:
        raise TooLarge(
            f"The limit has been exceeded on the number of allowed image properties. Attempted: "
            f"{len(properties)}, Maximum: {MOST_PROPERTIES}"
        )
    if len(set(tags)) > MOST_TAGS:
        raise TooLarge(
            f"The limit has been exceeded on the number of allowed image tags. Attempted: "
            f"{len(set(tags))}, Maximum: {MOST_TAGS}"
        )


def _refuse(name: str, value: Any, accepted: str) -> BadRequest:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:80]}…"
    return BadRequest(
        f"Provided object does not match schema 'image': {shown} is not valid for {name}: "
        f"{accepted} is accepted."
    )


def _text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest


def _custom(name: str, value: Any) -> None:
    if not _text(value, LONGEST_VALUE):
        raise _refuse(name, value, f"a string of at most {LONGEST_VALUE} characters")


def _name(name: str, value: Any) -> None:
    if value is not None and not _text(value, LONGEST_NAME):
        raise _refuse(name, value, f"null or a string of at most {LONGEST_NAME} characters")


def _owner(name: str, value: Any) -> None:
    if not _text(value, 64) or not value:
        raise _refuse(name, value, "the id of a project")


def _boolean(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _refuse(name, value, "true or false")


def _amount(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise _refuse(name, value, f"a whole number from 0 to {MOST}")


def _one_of(*accepted: str | None) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if not (value is None or isinstance(value, str)) or value not in accepted:
            raise _refuse(name, value, f"one of {', '.join(str(each) for each in accepted)}")

    return check


def check_tag(tag: Any) -> None:
    """Errors: BadRequest when it is no tag."""
    if not _text(tag, LONGEST_NAME) or not tag:
        raise _refuse("tags", tag, f"a string of 1 to {LONGEST_NAME} characters")


def _tags(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise _refuse(name, value, "a list of strings")
    for tag in value:
        check_tag(tag)


CHECKS: dict[str, Callable[[str, Any], None]] = {
    "name": _name,
    "owner": _owner,
    "visibility": _one_of(*VISIBILITIES),
    "protected": _boolean,
    "os_hidden": _boolean,
    "container_format": _one_of(None, *CONTAINER_FORMATS),
    "disk_format": _one_of(None, *DISK_FORMATS),
    "min_disk": _amount,
    "min_ram": _amount,
    "tags": _tags,
}
