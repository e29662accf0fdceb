"""What a machine used, as an engine measured it. Documents only."""

from __future__ import annotations

from msgspec import Struct


class DiskFigures(Struct, frozen=True, kw_only=True):
    """What a disk did since the machine started, in bytes and requests."""

    read_bytes: int
    read_requests: int
    write_bytes: int
    write_requests: int
    errors: int  # requests that failed


class CardFigures(Struct, frozen=True, kw_only=True):
    """What a network card's tap counted; `rx` is what the guest received. `name` is the tap's."""

    name: str
    mac: str
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int


class Figures(Struct, frozen=True, kw_only=True):
    """What a machine used since it started. Times are nanoseconds, one for each processor; memory
    is bytes; disks are in the guest's order."""

    paused: bool
    accelerator: str  # as `ServerFacts.accelerator`
    uptime: int  # seconds
    cpu_times: tuple[int, ...]
    memory: int
    memory_used: int | None
    disks: tuple[DiskFigures, ...]
    cards: tuple[CardFigures, ...]
