"""What a caller can do with a resource of the network service, told without its asking."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.services.network.addressgroups.store import GROUPS as ADDRESS_GROUPS
from andromede.services.network.common import store
from andromede.services.network.floatingips.store import FLOATINGS
from andromede.services.network.groups.store import GROUPS
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.pools.store import POOLS
from andromede.services.network.ports.store import PORTS
from andromede.services.network.qos.store import POLICIES
from andromede.services.network.routers.store import ROUTERS
from andromede.services.network.rules.store import RULES
from andromede.services.network.scopes.store import SCOPES
from andromede.services.network.subnets.store import SUBNETS
from andromede.sovereignty.consent.reach import Reach

COLLECTIONS = {
    "networks": NETWORKS, "subnets": SUBNETS, "ports": PORTS, "routers": ROUTERS,
    "subnetpools": POOLS, "address-scopes": SCOPES, "address-groups": ADDRESS_GROUPS,
    "qos/policies": POLICIES, "floatingips": FLOATINGS, "security-groups": GROUPS,
    "security-group-rules": RULES,
}  # fmt: skip


def reach(connection: Connection, caller: Caller, key: str) -> Reach | None:
    """None when there is no such resource."""
    for noun, collection in COLLECTIONS.items():
        row = store.by_key(connection, collection, key)
        if row is None:
            continue
        see = store.find(connection, collection, caller, key) is not None
        own = caller.admin or row["project_id"] == caller.project_id
        return Reach(
            kind=collection.schema.name, id=key, project_id=row["project_id"], service="network",
            path=f"/v2.0/{noun}", see=see, change=see and own,
            private=not (row.get("shared") or row.get("external")),
        )  # fmt: skip
    return None
