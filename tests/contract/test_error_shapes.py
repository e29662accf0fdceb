"""How each service says no: its own shape, the code, and the name of the fault or type that clients of
the real services look for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.whole.world import Whole, whole

C, I, N, K = "/compute/v2.1", "/image/v2", "/network/v2.0", "/identity/v3"  # noqa: E741
GONE = "00000000-0000-4000-8000-000000000000"
BEYOND = {"OpenStack-API-Version": "compute 2.9999"}
XML = {"content-type": "application/xml"}
NETWORKS = "{network/networks}"
SERVER = f"{C}/servers/{{compute/servers}}"
GROUP = "{network/security-groups}"
RULE = {"security_group_id": GROUP, "direction": "ingress"}

# name, persona, method, path, body, headers, code, name of the fault or type
Case = tuple[str, str, str, str, Any, dict[str, str], int, str]
COMPUTE: list[Case] = [
    ("a body", "member", "POST", f"{C}/servers", {"server": {}}, {}, 400, "badRequest"),
    ("role", "reader", "DELETE", SERVER, None, {}, 403, "forbidden"),
    ("server", "member", "GET", f"{C}/servers/{GONE}", None, {}, 404, "itemNotFound"),
    ("route", "member", "GET", f"{C}/nonsense", None, {}, 404, "itemNotFound"),
    ("method", "member", "PATCH", f"{C}/servers", {}, {}, 405, "badMethod"),
    ("version", "member", "GET", f"{C}/servers", None, BEYOND, 406, "computeFault"),
    ("state", "member", "POST", f"{SERVER}/action", {"os-start": None}, {}, 409,
     "conflictingRequest"),
    ("name", "member", "POST", f"{C}/os-keypairs", {"keypair": {"name": "key", "type": "ssh",
     "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8VPxLvFz5XK5o5Yv4kYlM0S5n8Yl6m0m0o7o8V9x0K"
     }}, {}, 409, "conflictingRequest"),
    ("media", "member", "POST", f"{C}/servers", None, XML, 415, "badMediaType"),
    ("removed", "admin", "POST", f"{SERVER}/action", {"resetNetwork": None}, {}, 410,
     "computeFault"),
]  # fmt: skip
NETWORK: list[Case] = [
    ("attribute", "member", "POST", f"{N}/networks", {"network": {"colour": 1}}, {}, 400,
     "HTTPBadRequest"),
    ("meaning", "member", "POST", f"{N}/subnets", {"subnet": {"network_id": NETWORKS,
     "cidr": "10.0.0.0/24", "ip_version": 4}}, {}, 400, "InvalidInput"),
    ("policy", "reader", "PUT", f"{N}/networks/{NETWORKS}", {"network": {"name": "x"}}, {}, 403,
     "HTTPForbidden"),
    ("quota policy", "member", "PUT", f"{N}/quotas/{{web}}", {"quota": {"port": 1}}, {}, 403,
     "HTTPForbidden"),
    ("network", "member", "GET", f"{N}/networks/{GONE}", None, {}, 404, "NetworkNotFound"),
    ("subnet", "member", "GET", f"{N}/subnets/{GONE}", None, {}, 404, "SubnetNotFound"),
    ("port", "member", "GET", f"{N}/ports/{GONE}", None, {}, 404, "PortNotFound"),
    ("router", "member", "GET", f"{N}/routers/{GONE}", None, {}, 404, "RouterNotFound"),
    ("floating", "member", "GET", f"{N}/floatingips/{GONE}", None, {}, 404, "FloatingIPNotFound"),
    ("group", "member", "GET", f"{N}/security-groups/{GONE}", None, {}, 404,
     "SecurityGroupNotFound"),
    ("rule", "member", "GET", f"{N}/security-group-rules/{GONE}", None, {}, 404,
     "SecurityGroupRuleNotFound"),
    ("pool", "member", "GET", f"{N}/subnetpools/{GONE}", None, {}, 404, "SubnetPoolNotFound"),
    ("scope", "member", "GET", f"{N}/address-scopes/{GONE}", None, {}, 404,
     "AddressScopeNotFound"),
    ("addresses", "member", "GET", f"{N}/address-groups/{GONE}", None, {}, 404,
     "AddressGroupNotFound"),
    ("qos", "member", "GET", f"{N}/qos/policies/{GONE}", None, {}, 404, "QosPolicyNotFound"),
    ("rbac", "member", "GET", f"{N}/rbac-policies/{GONE}", None, {}, 404, "RbacPolicyNotFound"),
    ("route", "member", "GET", f"{N}/nonsense", None, {}, 404, "HTTPNotFound"),
    ("rule type", "admin", "GET", f"{N}/qos/rule-types/nonsense", None, {}, 404, "HTTPNotFound"),
    ("network in use", "member", "DELETE", f"{N}/networks/{NETWORKS}", None, {}, 409,
     "NetworkInUse"),
    ("subnet in use", "member", "DELETE", f"{N}/subnets/{{network/subnets}}", None, {}, 409,
     "SubnetInUse"),
    ("group in use", "member", "DELETE", f"{N}/security-groups/{GROUP}", None, {}, 409,
     "SecurityGroupInUse"),
    ("router in use", "member", "DELETE", f"{N}/routers/{{network/routers}}", None, {}, 409,
     "RouterInUse"),
    ("rule again", "member", "POST", f"{N}/security-group-rules", {"security_group_rule": RULE}, {},
     409, "SecurityGroupRuleExists"),
    ("address", "member", "POST", f"{N}/ports", {"port": {"network_id": NETWORKS,
     "fixed_ips": [{"ip_address": "10.0.0.1"}]}}, {}, 409, "IpAddressInUse"),
    ("address outside", "member", "POST", f"{N}/ports", {"port": {"network_id": NETWORKS,
     "fixed_ips": [{"ip_address": "192.0.2.1"}]}}, {}, 400, "InvalidIpForNetwork"),
    ("prefix", "member", "POST", f"{N}/subnetpools", {"subnetpool": {"name": "p",
     "prefixes": ["10.0.0.0/8"], "max_prefixlen": 33}}, {}, 400, "IllegalSubnetPoolPrefixBounds"),
    ("revision", "member", "PUT", f"{N}/networks/{NETWORKS}", {"network": {"name": "x"}},
     {"If-Match": "revision_number=999"}, 412, "RevisionNumberConstraintFailed"),
    ("media", "member", "POST", f"{N}/networks", None, XML, 415, "HTTPUnsupportedMediaType"),
    ("method", "member", "PATCH", f"{N}/networks", {}, {}, 405, "HTTPMethodNotAllowed"),
]  # fmt: skip
IDENTITY: list[Case] = [
    ("body", "admin", "POST", f"{K}/users", {"user": {}}, {}, 400, "Bad Request"),
    ("token", "none", "GET", f"{K}/users", None, {}, 401, "Unauthorized"),
    ("policy", "member", "GET", f"{K}/users", None, {}, 403, "Forbidden"),
    ("user", "admin", "GET", f"{K}/users/{GONE}", None, {}, 404, "Not Found"),
    ("route", "member", "GET", f"{K}/nonsense", None, {}, 404, "Not Found"),
    ("name", "admin", "POST", f"{K}/roles", {"role": {"name": "member"}}, {}, 409, "Conflict"),
    ("method", "admin", "PATCH", f"{K}/users", {}, {}, 405, "Method Not Allowed"),
]  # fmt: skip
IMAGE: list[Case] = [
    ("body", "member", "POST", f"{I}/images", {"min_disk": "x"}, {}, 400, "Bad Request"),
    ("role", "reader", "POST", f"{I}/images", {}, {}, 403, "Forbidden"),
    ("image", "member", "GET", f"{I}/images/{GONE}", None, {}, 404, "Not Found"),
    ("data", "member", "PUT", f"{I}/images/{{image/images}}/file", None,
     {"content-type": "application/octet-stream"}, 409, "Conflict"),
    ("range", "member", "GET", f"{I}/images/{{image/images}}/file", None,
     {"range": "bytes=9999-"}, 416, "Requested Range Not Satisfiable"),
    ("media", "member", "PATCH", f"{I}/images/{{image/images}}", [], {}, 415,
     "Unsupported Media Type"),
]  # fmt: skip
CASES = [
    pytest.param(kind, case, id=f"{kind} {case[0]}")
    for kind, cases in (
        ("compute", COMPUTE), ("network", NETWORK), ("identity", IDENTITY), ("image", IMAGE),
    )
    for case in cases
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        yield made


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A path or body with ids in place of `{key}`."""
    if isinstance(value, str):
        for key, text in ids.items():
            value = value.replace(f"{{{key}}}", text)
        return value
    if isinstance(value, dict):
        return {key: filled(each, ids) for key, each in value.items()}
    return [filled(each, ids) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_an_error_is_told_as_the_real_service_tells_it(made: Whole, kind: str, case: Case) -> None:
    _, persona, method, path, body, headers, code, name = case
    client = made.client(persona, private=persona == "admin")
    answer = client.call(
        method, filled(path, made.ids), filled(body, made.ids), headers=headers,
        raw=b"<x/>" if headers == XML else None,
    )  # fmt: skip
    told = answer.expect(code)
    message = {
        "compute": lambda: told[name]["message"],
        "network": lambda: told["NeutronError"]["message"],
        "identity": lambda: told["error"]["message"],
        "image": lambda: told["message"],
    }[kind]()
    assert message
    assert (
        told
        == {
            "compute": {name: {"code": code, "message": message}},
            "network": {"NeutronError": {"type": name, "message": message, "detail": ""}},
            "identity": {"error": {"code": code, "title": name, "message": message}},
            "image": {"code": f"{code} {name}", "title": name, "message": message},
        }[kind]
    )


@pytest.mark.parametrize("path", [f"{C}/servers", f"{N}/networks", f"{I}/images", f"{K}/users"])
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_a_token_is_refused_as_identitys_middleware_does(
    made: Whole, path: str, accept: str
) -> None:
    for token in (None, "gAAAAmade-up"):
        answer = made.cloud.bearer(token, accept=accept).get(path)
        told = answer.expect(401)["error"]
        assert (told["code"], told["title"]) == (401, "Unauthorized")
        assert answer.headers["content-type"] == "application/json"
        where = answer.headers["www-authenticate"]
        assert where == 'Keystone uri="https://cloud.test:8443/identity/v3"'
