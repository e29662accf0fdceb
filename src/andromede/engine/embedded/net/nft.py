"""Applies nftables tables inside a namespace, all at once or not at all.

Remembers what it applied together with the kernel's generation number, so that a table which is
already as wanted costs one netlink message and no process.
"""

from __future__ import annotations

import json
import socket
import struct

from andromede.engine.embedded.call import call
from andromede.engine.embedded.net import namespaces
from andromede.engine.embedded.net.table import Table, changing, removing, replacing
from andromede.engine.protocol import EngineError

NETLINK_NETFILTER = 12
_GET_GENERATION = (10 << 8) | 16  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
_ERROR = 2


class Applied:
    """The tables one namespace holds of ours, as last applied. Callers hold the owner's lock."""

    def __init__(self, namespace: str | None) -> None:
        self.namespace = namespace
        self.generation = -1
        self.tables: dict[str, Table] = {}

    def forget(self) -> None:
        """Take nothing for granted any more: the next `apply` replaces whole tables."""
        self.generation = -1
        self.tables = {}

    def mentions(self, device: str) -> bool:
        """Whether a chain of ours hooks the device."""
        hooks = (chain.hook for table in self.tables.values() for chain in table.chains.values())
        return any(f'device "{device}"' in hook for hook in hooks)

    def apply(self, wanted: list[Table]) -> None:
        """Make the tables equal to those wanted. Others are not touched.

        Errors: EngineError with what nft said.
        """
        with namespaces.inside(self.namespace):
            trusted = bool(self.tables) and generation() == self.generation
            text = "".join(self._step(table, trusted) for table in wanted)
            if text:
                try:
                    run(text)
                except EngineError:
                    self.forget()
                    run("".join(replacing(table) for table in wanted))
            self.tables.update({table.address: table for table in wanted})
            self.generation = generation()

    def remove(self, tables: list[Table]) -> None:
        with namespaces.inside(self.namespace):
            run("".join(removing(table) for table in tables))
        self.forget()

    def _step(self, table: Table, trusted: bool) -> str:
        known = self.tables.get(table.address)
        return changing(known, table) if trusted and known else replacing(table)


def present() -> list[tuple[str, str]]:
    """Family and name of every table in the calling thread's namespace."""
    doing = "listing nftables tables"
    result = call(["nft", "-j", "list", "tables"], doing, capture_output=True, text=True)
    if result.returncode:
        raise EngineError(f"{doing}: {result.stderr.strip()}")
    rows = json.loads(result.stdout)["nftables"]
    return [(row["table"]["family"], row["table"]["name"]) for row in rows if "table" in row]


def generation() -> int:
    """The number the kernel raises with each change of the rules of the thread's namespace."""
    message = struct.pack("=LHHLLBBH", 20, _GET_GENERATION, 1, 1, 0, 0, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as link:
        link.send(message)
        answer = link.recv(4096)
    if struct.unpack_from("=H", answer, 4)[0] == _ERROR:
        raise EngineError("asking the kernel for its nftables generation: it has no nftables")
    return int(struct.unpack_from(">L", answer, 24)[0])


def run(text: str) -> None:
    """Apply the text in the thread's namespace, all or nothing. Errors: EngineError."""
    doing = "applying firewall rules"
    try:
        result = call(["nft", "-f", "-"], doing, input=text, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise EngineError(f"{doing}: nft is missing (package nftables)") from error
    if result.returncode:
        raise EngineError(f"{doing}: nft said: {result.stderr.strip()[:2000]}")
