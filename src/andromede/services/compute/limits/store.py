"""Compute's quotas: the cloud's defaults, and what operators set for all or for one project. `ram`
in MiB, -1: no limit. Servers are made within them, so nothing of servers is known here.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from andromede import quotas
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import identifier, table

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
# What older microversions also keep: limits of what compute once counted. They limit nothing.
NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_group_rules": -1, "security_groups": -1}
FILES = {"injected_files": 0, "injected_file_content_bytes": 0, "injected_file_path_bytes": 0}
FORMER = {**NETWORK, **FILES}
OF_USERS = ("cores", "instances", "ram")

user_quota = table(
    "compute_user_quota",
    metadata,
    identifier("project_id", primary_key=True),
    identifier("user_id", primary_key=True),
    sa.Column("resource", sa.String(64), primary_key=True),
    sa.Column("hard_limit", sa.Integer, nullable=False),
)
_OF_USER = Statement(
    "SELECT resource, hard_limit FROM compute_user_quota"
    " WHERE project_id = :project AND user_id = :user"
)


def defaults(connection: Connection) -> dict[str, int]:
    """What a project has to whom nothing else was given; the former limits too."""
    return quotas.limits(connection, SERVICE, CLASS, {**DEFAULTS, **FORMER})


def limits(connection: Connection, project_id: str) -> dict[str, int]:
    """Every limit of a project, the former ones too."""
    return quotas.limits(connection, SERVICE, project_id, defaults(connection))


def of_user(connection: Connection, project_id: str, user_id: str) -> dict[str, int]:
    """What one of a project's users was limited to; nothing for most."""
    return dict(map(tuple, _OF_USER.rows(connection, {"project": project_id, "user": user_id})))


def set_limits(connection: Connection, project_id: str, values: Mapping[str, int]) -> None:
    quotas.set_limits(connection, SERVICE, project_id, values)


def set_user(
    connection: Connection, project_id: str, user_id: str, values: Mapping[str, int]
) -> None:
    """Limit a user of a project to these."""
    held = {**of_user(connection, project_id, user_id), **values}
    reset_user(connection, project_id, user_id)
    of = {"project_id": project_id, "user_id": user_id}
    for resource, limit in held.items():
        connection.execute(sa.insert(user_quota), {**of, "resource": resource, "hard_limit": limit})


def set_defaults(connection: Connection, values: Mapping[str, int]) -> None:
    quotas.set_limits(connection, SERVICE, CLASS, values)


def reset(connection: Connection, project_id: str) -> None:
    """Go back to the defaults, for the project's users too."""
    quotas.reset(connection, SERVICE, project_id)
    connection.execute(sa.delete(user_quota).where(user_quota.c.project_id == project_id))


def reset_user(connection: Connection, project_id: str, user_id: str) -> None:
    connection.execute(
        sa.delete(user_quota).where(
            user_quota.c.project_id == project_id, user_quota.c.user_id == user_id
        )
    )
