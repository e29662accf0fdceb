"""What a server may know about itself: the one document that every metadata format is made from.
Pure values."""

from __future__ import annotations

from msgspec import Struct


class Key(Struct, frozen=True, kw_only=True):
    """The public key a server was made with. `kind`: ssh or x509."""

    name: str
    kind: str
    data: str


class Address(Struct, frozen=True, kw_only=True):
    """A fixed address of an interface with what its subnet gives.

    `mode` is how the guest gets it: "dhcp", "static", or for IPv6 the subnet's address mode.
    `routes` are (destination CIDR, next hop).
    """

    ip: str
    cidr: str
    mode: str
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    routes: tuple[tuple[str, str], ...] = ()


class Interface(Struct, frozen=True, kw_only=True):
    """A network card of the server, in the guest's order."""

    port_id: str
    network_id: str
    mac: str
    mtu: int
    addresses: tuple[Address, ...] = ()
    floating: tuple[str, ...] = ()
    tag: str | None = None


class Guest(Struct, frozen=True, kw_only=True):
    """A server's facts. `hostname` has its domain; `user_data` is what the customer gave, decoded."""

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
    interfaces: tuple[Interface, ...] = ()
    root_device: str = "/dev/vda"
