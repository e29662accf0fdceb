"""Bodies that the walk sends where the examples have none, or another one at older microversions."""

from __future__ import annotations

from typing import Any

from andromede.http.microversion import Version
from andromede.http.operation import Operation
from tests.contract.whole import examples
from tests.contract.whole.stock import COMPUTE
from tests.contract.whole.world import Whole
from tests.oracle.stock import CONFIG


def at(made: Whole, row: Operation, version: Version | None) -> Any:
    """The JSON body that a row accepts at a microversion; None for none."""
    known = {**_compute(made, version or (0, 0)), **_identity(made), **IMAGE}
    key = f"{row.method} {row.path}"
    return known[key] if key in known else known.get(row.action, examples.body(made, row))


def _compute(made: Whole, version: Version) -> dict[str, Any]:
    ids, group = made.ids, {"name": "new", "policy": "anti-affinity"}
    if version < (2, 64):
        group = {"name": "new", "policies": ["anti-affinity"]}
    event = {"name": "network-changed", "server_uuid": ids["compute/servers"]}
    changes = {"description": "new"} if version >= (2, 19) else {"name": "new"}
    return {
        "compute:server-event:create": {"events": [event]},
        "compute:server-group:create": {"server_group": group},
        "compute:server:update": {"server": changes},
        "compute:server-interface:create": {
            "interfaceAttachment": {"net_id": ids["network/networks"]}},
        "compute:server:remove-address": {"removeFixedIp": {"address": _address(made)}},
        "compute:server:create-backup": {
            "createBackup": {"name": "new", "backup_type": "daily", "rotation": 1}},
    }  # fmt: skip


def _address(made: Whole) -> str:
    """Where the server is reached."""
    path = f"{COMPUTE}/servers/{made.ids['compute/servers']}/ips"
    found = made.client("member").get(path).expect(200)["addresses"]
    address: str = next(iter(found.values()))[0]["addr"]
    return address


def _identity(made: Whole) -> dict[str, Any]:
    ids, config = made.ids, "/v3/domains/{domain_id}/config"
    return {
        "identity:registered_limit:update": {"registered_limit": {"default_limit": 7}},
        "identity:limit:update": {"limit": {"resource_limit": 2}},
        "identity:limit:create": {"limits": [{
            "service_id": ids["extra service"], "resource_name": "spare", "resource_limit": 1,
            "project_id": ids["web"]}]},
        "identity:credential:create": {"credential": {
            "type": "cert", "blob": "{}", "user_id": ids["user member"]}},
        f"PUT {config}": {"config": CONFIG},
        f"PATCH {config}": {"config": CONFIG},
        f"PATCH {config}/{{section}}": {"config": CONFIG},
        f"PATCH {config}/{{section}}/{{name}}": {"config": CONFIG["identity"]},
    }  # fmt: skip


IMAGE: dict[str, Any] = {"image:data:import": {"method": {"name": "glance-direct"}}}
