"""Quotas of servers: how many a project may still make, and what their metadata may hold.

Source: the compute API answers 403 with what was asked, used and allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from andromede import quotas
from andromede.db import Connection
from andromede.http.errors import OverLimit
from andromede.services.compute.limits import store as limits
from andromede.services.compute.servers import store
from andromede.services.compute.servers.model import Flavor, Server

COUNTED = ("instances", "cores", "ram")


def of(conn: Connection, project_id: str) -> dict[str, int]:
    """A project's limits."""
    return limits.limits(conn, project_id)


def within(
    conn: Connection, project_id: str, user_id: str, flavor: Flavor, least: int, most: int
) -> int:
    """How many servers of the flavor a user of the project may have now, from `least` to `most`.

    Errors: OverLimit when not even `least` fit.
    """
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
    room = most
    for allowed, used in _scopes(conn, project_id, user_id):
        for name, size in each.items():
            if allowed.get(name, quotas.UNLIMITED) != quotas.UNLIMITED and size:
                room = min(room, (allowed[name] - used[name]) // size)
        if room < least:
            raise _over(allowed, used, {name: size * least for name, size in each.items()})
    return room


def _scopes(
    conn: Connection, project_id: str, user_id: str
) -> Iterator[tuple[Mapping[str, int], dict[str, int]]]:
    """What is allowed and used: in the project, and by its user where that was limited. Where nothing
    is limited nothing is counted, for that costs as much as there is."""
    allowed = of(conn, project_id)
    if any(allowed.get(name) != quotas.UNLIMITED for name in COUNTED):
        yield allowed, _used(store.usage(conn, project_id))
    mine = limits.of_user(conn, project_id, user_id)
    if mine:
        yield mine, _used(store.usage_of_user(conn, project_id, user_id))


def _used(usage: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(COUNTED, usage, strict=True))


def _over(allowed: Mapping[str, int], used: dict[str, int], asked: dict[str, int]) -> OverLimit:
    over = sorted(
        name
        for name, more in asked.items()
        if allowed.get(name, quotas.UNLIMITED) != quotas.UNLIMITED
        and more > 0
        and used[name] + more > allowed[name]
    )
    wanted, taken, most_allowed = (
        ", ".join(str(numbers[name]) for name in over) for numbers in (asked, used, allowed)
    )
    names = ", ".join(over)
    return OverLimit(
        f"Quota exceeded for {names}: Requested {wanted}, but already used {taken} of "
        f"{most_allowed} {names}"
    )


def grow(conn: Connection, server: Server, new: Flavor) -> None:
    """Refuse a server a larger flavor beyond what its project and its user may have.

    Errors: OverLimit.
    """
    more = {"cores": new.vcpus - server.flavor.vcpus, "ram": new.ram - server.flavor.ram}
    for allowed, used in _scopes(conn, server.project_id, server.user_id):
        for name, size in more.items():
            limit = allowed.get(name, quotas.UNLIMITED)
            if size > 0 and limit != quotas.UNLIMITED and used[name] + size > limit:
                raise _over(allowed, used, more)


def require_metadata(allowed: Mapping[str, int], items: dict[str, str]) -> dict[str, str]:
    """Metadata of a server, if the quota lets it have that many items.

    Errors: OverLimit.
    """
    most = allowed["metadata_items"]
    quotas.require(most, 0, len(items), f"Maximum number of metadata items exceeds {most}")
    return items
