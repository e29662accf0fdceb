"""Links, addresses, routes and kernel settings of one namespace, through netlink.

Every function acts in the calling thread's namespace, or on the open connection it is given.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from andromede.engine.embedded.net import namespaces
from andromede.engine.protocol import EngineError

TUN = "/dev/net/tun"
SETTINGS = Path("/proc/sys/net")
_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_TAP_FLAGS = 0x0002 | 0x1000 | 0x4000  # IFF_TAP, IFF_NO_PI, IFF_VNET_HDR
_STATIC = 0x40  # NUD_NOARP: an entry that learning does not move
_MASTER = 0x04  # NTF_MASTER
_SCOPE_LINK = 253
OUR_ROUTES = 0x61  # the protocol number that marks routes of ours (RTM_NEWROUTE, rtm_protocol)


@contextlib.contextmanager
def netlink(namespace: str | None) -> Iterator[Any]:
    """An open connection to the namespace's links; the thread is inside for the body.

    Errors: EngineError with what the kernel refused.
    """
    with namespaces.inside(namespace):
        try:
            with IPRoute() as connection:
                yield connection
        except NetlinkError as error:
            where = namespace or "the host's namespace"
            raise EngineError(f"changing links in {where}: {error.args[1]}") from error


def index(name: str) -> int | None:
    """The link's index in the thread's namespace; None: no such link."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def delete(ip: Any, link: int) -> None:
    """Delete the link unless it went by itself, as a veth does with its peer."""
    try:
        ip.link("del", index=link)
    except NetlinkError as error:
        if error.code != errno.ENODEV:
            raise


def empty(namespace: str, mark: str) -> None:
    """Delete the namespace's links whose names begin with the mark.

    Errors: EngineError.
    """
    with netlink(namespace) as ip:
        for name, link in held().items():
            if name.startswith(mark):
                delete(ip, link)


def setting(path: str, value: str) -> None:
    """Write a kernel setting below /proc/sys/net, when it differs.

    Errors: EngineError when the kernel lacks it, except of IPv6 on a host without IPv6.
    """
    if path.startswith("ipv6/") and not (SETTINGS / "ipv6").is_dir():
        return  # a host without IPv6 has nothing to forbid
    file = SETTINGS / path
    try:
        if file.read_text().strip() != value:
            file.write_text(value)
    except OSError as error:
        raise EngineError(f"setting {file} to {value}: {error.strerror}") from error


def make_tap(name: str) -> None:
    """Make the persistent tap. It has no owner: only who holds NET_ADMIN can attach to it."""
    handle = attach_tap(name)
    try:
        fcntl.ioctl(handle, _TUNSETPERSIST, 1)
    finally:
        os.close(handle)


def attach_tap(name: str) -> int:
    """A descriptor on the tap. The caller closes it.

    Errors: EngineError when another process holds the tap.
    """
    try:
        handle = os.open(TUN, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise EngineError(f"opening {TUN}: {error.strerror}") from error
    try:
        fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_FLAGS))
    except OSError as error:
        os.close(handle)
        raise EngineError(f"attaching to tap {name}: {error.strerror}") from error
    return handle


def guard_bridge_port(ip: Any, link: int, mac: str, *, exclusive: bool) -> None:
    """Pin the MAC to the bridge port; `exclusive`: the port learns and hears no other MAC."""
    ip.fdb("replace", ifindex=link, lladdr=mac, state=_STATIC, flags=_MASTER)
    open_ = 0 if exclusive else 1
    ip.brport("set", index=link, learning=open_, unicast_flood=open_)


def set_addresses(ip: Any, link: int, wanted: list[str]) -> None:
    """Make the link's addresses (with prefix) those wanted.

    Link-local IPv6 addresses that the kernel made are left alone.
    """
    held = {}
    for message in ip.get_addr(index=link):
        local = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        held[f"{local}/{message['prefixlen']}"] = local
    for each in held.keys() - set(wanted):
        if not each.startswith("fe80:"):
            address, _, prefix = each.partition("/")
            with contextlib.suppress(NetlinkError):  # the kernel drops secondaries by itself
                ip.addr("del", index=link, address=address, prefixlen=int(prefix))
    held_now = {
        f"{m.get_attr('IFA_LOCAL') or m.get_attr('IFA_ADDRESS')}/{m['prefixlen']}"
        for m in ip.get_addr(index=link)
    }
    for each in dict.fromkeys(wanted):
        if each not in held_now:
            address, _, prefix = each.partition("/")
            extra = {"flags": 0x02} if ":" in address else {}  # IFA_F_NODAD
            ip.addr("add", index=link, address=address, prefixlen=int(prefix), **extra)


def set_routes(ip: Any, wanted: dict[str, dict[str, Any]]) -> None:
    """Make our routes those wanted: destination CIDR to `gateway` and/or `oif`."""
    for destination, how in wanted.items():
        scope = {} if "gateway" in how or ":" in destination else {"scope": _SCOPE_LINK}
        ip.route("replace", dst=destination, proto=OUR_ROUTES, **how, **scope)
    for family in (socket.AF_INET, socket.AF_INET6):
        for route in list(ip.get_routes(family=family, proto=OUR_ROUTES)):
            default = "0.0.0.0/0" if family == socket.AF_INET else "::/0"
            target = route.get_attr("RTA_DST")
            destination = f"{target}/{route['dst_len']}" if target else default
            if route["proto"] == OUR_ROUTES and destination not in wanted:
                ip.route("del", dst=destination, proto=OUR_ROUTES, family=family)


def held() -> dict[str, int]:
    """Every link of the thread's namespace: name to index."""
    return {name: number for number, name in socket.if_nameindex()}
