"""Quotas of servers: how many a project may still make, and what their metadata may hold.

Source: the compute API answers 403 with what was asked, used and allowed.
"""

from __future__ import annotations

from collections.abc import Mapping

from andromede import quotas
from andromede.db import Connection
from andromede.http.errors import OverLimit
from andromede.services.compute.limits import store as limits
from andromede.services.compute.servers import store
from andromede.services.compute.servers.model import Flavor


def of(conn: Connection, project_id: str) -> dict[str, int]:
    """A project's limits."""
    return limits.limits(conn, project_id)


def within(
    conn: Connection,
    allowed: Mapping[str, int],
    project_id: str,
    flavor: Flavor,
    least: int,
    most: int,
) -> int:
    """How many servers of the flavor the project may have now, from `least` to `most`.

    Errors: OverLimit when not even `least` fit.
    """
    used = dict(zip(("instances", "cores", "ram"), store.usage(conn, project_id), strict=True))
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
    room = most
    for name, size in each.items():
        if allowed[name] != quotas.UNLIMITED and size:
            room = min(room, (allowed[name] - used[name]) // size)
    if room >= least:
        return room
    over = sorted(
        name
        for name, size in each.items()
        if allowed[name] != quotas.UNLIMITED and used[name] + size * least > allowed[name]
    )
    asked, taken, most_allowed = (
        ", ".join(str(number) for number in numbers)
        for numbers in (
            [each[name] * least for name in over],
            [used[name] for name in over],
            [allowed[name] for name in over],
        )
    )
    names = ", ".join(over)
    raise OverLimit(
        f"Quota exceeded for {names}: Requested {asked}, but already used {taken} of "
        f"{most_allowed} {names}"
    )


def grow(
    conn: Connection, allowed: Mapping[str, int], project_id: str, old: Flavor, new: Flavor
) -> None:
    """Refuse a server of a larger flavor beyond what its project may have.

    Errors: OverLimit.
    """
    _, cores, ram = store.usage(conn, project_id)
    for name, used, more in (
        ("cores", cores, new.vcpus - old.vcpus),
        ("ram", ram, new.ram - old.ram),
    ):
        if more > 0:
            say = (
                f"Quota exceeded for {name}: Requested {more}, but already used {used} of "
                f"{allowed[name]} {name}"
            )
            quotas.require(allowed[name], used, more, say)


def require_metadata(allowed: Mapping[str, int], items: dict[str, str]) -> dict[str, str]:
    """Metadata of a server, if the quota lets it have that many items.

    Errors: OverLimit.
    """
    most = allowed["metadata_items"]
    quotas.require(most, 0, len(items), f"Maximum number of metadata items exceeds {most}")
    return items
