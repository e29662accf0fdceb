"""How the whole suite is divided among processes: tests that share a costly fixture stay together,
and what takes longest is dealt first. Touches nothing; runs of one process only take the order.

xdist's own groups are of no use: they are written into `_nodeid`, which pytest 9.2 no longer reads.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

GUESTS, CLIENTS, HOST, SINGLE = range(4)  # in the order in which they are dealt


def part(nodeid: str) -> tuple[int, str]:
    """The part of the suite that a test belongs to: its kind, and its name.

    The modules of guests share one cloud with four booted servers, the clients' modules another
    cloud; each other module of the host has its own, and so has each of the oracle. The rest is
    dealt test by test, and fills up.
    """
    module = nodeid.partition("::")[0]
    if "tests/host/test_guest_" in module:
        return GUESTS, "guests"
    if "tests/clients/" in module:
        return CLIENTS, "clients"
    if "tests/host/" in module or "tests/oracle/" in module:
        return HOST, module
    return SINGLE, nodeid


class Division(LoadScopeScheduling):  # type: ignore[misc]
    """Deals a part to the next process that has little left; a part never has two processes."""

    def _split_scope(self, nodeid: str) -> str:
        return part(nodeid)[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Division | None:
    """Divide runs of `--dist loadscope`, which is how `andromede test` asks for it."""
    return Division(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long parts first."""
    items.sort(key=lambda item: part(item.nodeid)[0])
