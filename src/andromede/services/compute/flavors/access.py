"""Access to private flavors over HTTP: which projects an operator lets use them."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import Conflict, NotFound
from andromede.http.operation import Operation
from andromede.services.compute.flavors import store
from andromede.services.compute.flavors.schema import AddAccess, RemoveAccess
from andromede.services.compute.projects import require_project


def _listed(context: Context) -> dict[str, Any]:
    flavor_id = context.params["id"]
    return {
        "flavor_access": [
            {"flavor_id": flavor_id, "tenant_id": project}
            for project in store.projects(context.conn, flavor_id)
        ]
    }


def list_access(context: Context) -> dict[str, Any]:
    if store.get(context.conn, context.params["id"], context.caller).is_public:
        raise NotFound("Access list not available for public flavors.")
    return _listed(context)


def add(context: Context) -> dict[str, Any]:
    project = context.body.add.tenant
    flavor = store.get(context.conn, context.params["id"], context.caller)
    if flavor.is_public:
        raise Conflict("Can not add access to a public flavor.")
    require_project(context.conn, project)
    store.grant(context.conn, flavor.id, project)
    context.concerns(flavor.id, project)
    return _listed(context)


def remove(context: Context) -> dict[str, Any]:
    flavor = store.get(context.conn, context.params["id"], context.caller)
    store.revoke(context.conn, flavor.id, context.body.remove.tenant)
    context.concerns(flavor.id, context.body.remove.tenant)
    return _listed(context)


OPERATIONS = [
    Operation(
        method="GET",
        path="/v2.1/flavors/{id}/os-flavor-access",
        handler=list_access,
        action="compute:flavor_access:list",
        allow=ADMIN,
    ),
    Operation(
        method="POST",
        path="/v2.1/flavors/{id}/action",
        handler=add,
        action="compute:flavor_access:add",
        allow=ADMIN,
        key="addTenantAccess",
        body=AddAccess,
    ),
    Operation(
        method="POST",
        path="/v2.1/flavors/{id}/action",
        handler=remove,
        action="compute:flavor_access:remove",
        allow=ADMIN,
        key="removeTenantAccess",
        body=RemoveAccess,
    ),
]
