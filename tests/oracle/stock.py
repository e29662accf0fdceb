"""What the walk needs besides the stock of `tests/contract/whole`: servers in the states that acts
start from, an image to import, and the rest of identity's nouns."""

from __future__ import annotations

from typing import Any

from tests.contract.identity.making import V3
from tests.contract.image.helpers import create, stage
from tests.contract.whole.stock import COMPUTE, NEWEST
from tests.contract.whole.world import Whole
from tests.harness import Client

# How a server comes to where an act may start, by the act.
BEFORE: dict[str, tuple[dict[str, Any], ...]] = {
    "resume": ({"suspend": None},),
    "unpause": ({"pause": None},),
    "unrescue": ({"rescue": None},),
    "shelve-offload": ({"shelve": None},),
    "unshelve": ({"shelve": None},),
    "confirm-resize": ({"resize": {}},),
    "revert-resize": ({"resize": {}},),
}


def fill(made: Whole) -> None:
    """Make them, and write down their ids."""
    member, admin = made.client("member"), made.world.admin()
    for act, bodies in BEFORE.items():
        server = _server(made, member, act)
        for body in bodies:
            asked = (
                {"resize": {"flavorRef": made.ids["larger flavor"]}} if "resize" in body else body
            )
            answer = member.post(f"{COMPUTE}/servers/{server}/action", asked, headers=NEWEST)
            assert answer.status in (200, 202), answer.body
            made.cloud.settle()
        made.ids[f"compute:server:{act}/servers"] = server
    staged = create(member)["id"]
    assert stage(member, staged, b"data").status == 204
    made.ids["image:data:import/images"] = staged
    _identity(made, member, admin)


def _server(made: Whole, member: Client, name: str) -> str:
    body = {"name": name, "imageRef": made.ids["image/images"], "networks": "none",
            "flavorRef": made.ids["compute/flavors"]}  # fmt: skip
    answer = member.post(f"{COMPUTE}/servers", {"server": body}, headers=NEWEST)
    server: str = answer.expect(202)["server"]["id"]
    made.cloud.settle()
    return server


def _identity(made: Whole, member: Client, admin: Client) -> None:
    ids, service = made.ids, made.ids["extra service"]
    filters = {"name": "all", "filters": {"interface": "public"}}
    groups = f"{V3}/OS-EP-FILTER/endpoint_groups"
    group = admin.post(groups, {"endpoint_group": filters}).expect(201)["endpoint_group"]["id"]
    assert admin.put(f"{groups}/{group}/projects/{ids['web']}").status == 204
    wish = {"service_id": service, "resource_name": "things", "default_limit": 5}
    registered = admin.post(f"{V3}/registered_limits", {"registered_limits": [wish]}).expect(201)
    limit = {"service_id": service, "resource_name": "things", "resource_limit": 3,
             "project_id": ids["web"]}  # fmt: skip
    limits = admin.post(f"{V3}/limits", {"limits": [limit]}).expect(201)["limits"]
    spare = {**wish, "resource_name": "spare"}
    unused = admin.post(f"{V3}/registered_limits", {"registered_limits": [spare]}).expect(201)
    config = f"{V3}/domains/{ids['domain']}/config"
    assert admin.put(config, {"config": CONFIG}).status in (200, 201)
    wish = {"type": "unwanted", "name": "unwanted"}
    unwanted = admin.post(f"{V3}/services", {"service": wish}).expect(201)["service"]
    rule = {"path": "/v2.1/servers", "method": "GET", "service": "compute"}
    own = f"{V3}/users/{ids['user member']}"
    robot = {"application_credential": {"name": "bound", "access_rules": [rule]}}
    bound = member.post(f"{own}/application_credentials", robot).expect(201)
    rule_id = bound["application_credential"]["access_rules"][0]["id"]
    gone = bound["application_credential"]["id"]
    assert member.delete(f"{own}/application_credentials/{gone}").status == 204
    ids.update({
        "identity/endpoint_groups": group, "identity/limits": limits[0]["id"],
        "identity/registered_limits": registered["registered_limits"][0]["id"],
        "identity:registered_limit:delete/registered_limits": unused["registered_limits"][0]["id"],
        "identity/access_rules": rule_id, "identity/config": "identity", "identity/{section}": "driver",
        "identity:service:delete/services": unwanted["id"],
    })  # fmt: skip


CONFIG = {"identity": {"driver": "sql"}}
