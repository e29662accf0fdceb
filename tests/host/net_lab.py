"""A laboratory for the host's networks: a private host namespace, guests behind taps, a world.

A guest is a network namespace with a tap of its own; a thread carries frames between that tap and
the port's, as QEMU would. Frames can also be forged and watched one by one.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from andromede.engine.embedded.net import HostNetwork, links, namespaces

HEADER = bytes(10)  # struct virtio_net_hdr
PATIENCE = 3.0
REFUSAL = 0.4  # how long a packet that must not pass is waited for
BROADCAST = b"\xff" * 6


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + ends
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(source: str, destination: str, sport: int, dport: int, body: bytes) -> bytes:
    return ipv4(
        source, destination, 17, struct.pack(">HHHH", sport, dport, 8 + len(body), 0) + body
    )


def ipv6(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(
        socket.AF_INET6, destination
    )
    pseudo = ends + struct.pack(">II", len(payload), protocol)
    if protocol == 58:
        payload = payload[:2] + struct.pack(">H", checksum(pseudo + payload)) + payload[4:]
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 255) + ends + payload


def frame(destination: str | bytes, source: str, kind: int, payload: bytes) -> bytes:
    target = destination if isinstance(destination, bytes) else mac_bytes(destination)
    return target + mac_bytes(source) + struct.pack(">H", kind) + payload


def arp(operation: int, mac: str, address: str, target: str) -> bytes:
    ends = mac_bytes(mac) + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + ends


class Guest:
    """A machine behind a port."""

    def __init__(self, host: HostNetwork, port_id: str, mac: str, label: str) -> None:
        self.mac, self.address = mac, ""
        self.namespace = f"{host.names.mark.replace('am', 'gu', 1)}-{label}"
        namespaces.create(self.namespace)
        self.port = host.open_tap(port_id)
        with links.netlink(self.namespace) as ip:
            links.setting("ipv6/conf/default/accept_dad", "0")
            self.card = links.attach_tap("eth0")
            ip.link("set", index=links.index("lo"), state="up")
            ip.link("set", index=links.index("eth0"), address=mac, state="up")
        self.seen: list[bytes] = []
        self._arrived = threading.Condition()
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def configure(self, address: str, gateway: str | None) -> None:
        self.address = address.partition("/")[0]
        with links.netlink(self.namespace) as ip:
            link = links.index("eth0") or 0
            links.set_addresses(ip, link, [address])
            links.set_routes(ip, {"0.0.0.0/0": {"gateway": gateway}} if gateway else {})

    def send(self, data: bytes) -> None:
        """Put a frame of any content on the port's wire."""
        os.write(self.port, HEADER + data)

    def heard(self, wanted: Callable[[bytes], bool], seconds: float = PATIENCE) -> bytes | None:
        """The first frame that arrived, or arrives in time, of those wanted."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for data in self.seen:
                    if wanted(data):
                        return data
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    return next((data for data in self.seen if wanted(data)), None)

    def close(self) -> None:
        os.write(self._stopper, b"x")
        self._thread.join()
        for handle in (self.port, self.card, self._stop, self._stopper):
            os.close(handle)
        namespaces.remove(self.namespace)

    def _pump(self) -> None:
        other = {self.port: self.card, self.card: self.port}
        while True:
            ready = select.select([self.port, self.card, self._stop], [], [])[0]
            if self._stop in ready:
                return
            for handle in ready:
                try:
                    data = os.read(handle, 70_000)
                    if handle == self.port:
                        with self._arrived:
                            self.seen.append(data[len(HEADER) :])
                            self._arrived.notify_all()
                    os.write(other[handle], data)
                except OSError:
                    if handle == self.port and not self._alive():
                        return

    def _alive(self) -> bool:
        return bool(select.select([], [self.port], [], 0)[1])


@contextmanager
def serving(
    namespace: str | None,
    port: int,
    kind: socket.SocketKind = socket.SOCK_STREAM,
    family: socket.AddressFamily = socket.AF_INET,
) -> Iterator[list[str]]:
    """A server that echoes, in the namespace (None: the host's); yields the peers it saw."""
    peers: list[str] = []
    with namespaces.inside(namespace):
        listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("", port))
    listener.settimeout(0.1)
    done = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, kind, peers, done), daemon=True)
    if kind == socket.SOCK_STREAM:
        listener.listen(8)
    thread.start()
    try:
        yield peers
    finally:
        done.set()
        thread.join()
        listener.close()


def _serve(
    listener: socket.socket, kind: socket.SocketKind, peers: list[str], done: threading.Event
) -> None:
    open_: list[socket.socket] = []
    while not done.is_set():
        ready = select.select([listener, *open_], [], [], 0.1)[0]
        for each in ready:
            if each is listener and kind == socket.SOCK_STREAM:
                connection, peer = listener.accept()
                peers.append(peer[0])
                open_.append(connection)
            elif each is listener:
                data, peer = listener.recvfrom(2000)
                peers.append(peer[0])
                listener.sendto(data, peer)
            else:
                try:
                    data = each.recv(2000)
                    each.sendall(data)
                except OSError:
                    data = b""
                if not data:
                    open_.remove(each)
                    each.close()
    for each in open_:
        each.close()


def connect(namespace: str, address: str, port: int, seconds: float = PATIENCE) -> socket.socket:
    """A TCP connection from inside the namespace. Errors: OSError when nothing answers."""
    with namespaces.inside(namespace):
        return socket.create_connection((address, port), timeout=seconds)


def reaches(namespace: str, address: str, port: int, seconds: float = PATIENCE) -> bool:
    """Whether a TCP connection opens and echoes."""
    try:
        with connect(namespace, address, port, seconds) as link:
            return echoes(link, seconds)
    except OSError:
        return False


def echoes(link: socket.socket, seconds: float = PATIENCE) -> bool:
    """Whether the far end of an open connection still answers."""
    link.settimeout(seconds)
    try:
        link.sendall(b"ping")
        return link.recv(100) == b"ping"
    except OSError:
        return False


def answers_udp(namespace: str, address: str, port: int, seconds: float = PATIENCE) -> bool:
    with namespaces.inside(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(seconds)
        try:
            link.sendto(b"ping", (address, port))
            return link.recv(100) == b"ping"
        except OSError:
            return False


def pings(namespace: str, address: str, seconds: float = PATIENCE) -> bool:
    """Whether an ICMP echo is answered."""
    body = struct.pack(">BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, 1) + b"andromede"
    request = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    with (
        namespaces.inside(namespace),
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link,
    ):
        link.settimeout(seconds)
        try:
            link.sendto(request, (address, 0))
            while True:
                data, peer = link.recvfrom(2000)
                if peer[0] == address and data[20] == 0:
                    return True
        except OSError:
            return False
