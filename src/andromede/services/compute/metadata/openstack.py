"""The OpenStack format of a guest's metadata, in each of its dated versions. Pure.

Source: nova's metadata service: which document and which member came with which version.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from andromede.services.compute.metadata.guest import Guest

GRIZZLY = "2013-04-04"
HAVANA = "2013-10-17"
LIBERTY = "2015-10-15"
NEWTON_ONE = "2016-06-30"
NEWTON_TWO = "2016-10-06"
ROCKY = "2018-08-27"
VICTORIA = "2020-10-14"
VERSIONS = (
    "2012-08-10", GRIZZLY, HAVANA, LIBERTY, NEWTON_ONE, NEWTON_TWO, "2017-02-22", ROCKY, VICTORIA,
    "2025-04-04",
)  # fmt: skip
LATEST = "latest"
SEED_BYTES = 512

META = "meta_data.json"
USER_DATA = "user_data"
PASSWORD = "password"  # noqa: S105 (a path)
VENDOR = "vendor_data.json"
VENDOR_2 = "vendor_data2.json"
NETWORK = "network_data.json"
SINCE = {
    META: VERSIONS[0],
    USER_DATA: VERSIONS[0],
    PASSWORD: GRIZZLY,
    VENDOR: HAVANA,
    NETWORK: LIBERTY,
    VENDOR_2: NEWTON_TWO,
}
JSON = frozenset({META, VENDOR, VENDOR_2})  # what upstream declares as JSON


def dated(version: str) -> str:
    """The date of a version, `latest` being the newest.

    Errors: KeyError when there is no such version.
    """
    if version == LATEST:
        return VERSIONS[-1]
    if version not in VERSIONS:
        raise KeyError(version)
    return version


def listing(guest: Guest, version: str) -> list[str]:
    """The documents there are in a version."""
    date = dated(version)
    return [
        name
        for name, since in SINCE.items()
        if since <= date and (name != USER_DATA or guest.user_data is not None)
    ]


def document(guest: Guest, version: str, name: str, seed: bytes) -> bytes:
    """One document but the password. `seed`: fresh random bytes for the guest's entropy pool.

    Errors: KeyError when there is no such document in that version.
    """
    if name not in listing(guest, version) or name == PASSWORD:
        raise KeyError(name)
    if name == USER_DATA:
        return guest.user_data or b""
    made: Any
    if name == META:
        made = meta_data(guest, dated(version), seed)
    elif name == NETWORK:
        made = guest.network
    else:
        made = {"static": {}} if name == VENDOR_2 else {}
    return msgspec.json.encode(made)


def meta_data(guest: Guest, date: str, seed: bytes) -> dict[str, Any]:
    """`meta_data.json` of a dated version."""
    meta: dict[str, Any] = {"uuid": guest.id}
    if guest.meta:
        meta["meta"] = guest.meta
    if guest.key is not None:
        key = guest.key
        meta["public_keys"] = {key.name: key.data}
        meta["keys"] = [{"name": key.name, "type": key.kind, "data": key.data}]
    meta["hostname"] = guest.hostname
    meta["name"] = guest.name
    meta["launch_index"] = guest.launch_index
    meta["availability_zone"] = guest.zone
    if date >= GRIZZLY:
        meta["random_seed"] = base64.b64encode(seed).decode()
    if date >= LIBERTY:
        meta["project_id"] = guest.project_id
    if date >= NEWTON_ONE:
        meta["devices"] = _devices(guest, date)
    if date >= VICTORIA:
        meta["dedicated_cpus"] = []
    if guest.password is not None:
        meta["admin_pass"] = guest.password
    return meta


def _devices(guest: Guest, date: str) -> list[dict[str, Any]]:
    """The cards that bear a tag; where on the guest's bus they are is not promised."""
    trusted = {"vf_trusted": False} if date >= ROCKY else {}
    return [
        {
            "type": "nic",
            "mac": mac,
            "bus": "none",
            "address": "none",
            "tags": [tag],
            **trusted,
        }
        for mac, tag in guest.tags
    ]
