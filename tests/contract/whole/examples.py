"""A request that each row of the routing tables accepts: its body, its query and its headers.

A body is derived from the operation's struct; what that does not tell stands in the tables here, by
action, or by method and path where rows share an action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import inspect as shapes

from andromede.http.operation import Operation
from tests.contract.image.helpers import BARE, OCTETS, PATCH
from tests.contract.whole import accounts, extensions, offers, older
from tests.contract.whole.world import Whole

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8VPxLvFz5XK5o5Yv4kYlM0S5n8Yl6m0m0o7o8V9x0L user"
DESCRIBED = {"description": "new"}


def body(whole: Whole, row: Operation) -> Any:
    """The JSON body that the row accepts; None for none."""
    known = _bodies(whole)
    for key in (f"{row.method} {row.path}", row.action):
        if key in known:
            return known[key]
    if row.key is not None and row.body is None:
        return {row.key: None}
    if row.body is None or row.optional_body:
        return None
    return minimal(shapes.type_info(row.body))


def query(whole: Whole, row: Operation) -> str:
    """The query that the row needs, from its question mark on."""
    known = {
        "placement:allocation_candidate:list": "?resources=VCPU:1",
        "placement:usage:total": f"?project_id={whole.ids['web']}",
        "sovereignty:inclusion:show": f"?leaf={whole.ids['leaf']}",
        "sovereignty:consistency:show": "?first=1&second=2",
        "sovereignty:report:reach": f"?resource={whole.ids['compute/servers']}",
    }
    return known.get(row.action, "")


def headers(whole: Whole, row: Operation) -> Mapping[str, str]:
    """The headers that the row needs."""
    if row.action in ("identity:token:validate", "identity:token:revoke"):
        return {"X-Subject-Token": str(whole.tokens["member"])}
    if row.action == "image:image:update":
        return PATCH
    return OCTETS if row.action in ("image:data:upload", "image:data:stage") else {}


def minimal(kind: shapes.Type) -> Any:
    """The least value of a type: of a struct what it requires, and nothing of what it may have."""
    if isinstance(kind, shapes.StructType):
        return {each.encode_name: minimal(each.type) for each in kind.fields if each.required}
    if isinstance(kind, shapes.UnionType):
        return None if kind.includes_none else minimal(kind.types[0])
    if isinstance(kind, shapes.Metadata):
        return minimal(kind.type)
    return _scalar(kind)


def _scalar(kind: shapes.Type) -> Any:
    for known, least in LEAST:
        if isinstance(kind, known):
            return least(kind)
    raise LookupError(f"{kind}: tell tests/contract/whole/examples.py a value of that type")


LEAST: list[tuple[Any, Callable[[Any], Any]]] = [
    (shapes.StrType, lambda kind: "x" * max(1, kind.min_length or 1)),
    ((shapes.IntType, shapes.FloatType), lambda kind: kind.ge or 0),
    (shapes.LiteralType, lambda kind: kind.values[0]),
    (shapes.EnumType, lambda kind: next(iter(kind.cls)).value),
    ((shapes.ListType, shapes.VarTupleType),
     lambda kind: [minimal(kind.item_type)] * (kind.min_length or 0)),
    (shapes.DateType, lambda kind: "2026-01-01"),
    (shapes.BoolType, lambda kind: True),
    (shapes.DictType, lambda kind: {}),
    ((shapes.AnyType, shapes.NoneType), lambda kind: None),
]  # fmt: skip


def _bodies(whole: Whole) -> dict[str, Any]:
    ids = whole.ids
    return {
        **_identity(whole), **_compute(ids), **_network(ids), **_sovereignty(ids),
        **extensions.bodies(ids), **accounts.bodies(whole), **offers.bodies(ids),
        **older.bodies(ids),
        "sovereignty:world:declare": {"world": whole.documents["world"]},
        "image:image:create": dict(BARE),
        "image:task:create": {"type": "import", "input": {
            "import_from": "http://images.example.org/disk", "import_from_format": "raw",
            "image_properties": {}}},
        "image:image:update": [{"op": "replace", "path": "/name", "value": "new"}],
    }  # fmt: skip


def _identity(whole: Whole) -> dict[str, Any]:
    ids = whole.ids
    who = {"id": ids["user member"], "password": "pw"}
    login = {"methods": ["password"], "password": {"user": who}}
    placed = {"domain_id": ids["domain"], "name": "new"}
    return {
        "identity:token:issue": {"auth": {"identity": login}},
        "identity:user:change_password": {"user": {"password": "new", "original_password": "pw"}},
        "identity:user:create": {"user": placed},
        "identity:group:create": {"group": placed},
        "identity:project:create": {"project": placed},
        "identity:user:update": {"user": {"name": "new"}},
        "identity:group:update": {"group": DESCRIBED},
        "identity:project:update": {"project": DESCRIBED},
        "identity:domain:update": {"domain": DESCRIBED},
        "identity:role:update": {"role": DESCRIBED},
        "identity:credential:update": {"credential": {"blob": "{}"}},
        "identity:credential:create": {"credential": {"type": "cert", "blob": "{}"}},
    }


def _compute(ids: Mapping[str, str]) -> dict[str, Any]:
    server = {"name": "new", "imageRef": ids["image/images"], "networks": [
        {"uuid": ids["network/networks"]}], "flavorRef": ids["compute/flavors"]}  # fmt: skip
    sizes = {"name": "new", "ram": 64, "vcpus": 1, "disk": 1}
    return {
        "compute:server:create": {"server": server},
        "compute:server:update": {"server": DESCRIBED},
        "compute:server:rebuild": {"rebuild": {"imageRef": ids["image/images"]}},
        "compute:server:resize": {"resize": {"flavorRef": ids["larger flavor"]}},
        "compute:server:add-address": {"addFixedIp": {"networkId": ids["network/networks"]}},
        "compute:flavor:create": {"flavor": sizes},
        "compute:flavor:update": {"flavor": DESCRIBED},
        "compute:flavor_access:add": {"addTenantAccess": {"tenant": ids["shop"]}},
        "compute:flavor_access:remove": {"removeTenantAccess": {"tenant": ids["web"]}},
        "compute:flavor_extra_spec:create": {"extra_specs": {"hw:n": "v"}},
        "compute:flavor_extra_spec:update": {"hw:k": "w"},
        "compute:keypair:create": {"keypair": {"name": "new", "public_key": KEY}},
        "compute:quota_set:update": {"quota_set": {"cores": 30}},
        "compute:quota_class_set:update": {"quota_class_set": {"cores": 30}},
        "compute:server:add-group": {"addSecurityGroup": {"name": ids["extra group"]}},
        "compute:server:remove-group": {
            "removeSecurityGroup": {"name": ids["network/security-groups"]}},
        "compute:console:create": {"remote_console": {"protocol": "vnc", "type": "novnc"}},
        "compute:server:reboot": {"reboot": {"type": "HARD"}},
        "compute:server-metadata:update": {"meta": {"k": "w"}},
        "compute:server-metadata:create": {"metadata": {"n": "v"}},
        "compute:server-metadata:replace": {"metadata": {"n": "v"}},
    }  # fmt: skip


def _network(ids: Mapping[str, str]) -> dict[str, Any]:
    network = ids["network/networks"]
    owned = {"project_id": ids["web"]}  # as a caller without a project has to say
    subnet = {"network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4}
    routes = {"router": {"routes": [{"destination": "172.17.0.0/24", "nexthop": "10.0.0.9"}]}}
    rule = {"security_group_id": ids["network/security-groups"], "direction": "egress",
            "protocol": "tcp"}  # fmt: skip
    made: dict[str, Any] = {
        "network": {}, "subnet": subnet, "port": {"network_id": network}, "router": {},
        "floatingip": {"floating_network_id": ids["external"]},
        "security_group": {"name": "new"}, "security_group_rule": rule,
    }  # fmt: skip
    return {
        **{f"network:{noun}:create": {noun: {**values, **owned}} for noun, values in made.items()},
        **{f"network:{noun}:update": {noun: DESCRIBED} for noun in made},
        "network:router:add_interface": {"subnet_id": ids["spare subnet"]},
        "network:router:remove_interface": {"subnet_id": ids["joined subnet"]},
        "network:router:add_routes": routes,
        "network:router:remove_routes": routes,
        "network:quota:update": {"quota": {"port": 7}},
        "network:tag:replace": {"tags": ["blue"]},
    }


def _sovereignty(ids: Mapping[str, str]) -> dict[str, Any]:
    policy = {"policy": {"finding_days": 30}}
    consent = {"kinds": ["disk"], "reason": "why", "project_id": ids["web"]}
    return {
        "sovereignty:policy:replace": policy,
        "sovereignty:consent:create": {"consent": consent},
        "sovereignty:emergency:create": {"emergency": consent},
        "sovereignty:entity:declare": {"entity": {"name": "Runner", "country": "FR"}},
        "sovereignty:site:declare": {"site": {"country": "FR", "operator": "runner"}},
        "sovereignty:contract:declare": {
            "contract": {"customer": "runner", "supplier": "owner", "purpose": "other"}},
        "sovereignty:holding:declare": {"holding": {"holder": "alone", "held": "runner",
                                                    "capital": 10}},
        "sovereignty:holding:end": {"holding": {"until": "2026-01-01"}},
        "sovereignty:affiliation:replace": {"entity": "runner"},
        "sovereignty:log:purge": {"before": "2020-01-01T00:00:00"},
        "sovereignty:witness:replace": {"url": "https://elsewhere.test/witness/",
                                        "verifier": ids["verifier witness"]},
        "sovereignty:witnessed_log:replace": {"verifier": ids["verifier log"]},
        "sovereignty:seal:answer": {
            "answer": {"answer": 1, "because_en": "so", "because_fr": "ainsi"}},
    }  # fmt: skip
