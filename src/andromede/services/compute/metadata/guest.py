"""What a server may know about itself: the one document that every metadata format is made from.
Pure values."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Key(Struct, frozen=True, kw_only=True):
    """The public key a server was made with. `kind`: ssh or x509."""

    name: str
    kind: str
    data: str


class Guest(Struct, frozen=True, kw_only=True):
    """A server's facts. `hostname` has its domain; `user_data` is what the customer gave, decoded;
    `network` is the content of `network_data.json`; `tags` are (MAC, tag) of its tagged cards."""

    id: str
    number: int
    project_id: str
    name: str
    hostname: str
    image_id: str
    flavor: str
    zone: str
    reservation_id: str
    launch_index: int = 0
    key: Key | None = None
    meta: dict[str, str] = {}
    user_data: bytes | None = None
    groups: tuple[str, ...] = ()
    local_ipv4: str = ""
    public_ipv4: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    network: dict[str, Any] = {}
    root_device: str = "/dev/vda"
    password: str | None = None  # of its administrator; for the config drive alone
