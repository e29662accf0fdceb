"""What the worker is asked to do after a change: one function per kind of work."""

from __future__ import annotations

from andromede.db import Connection
from andromede.work import intend
from andromede.work.store import busy

NETWORK, PORT, ROUTER = "network", "port", "router"
FIREWALL, MEMBERS = "firewall", "security_group"
CONVERGE = "converge"


def converge(
    connection: Connection,
    kind: str,
    resource_id: str,
    project_id: str,
    request_id: str,
    *,
    within: float = 0,
) -> None:
    """Make the host equal to the rows of one resource; asked again before it ran, it runs once.

    `within`: seconds it may wait for others that ask the same.
    """
    intend(
        connection, kind, resource_id, CONVERGE, project_id=project_id, request_id=request_id,
        delay=within, gather=within > 0,
    )  # fmt: skip


def under_way(connection: Connection, kind: str, resource_id: str) -> bool:
    """Whether a converge is already asked for."""
    return busy(connection, kind, resource_id)
