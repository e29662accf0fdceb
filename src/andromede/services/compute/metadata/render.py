"""From a path of the metadata service to the document there, and to the files of a config drive.
Pure: whoever calls brings the facts and the randomness.
"""

from __future__ import annotations

import posixpath

import msgspec
from msgspec import Struct

from andromede.services.compute.metadata import ec2, openstack
from andromede.services.compute.metadata.guest import Guest

TEXT = "text/plain; charset=UTF-8"
DRIVE_EC2_VERSIONS = (ec2.VERSIONS[-1], ec2.LATEST)  # upstream leaves the older ones out


class Document(Struct, frozen=True, kw_only=True):
    """What a guest reads."""

    body: bytes
    media_type: str = TEXT


def segments(path: str) -> list[str]:
    """A path's names; all that is not below `openstack` or `ec2` is EC2's."""
    names = [name for name in posixpath.normpath("/" + path).split("/") if name]
    return names if names and names[0] in ("openstack", "ec2") else ["ec2", *names]


def is_password(path: str) -> bool:
    """Whether a path is that of the password, which a guest may set once.

    Errors: KeyError when it is one of an unknown version or of one that had none.
    """
    names = segments(path)
    if names[0] != "openstack" or names[2:] != [openstack.PASSWORD]:
        return False
    if openstack.dated(names[1]) < openstack.SINCE[openstack.PASSWORD]:
        raise KeyError(path)
    return True


def render(guest: Guest, path: str, seed: bytes) -> Document:
    """The document at a path.

    Errors: KeyError when there is none.
    """
    names = segments(path)
    return _openstack(guest, names[1:], seed) if names[0] == "openstack" else _ec2(guest, names[1:])


def _openstack(guest: Guest, names: list[str], seed: bytes) -> Document:
    if not names:
        return _lines([*openstack.VERSIONS, openstack.LATEST])
    if len(names) == 1:
        return _lines(openstack.listing(guest, names[0]))
    version, name = names[0], "/".join(names[1:])
    body = openstack.document(guest, version, name, seed)
    return Document(body=body, media_type="application/json" if name in openstack.JSON else TEXT)


def _ec2(guest: Guest, names: list[str]) -> Document:
    if not names:
        return _lines([*ec2.VERSIONS, ec2.LATEST])
    return Document(body=ec2.text(ec2.find(ec2.tree(guest, names[0]), names[1:])))


def _lines(names: list[str]) -> Document:
    return Document(body="\n".join(names).encode())


def config_drive_files(guest: Guest, seed: bytes) -> dict[str, bytes]:
    """The files of a config drive (volume label `config-2`), by their path on it."""
    files: dict[str, bytes] = {}
    for version in DRIVE_EC2_VERSIONS:
        whole = ec2.tree(guest, version)
        if "user-data" in whole:
            files[f"ec2/{version}/user-data"] = whole["user-data"]
        meta = whole["meta-data"]
        meta.get("public-keys", {}).get("0", {}).pop(ec2.NAME, None)
        files[f"ec2/{version}/meta-data.json"] = msgspec.json.encode(meta)
    for version in (*openstack.VERSIONS, openstack.LATEST):
        for name in openstack.listing(guest, version):
            if name != openstack.PASSWORD:
                path = f"openstack/{version}/{name}"
                files[path] = openstack.document(guest, version, name, seed)
    return files
