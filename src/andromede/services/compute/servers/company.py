"""How many servers of a server's group each host has, and what the group's policy makes of that."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.groups import store as groups
from andromede.services.compute.servers.groups.store import Group
from andromede.services.compute.servers.model import Server


class Company(Struct, frozen=True):
    """A server's group, if it is in one, and where the others of it are."""

    group: Group | None
    there: Counter[str]

    def why_not(self, host: str) -> str | None:
        """Why the policy forbids a host; None when it does not."""
        if self.group is None or not self.there:
            return None
        if self.group.policy == "affinity" and not self.there[host]:
            return f"group {self.group.id} wants its servers on one host, and is on another"
        most = self.group.most or 1
        if self.group.policy == "anti-affinity" and self.there[host] >= most:
            return f"group {self.group.id} wants at most {most} of its servers on one host"
        return None

    def dislike(self, host: str) -> int:
        """How little a soft policy likes a host: of two, it is the lower number."""
        if self.group is None or not self.group.policy.startswith("soft-"):
            return 0
        here = self.there[host]
        return -here if self.group.policy == "soft-affinity" else here


def of(conn: Connection, server: Server) -> Company:
    """The company of a server that is to be placed."""
    wanted = server.hints.get("group")
    group = groups.get(conn, wanted) if wanted is not None else None
    if group is None:
        return Company(None, Counter())
    others = [each for each in groups.members(conn, [group.id])[group.id] if each != server.id]
    hosts = store.hosts_of(conn, others).values()
    return Company(group, Counter(host for host in hosts if host))
