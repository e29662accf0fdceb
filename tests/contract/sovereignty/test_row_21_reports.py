"""Row 21: reports on who can reach this and what this user can do, equal to the real answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from andromede.services import compute, image, network, sovereignty
from andromede.services.compute import api as compute_api
from andromede.services.identity import passwords
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import CLOUD, Policy, Switch
from tests.contract.compute.servers.helpers import LATEST, ROOT, EngineConsoles
from tests.contract.identity.conftest import CHEAP, World, open_world
from tests.contract.identity.making import V3, grant, make
from tests.contract.image.helpers import PATCH, active, replace
from tests.contract.sovereignty.customers import CONSENTS, LEAVES
from tests.harness import OPEN, Client, unknown_id

REPORTS = "/sovereignty/v1/reports"
NET = "/network/v2.0"
LIFECYCLES = [*compute.LIFECYCLES, *image.LIFECYCLES, *network.LIFECYCLES]
SERVICES = [compute.SERVICE, image.SERVICE, network.SERVICE, sovereignty.SERVICE]


@dataclass
class People:
    """A customer's project with a server, an image and a network, and people of all kinds."""

    world: World
    project: str
    other: str
    users: dict[str, str]
    resources: dict[str, str]

    def client(self, name: str, scope: Any, **headers: str) -> Client:
        made = self.world.login(name, scope, password="pw", private=True)
        made.headers = {**LATEST, **headers}
        return made

    def member(self) -> Client:
        return self.client("member", {"project": {"id": self.project}})

    def operator(self) -> Client:
        return self.client("operator", {"project": {"id": self.other}})

    def reach(self, kind: str, client: Client | None = None, query: str = "") -> Any:
        path = f"{REPORTS}/reach?resource={self.resources[kind]}{query}"
        return (client or self.member()).get(path).expect(200)


@pytest.fixture
def people(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    world = open_world(tmp_path, database_url, *SERVICES, lifecycles=LIFECYCLES, closed=True)
    world.cloud.database.transact(lambda c: policies.put(c, CLOUD, OPEN))
    world.cloud.cloud.edge = EngineConsoles(world.cloud.engine)
    world.cloud.database.transact(compute_api.bootstrap)
    people = populate(world)
    policy = Policy(second_factor=Switch.OFF)  # operators need consent from now on
    world.cloud.database.transact(lambda c: policies.put(c, CLOUD, policy))
    yield people
    world.cloud.close()


def populate(world: World) -> People:
    admin, roles = world.admin(), world.first.roles
    project, other = (make(admin, "project", name=name)["id"] for name in ("web", "other"))
    names = ("member", "grouped", "heir", "outsider", "operator", "auditor", "nobody", "both")
    users = {name: make(admin, "user", name=name, password="pw")["id"] for name in names}
    group = make(admin, "group", name="readers")["id"]
    assert admin.put(f"{V3}/groups/{group}/users/{users['grouped']}").status == 204
    grant(admin, "project", project, "group", group, roles["reader"])
    grant(admin, "project", project, "user", users["member"], roles["member"])
    grant(admin, "project", other, "user", users["outsider"], roles["manager"])
    grant(admin, "project", other, "user", users["operator"], roles["admin"])
    grant(admin, "project", other, "user", users["both"], roles["member"])
    grant(admin, "project", project, "user", users["both"], roles["reader"])
    heir = f"{V3}/OS-INHERIT/domains/default/users/{users['heir']}/roles/{roles['member']}"
    assert admin.put(f"{heir}/inherited_to_projects").status == 204
    auditor = f"{V3}/system/users/{users['auditor']}/roles/{roles['reader']}"
    assert admin.put(auditor).status == 204
    people = People(world, project, other, users, {})
    member = people.member()
    stored = active(member, b"x" * 1024)
    made = member.post(f"{NET}/networks", {"network": {"name": "net"}}).expect(201)["network"]
    subnet = {"network_id": made["id"], "cidr": "10.0.0.0/24", "ip_version": 4}
    member.post(f"{NET}/subnets", {"subnet": subnet}).expect(201)
    flavors = member.get(f"{ROOT}/flavors").expect(200)["flavors"]
    body = {
        "name": "vm", "imageRef": stored["id"], "networks": [{"uuid": made["id"]}],
        "flavorRef": next(each["id"] for each in flavors if each["name"] == "t1.tiny"),
    }  # fmt: skip
    server = member.post(f"{ROOT}/servers", {"server": body}).expect(202)["server"]["id"]
    world.cloud.settle()
    people.resources = {"server": server, "image": stored["id"], "network": made["id"]}
    return people


def requests(people: People) -> dict[str, dict[str, tuple[str, str, Any]]]:
    """A sample of each resource's operations, as requests."""
    server = f"{ROOT}/servers/{people.resources['server']}"
    stored = f"/image/v2/images/{people.resources['image']}"
    net = f"{NET}/networks/{people.resources['network']}"
    act = ("POST", f"{server}/action")
    return {
        "server": {
            "compute:server:show": ("GET", server, None),
            "compute:server:update": ("PUT", server, {"server": {"name": "n"}}),
            "compute:server:console-output": (*act, {"os-getConsoleOutput": {}}),
            "compute:server:unlock": (*act, {"unlock": None}),
            "compute:server:reset-state": (*act, {"os-resetState": {"state": "active"}}),
            "compute:server-metadata:list": ("GET", f"{server}/metadata", None),
            "compute:server-metadata:create": (
                "POST", f"{server}/metadata", {"metadata": {"a": "b"}},
            ),
            "compute:server-tag:add": ("PUT", f"{server}/tags/t", None),
            "compute:server-action:list": ("GET", f"{server}/os-instance-actions", None),
            "compute:server-interface:list": ("GET", f"{server}/os-interface", None),
        },
        "image": {
            "image:image:show": ("GET", stored, None),
            "image:image:update": ("PATCH", stored, [replace("name", "n")]),
            "image:tag:add": ("PUT", f"{stored}/tags/t", None),
            "image:image:reactivate": ("POST", f"{stored}/actions/reactivate", None),
            "image:data:download": ("GET", f"{stored}/file", None),
        },
        "network": {
            "network:network:show": ("GET", net, None),
            "network:network:update": ("PUT", net, {"network": {"name": "n"}}),
            "network:tag:list": ("GET", f"{net}/tags", None),
            "network:tag:add": ("PUT", f"{net}/tags/t", None),
        },
    }  # fmt: skip


def scope_of(target: dict[str, str]) -> dict[str, Any]:
    if target["kind"] == "system":
        return {"system": {"all": True}}
    return {target["kind"]: {"id": target["id"]}}


def logins(people: People) -> Iterator[tuple[str, dict[str, str], Client]]:
    """Everybody in every scope that it can log in to."""
    for name, user in people.users.items():
        report = people.operator().get(f"{REPORTS}/user/{user}").expect(200)["user"]
        assert (report["id"], report["name"]) == (user, name)
        for bearer in report["bearers"]:
            yield user, bearer["scope"], people.client(name, scope_of(bearer["scope"]))


@pytest.mark.parametrize("consented", [False, True])
def test_who_can_reach_this_equals_the_real_answers(people: People, consented: bool) -> None:
    if consented:
        given = {"kinds": ["output", "disk"], "reason": "why", "operator": people.users["operator"]}
        people.member().post(CONSENTS, {"consent": given}).expect(201)
    wanted, compared = requests(people), 0
    for kind, samples in wanted.items():
        told = {
            (each["id"], bearer["scope"]["kind"], bearer["scope"]["id"]): bearer
            for each in people.reach(kind)["users"]
            for bearer in each["bearers"]
        }
        for user, scope, client in logins(people):
            bearer = told.get((user, scope["kind"], scope["id"]), {"allowed": []})
            for action, (method, path, body) in samples.items():
                headers = PATCH if method == "PATCH" else {}
                status = client.call(method, path, body, headers=headers).status
                assert status not in (400, 401, 500), (action, status)
                real = status not in (403, 404)
                assert real == (action in bearer["allowed"]), (kind, user, scope, action, status)
                compared += 1
    assert compared > 150


def test_what_a_user_can_do_equals_the_real_answers(people: People) -> None:
    own = {
        "compute:server:list": ("GET", f"{ROOT}/servers", None),
        "compute:hypervisor:list": ("GET", f"{ROOT}/os-hypervisors", None),
        "compute:flavor:list": ("GET", f"{ROOT}/flavors", None),
        "compute:quota_class_set:show": ("GET", f"{ROOT}/os-quota-class-sets/default", None),
        "image:image:list": ("GET", "/image/v2/images", None),
        "image:image:create": ("POST", "/image/v2/images", {"name": "i"}),
        "network:network:create": ("POST", f"{NET}/networks", {"network": {}}),
        "network:agent:list": ("GET", f"{NET}/agents", None),
        "network:quota:list": ("GET", f"{NET}/quotas", None),
        "identity:user:list": ("GET", f"{V3}/users", None),
        "identity:role:create": ("POST", f"{V3}/roles", {"role": {"name": "r"}}),
        "sovereignty:leaf:list": ("GET", LEAVES, None),
        "sovereignty:emergency:list": ("GET", "/sovereignty/v1/emergencies", None),
    }
    for name, user in people.users.items():
        report = people.operator().get(f"{REPORTS}/user/{user}").expect(200)["user"]
        for bearer in report["bearers"]:
            client = people.client(name, scope_of(bearer["scope"]))
            for action, (method, path, body) in own.items():
                status = client.call(method, path, body).status
                assert status not in (401, 500)
                assert (status != 403) == (action in bearer["allowed"]), (name, action, status)


def test_what_the_reports_say_besides(people: People) -> None:
    users = people.users
    shown = {each["name"]: each for each in people.reach("image")["users"]}
    assert set(shown) == {"admin", "both", "grouped", "heir", "member", "operator"}
    (operator,) = shown["operator"]["bearers"]
    assert operator["operator"] is True
    assert operator["second_factor"] is False
    assert operator["needs_consent"] == ["image:data:download"]
    (both,) = shown["both"]["bearers"]
    assert both["roles"] == ["reader"]
    report = people.operator().get(f"{REPORTS}/user/{users['operator']}").expect(200)["user"]
    declared = {row.action for service in SERVICES for row in service.operations if row.reveals}
    assert {"compute:server:console-output", "compute:server:rescue"} < declared
    assert report["bearers"][0]["needs_consent"] == sorted(declared)
    assert people.operator().get(f"{REPORTS}/user/{users['nobody']}").json["user"]["bearers"] == []
    leaves = people.member().get(LEAVES).expect(200)["leaves"]
    assert "sovereignty:report:reach" not in {each["action"] for each in leaves}
    people.reach("image", people.operator())
    leaves = people.member().get(f"{LEAVES}?limit=1000").expect(200)["leaves"]
    assert leaves[-1]["action"] == "sovereignty:report:reach"


def test_everyones_resources_are_said_to_be(people: People) -> None:
    operator = people.operator()
    public = active(operator, b"all", visibility="public")["id"]
    made = operator.post(f"{NET}/networks", {"network": {"shared": True}}).expect(201)["network"]
    for key in (public, made["id"]):
        told = operator.get(f"{REPORTS}/reach?resource={key}").expect(200)
        assert told["resource"]["everyone"] is True
        assert people.member().get(f"{REPORTS}/reach?resource={key}").status == 404
    assert people.reach("network")["resource"]["everyone"] is False


def test_a_disabled_user_can_do_nothing(people: People) -> None:
    path = f"{V3}/users/{people.users['heir']}"
    assert people.world.admin().patch(path, {"user": {"enabled": False}}).status == 200
    assert "heir" not in {each["name"] for each in people.reach("server")["users"]}
    report = people.operator().get(f"{REPORTS}/user/{people.users['heir']}").expect(200)
    assert report["user"]["bearers"] == []


def test_reports_come_in_pages_to_whom_they_concern(people: People) -> None:
    everybody = [each["id"] for each in people.reach("server")["users"]]
    paged: list[str] = []
    query = "&limit=2"
    while query:
        part = people.reach("server", query=query)
        paged += [each["id"] for each in part["users"]]
        links = part.get("users_links")
        query = "&" + links[0]["href"].partition("?")[2] if links else ""
    assert paged == everybody
    heir = people.users["heir"]
    first = people.operator().get(f"{REPORTS}/user/{heir}?limit=1").expect(200)
    assert len(first["user"]["bearers"]) == len(first["bearers_links"]) == 1
    member, outsider = people.member(), people.world.login(
        "outsider", {"project": {"id": people.other}}, password="pw", private=False
    )  # fmt: skip
    server = people.resources["server"]
    assert outsider.get(f"{REPORTS}/reach?resource={server}").status == 404
    assert member.get(f"{REPORTS}/reach?resource={unknown_id()}").status == 404
    assert member.get(f"{REPORTS}/reach").status == 400
    assert member.get(f"{REPORTS}/reach?resource={server}&marker=x").status == 400
    assert member.get(f"{REPORTS}/user/{people.users['member']}").status == 200
    assert member.get(f"{REPORTS}/user/{people.users['heir']}").status == 403
    assert people.operator().get(f"{REPORTS}/user/nobody").status == 404
