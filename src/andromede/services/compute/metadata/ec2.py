"""The EC2 format of a guest's metadata, in each of its dated versions. Pure.

Source: the EC2 metadata service as nova serves it: a tree, listed with a slash behind branches.
"""

from __future__ import annotations

from typing import Any

from andromede.services.compute.metadata.guest import Guest

VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01",
    "2008-09-01", "2009-04-04",
)  # fmt: skip
LATEST = "latest"
NAME = "_name"  # how a branch is listed, where that is not its key

Tree = dict[str, Any]


def tree(guest: Guest, version: str) -> Tree:
    """Everything of a version: `meta-data` and, where there is some, `user-data`.

    Errors: KeyError when there is no such version.
    """
    date = VERSIONS[-1] if version == LATEST else version
    if date not in VERSIONS:
        raise KeyError(version)
    whole: Tree = {"meta-data": meta_data(guest, date)}
    if guest.user_data is not None:
        whole["user-data"] = guest.user_data
    return whole


def meta_data(guest: Guest, date: str) -> Tree:
    """The branch `meta-data` of a dated version."""
    meta: Tree = {
        "ami-id": f"ami-{guest.image_id[:8]}",
        "ami-launch-index": guest.launch_index,
        "ami-manifest-path": "(none)",
        "hostname": guest.hostname,
        "instance-id": f"i-{guest.number:08x}",
        "local-ipv4": guest.local_ipv4,
        "reservation-id": guest.reservation_id,
        "security-groups": list(guest.groups),
    }
    if guest.key is not None:
        meta["public-keys"] = {
            "0": {NAME: f"0={guest.key.name}", "openssh-key": guest.key.data},
        }
    if date >= "2007-01-19":
        meta["local-hostname"] = meta["public-hostname"] = guest.hostname
        meta["public-ipv4"] = guest.public_ipv4
    if date >= "2007-08-29":
        meta["instance-type"] = guest.flavor
    if date >= "2007-12-15":
        device = guest.root_device
        meta["block-device-mapping"] = {"ami": device.removeprefix("/dev/"), "root": device}
    if date >= "2008-02-01":
        meta["placement"] = {"availability-zone": guest.zone}
    if date >= "2008-09-01":
        meta["instance-action"] = "none"
    return meta


def find(branch: Any, path: list[str]) -> Any:
    """What lies at a path of the tree.

    Errors: KeyError when nothing does.
    """
    for name in path:
        if not isinstance(branch, dict) or name == NAME:
            raise KeyError(name)
        branch = branch[name]
    return branch


def text(found: Any) -> bytes:
    """A branch as its listing, a leaf as itself."""
    if isinstance(found, dict):
        return "\n".join(
            _listed(name, found[name]) for name in sorted(found) if name != NAME
        ).encode()
    if isinstance(found, list):
        return "\n".join(found).encode()
    return found if isinstance(found, bytes) else str(found).encode()


def _listed(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return name
    return str(value.get(NAME, f"{name}/"))
