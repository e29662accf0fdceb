"""A subnet pool's place in an address scope: whose that is, and that no two pools of it overlap."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.services.network.common import handling
from andromede.services.network.common.store import Row
from andromede.services.network.pools import plan, store
from andromede.services.network.scopes.store import SCOPES


def check(context: Context, row: Row) -> None:
    """Errors: NotFound for a scope that is not seen; BadRequest for one of another family; Conflict
    when another pool of it has addresses of this one."""
    if row["address_scope_id"] is None:
        return
    scope = handling.find(context, SCOPES, row["address_scope_id"])
    if scope["ip_version"] != row["ip_version"]:
        raise BadRequest(
            f"Illegal subnetpool association: subnetpool {row['id']} cannot associate with address "
            f"scope {scope['id']} because subnetpool ip_version is not {scope['ip_version']}.",
            type="IllegalSubnetPoolIpVersionAssociationToAddressScope",
        )
    for other in store.of_scope(context.conn, scope["id"]):
        if other["id"] != row["id"] and plan.meets(other["prefixes"], row["prefixes"]):
            raise Conflict(
                f"Failed to associate address scope: subnetpools within {scope['id']} must have "
                f"unique prefixes.",
                type="AddressScopePrefixConflict",
            )
