"""What the networking half remembers across restarts: the last documents it was given.

Small JSON files below `paths.run`; a document is written before its effects and removed after
them, so whatever is on the host by our hand has a file that names its id.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TypeVar

import msgspec

from andromede.engine.embedded.net.names import checked
from andromede.engine.networks import (
    FirewallSpec,
    NetworkSpec,
    PortSpec,
    RouterSpec,
)

T = TypeVar("T")


class Store:
    """The files of one cloud's networks and routers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.networks = root / "networks"
        self.routers = root / "routers"
        self.advertisers = root / "advertisers"

    def network_folder(self, network_id: str) -> Path:
        return self.networks / checked(network_id)

    def network(self, network_id: str) -> NetworkSpec | None:
        return _read(self.network_folder(network_id) / "network.json", NetworkSpec)

    def save_network(self, spec: NetworkSpec) -> None:
        (self.network_folder(spec.id) / "ports").mkdir(parents=True, exist_ok=True)
        _write(self.network_folder(spec.id) / "network.json", spec)

    def forget_network(self, network_id: str) -> None:
        folder = self.network_folder(network_id)
        if folder.exists():
            shutil.rmtree(folder)

    def network_ids(self) -> list[str]:
        """Every network with a folder, whole or not."""
        return _entries(self.networks)

    def firewall(self, network_id: str) -> FirewallSpec | None:
        return _read(self.network_folder(network_id) / "firewall.json", FirewallSpec)

    def save_firewall(self, spec: FirewallSpec) -> None:
        _write(self.network_folder(spec.network_id) / "firewall.json", spec)

    def ports(self, network_id: str) -> dict[str, PortSpec]:
        folder = self.network_folder(network_id) / "ports"
        found = (_read(folder / entry, PortSpec) for entry in _entries(folder))
        return {port.id: port for port in found if port is not None}

    def save_port(self, spec: PortSpec) -> None:
        _write(self._port_file(spec.network_id, spec.id), spec)

    def port(self, network_id: str, port_id: str) -> PortSpec | None:
        return _read(self._port_file(network_id, port_id), PortSpec)

    def forget_port(self, network_id: str, port_id: str) -> None:
        self._port_file(network_id, port_id).unlink(missing_ok=True)

    def network_of_port(self, port_id: str) -> str | None:
        """The network whose folder has the port."""
        for network_id in self.network_ids():
            if self._port_file(network_id, port_id).exists():
                return network_id
        return None

    def router(self, router_id: str) -> RouterSpec | None:
        return _read(self.routers / f"{checked(router_id)}.json", RouterSpec)

    def advertiser_folder(self, router_id: str) -> Path:
        return self.advertisers / checked(router_id)

    def save_router(self, spec: RouterSpec) -> None:
        self.routers.mkdir(parents=True, exist_ok=True)
        _write(self.routers / f"{checked(spec.id)}.json", spec)

    def forget_router(self, router_id: str) -> None:
        (self.routers / f"{checked(router_id)}.json").unlink(missing_ok=True)

    def router_specs(self) -> list[RouterSpec]:
        names = [each.removesuffix(".json") for each in _entries(self.routers)]
        return [spec for spec in map(self.router, names) if spec is not None]

    def externals(self) -> list[NetworkSpec]:
        """The external networks, by number."""
        specs = [self.network(each) for each in self.network_ids()]
        found = [spec for spec in specs if spec is not None and spec.external]
        return sorted(found, key=lambda spec: spec.number)

    def _port_file(self, network_id: str, port_id: str) -> Path:
        return self.network_folder(network_id) / "ports" / f"{checked(port_id)}.json"


def replace_text(path: Path, text: str) -> bool:
    """Write the file whole unless it already says so. True when it changed."""
    if path.exists() and path.read_text() == text:
        return False
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)
    return True


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(each for each in os.listdir(folder) if not each.startswith("."))
    except FileNotFoundError:
        return []


def _write(path: Path, document: msgspec.Struct) -> None:
    replace_text(path, msgspec.json.encode(document).decode())


def _read(path: Path, kind: type[T]) -> T | None:
    """The document; None when there is none, or one that this version cannot read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
