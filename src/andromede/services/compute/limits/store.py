"""Compute's quotas: the cloud's defaults, and what operators set for all or for one project. `ram`
in MiB, -1: no limit. Servers are made within them, so nothing of servers is known here.
"""

from __future__ import annotations

from collections.abc import Mapping

from andromede import quotas
from andromede.db import Connection

SERVICE = "compute"
CLASS = "class:default"  # stands for a project in the rows that override the defaults for all
DEFAULTS = {
    "cores": 20,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51_200,
    "server_group_members": 10,
    "server_groups": 10,
}


def defaults(connection: Connection) -> dict[str, int]:
    """What a project has to whom nothing else was given."""
    return quotas.limits(connection, SERVICE, CLASS, DEFAULTS)


def limits(connection: Connection, project_id: str) -> dict[str, int]:
    """Every limit of a project."""
    return quotas.limits(connection, SERVICE, project_id, defaults(connection))


def set_limits(connection: Connection, project_id: str, values: Mapping[str, int]) -> None:
    quotas.set_limits(connection, SERVICE, project_id, values)


def set_defaults(connection: Connection, values: Mapping[str, int]) -> None:
    quotas.set_limits(connection, SERVICE, CLASS, values)


def reset(connection: Connection, project_id: str) -> None:
    quotas.reset(connection, SERVICE, project_id)
