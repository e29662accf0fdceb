"""Makes one resource of each noun in the first project, owned by its member where users own them,
and writes down their ids for the paths of the routing tables."""

from __future__ import annotations

from typing import Any

from andromede.services.compute.hosts.record import note
from andromede.sovereignty.findings import notices
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.words import Text
from tests.contract.identity.making import V3, grant, make
from tests.contract.image.helpers import active, create
from tests.contract.sovereignty.log_world import act
from tests.contract.whole import accounts, extensions, offers, older
from tests.contract.whole.world import Whole, external
from tests.harness import Client, MemoryKeys

COMPUTE, NETWORK, SOVEREIGN = "/compute/v2.1", "/network/v2.0", "/sovereignty/v1"
NEWEST = {"OpenStack-API-Version": "compute latest"}
# Files of consoles' pages by their rows; noVNC's own are deeper, and missing where it is not unpacked.
CONSOLE_FILES = {
    "/{s0}/{s1}": "own/page.js", "/{s0}/{s1}/{s2}": "own/page.js/a",
    "/{s0}/{s1}/{s2}/{s3}": "own/page.js/a/b", "/{s0}/{s1}/{s2}/{s3}/{s4}/{s5}": "own/page.js/a/b/c/d",
}  # fmt: skip
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8VPxLvFz5XK5o5Yv4kYlM0S5n8Yl6m0m0o7o8V9x0K user"


def fill(whole: Whole) -> None:
    """Everything, in the order in which one rests on another."""
    member, admin = whole.client("member"), whole.world.admin()
    ids = whole.ids
    _identity(whole, admin)
    stored = active(member, b"x" * 1024, tags=["red"], hw_qemu_guest_agent="yes")
    ids["image/images"] = stored["id"]
    ids["image:data:upload/images"] = ids["image:data:stage/images"] = create(member)["id"]
    ids["image/tags"] = ids["network/tags"] = ids["compute/tags"] = ids["identity/tags"] = "red"
    _network(whole, member)
    _compute(whole, member, admin)
    accounts.fill(whole, member, admin)
    offers.fill(whole, member, whole.client("admin", private=True))
    extensions.fill(whole, member, whole.client("manager"), whole.client("admin", private=True))
    _declared(whole, admin)
    _told(whole, member, admin)


def _identity(whole: Whole, admin: Client) -> None:
    ids, roles = whole.ids, whole.world.first.roles
    user, domain, web = ids["user member"], ids["domain"], ids["web"]
    group = make(admin, "group", name="staff", domain_id=domain)["id"]
    assert admin.put(f"{V3}/groups/{group}/users/{user}").status == 204
    ids["spare user"] = make(admin, "user", name="spare", domain_id=domain)["id"]
    for kind, actor in (("user", user), ("group", group)):
        for target, target_id in (("domain", domain), ("project", web)):
            path = grant(admin, target, target_id, kind, actor, roles["member"])
            inherited = f"{path.replace(V3, f'{V3}/OS-INHERIT')}/inherited_to_projects"
            assert admin.put(inherited).status == 204
        assert admin.put(f"{V3}/system/{kind}s/{actor}/roles/{roles['reader']}").status == 204
    assert admin.put(f"{V3}/projects/{web}/tags/red").status == 201
    idle = make(admin, "domain", name="idle", enabled=False)["id"]
    member = whole.client("member")
    credential = {"credential": {"type": "cert", "blob": "{}", "project_id": web}}
    held = member.post(f"{V3}/credentials", credential).expect(201)["credential"]["id"]
    own = f"{V3}/users/{user}/application_credentials"
    body = {"application_credential": {"name": "robot"}}
    robot = member.post(own, body).expect(201)["application_credential"]["id"]
    services = admin.get(f"{V3}/services").expect(200)["services"]
    endpoints = admin.get(f"{V3}/endpoints").expect(200)["endpoints"]
    ids.update({
        "identity/domains": domain, "identity/projects": web, "identity/users": user,
        "identity/groups": group, "identity/roles": roles["member"],
        "identity/implies": roles["reader"], "identity/credentials": held,
        "identity/application_credentials": robot, "identity/services": services[0]["id"],
        "identity/endpoints": endpoints[0]["id"], "identity/regions": "RegionOne",
        "identity:domain:delete/domains": idle,
        "identity:role:delete/roles": make(admin, "role", name="extra")["id"],
        "identity:group_user:add/users": ids["spare user"],
        "identity:system_grant:check/roles": roles["reader"],
        "identity:system_grant:revoke/roles": roles["reader"],
        "identity:system_grant:create/roles": roles["reader"],
    })  # fmt: skip


def _network(whole: Whole, member: Client) -> None:
    ids = whole.ids

    def new(noun: str, **values: Any) -> str:
        plural = f"{NETWORK}/{noun}s".replace("_", "-")
        made: str = member.post(plural, {noun: values}).expect(201)[noun]["id"]
        return made

    ids["external"] = external(whole)
    network = ids["network/networks"] = new("network", name="net")
    block = {"network_id": network, "ip_version": 4}
    subnet = ids["network/subnets"] = new("subnet", **block, cidr="10.0.0.0/24")
    ids["spare subnet"] = new("subnet", **block, cidr="10.1.0.0/24")
    gateway = {"external_gateway_info": {"network_id": ids["external"]}}
    router = ids["network/routers"] = new("router", **gateway)
    ids["joined subnet"] = new("subnet", **block, cidr="10.2.0.0/24")
    for each in (subnet, ids["joined subnet"]):
        joined = {"subnet_id": each}
        member.put(f"{NETWORK}/routers/{router}/add_router_interface", joined).expect(200)
    route = {"destination": "172.16.0.0/24", "nexthop": "10.0.0.9"}
    member.put(f"{NETWORK}/routers/{router}", {"router": {"routes": [route]}}).expect(200)
    ids["network/ports"] = new("port", network_id=network)
    ids["network/floatingips"] = new("floatingip", floating_network_id=ids["external"])
    group = ids["network/security-groups"] = new("security_group", name="web")
    ids["network/security_groups"] = group
    ids["extra group"] = new("security_group", name="extra")
    rule = {"security_group_id": group, "direction": "ingress"}
    ids["network/security-group-rules"] = new("security_group_rule", **rule)
    ids["network:network:delete/networks"] = new("network", name="spare")
    ids["network:security_group:delete/security-groups"] = ids["extra group"]
    ids["network:subnet:delete/subnets"] = ids["spare subnet"]
    ids["network:router:delete/routers"] = new("router")
    for noun in ("networks", "subnets", "ports", "routers", "floatingips", "security-groups"):
        path = f"{NETWORK}/{noun}/{ids[f'network/{noun}']}/tags/red"
        assert member.put(path).status == 201
    for persona in ("other", "admin", "sysadm"):  # each project's first list makes its default
        groups = whole.client(persona, private=persona != "other")
        groups.get(f"{NETWORK}/security-groups").expect(200)
    ids["network/quotas"] = ids["web"]
    ids["network/extensions"] = "router"
    ids["network/network-ip-availabilities"] = network


def _compute(whole: Whole, member: Client, admin: Client) -> None:
    ids, cloud = whole.ids, whole.cloud
    for names, file in CONSOLE_FILES.items():
        whole.paths[names] = file
    hosts, home = cloud.engine.hosts(), cloud.config.place
    cloud.database.transact(lambda connection: note(connection, hosts, home))
    flavor = {"name": "own", "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    made = admin.post(f"{COMPUTE}/flavors", {"flavor": flavor}).expect(200)["flavor"]["id"]
    access = {"addTenantAccess": {"tenant": ids["web"]}}
    admin.post(f"{COMPUTE}/flavors/{made}/action", access).expect(200)
    specs = {"extra_specs": {"hw:k": "v"}}
    admin.post(f"{COMPUTE}/flavors/{made}/os-extra_specs", specs).expect(200)
    larger = {
        "flavor": {**flavor, "name": "larger", "ram": 128, "os-flavor-access:is_public": True}
    }
    ids["larger flavor"] = admin.post(f"{COMPUTE}/flavors", larger).expect(200)["flavor"]["id"]
    keypair = {"keypair": {"name": "key", "public_key": KEY}}
    member.post(f"{COMPUTE}/os-keypairs", keypair).expect(201)
    ids["compute/flavors"] = made
    ids["compute/servers"] = server = _server(whole, member, "vm")
    stopped = ids["compute:server:start/servers"] = _server(whole, member, "stopped")
    stop = member.post(f"{COMPUTE}/servers/{stopped}/action", {"os-stop": None})
    assert stop.status == 202
    cloud.settle()
    own = f"{COMPUTE}/servers/{server}"
    actions = member.get(f"{own}/os-instance-actions").expect(200)["instanceActions"]
    ports = member.get(f"{own}/os-interface").expect(200)["interfaceAttachments"]
    hosts_now = admin.get(f"{COMPUTE}/os-hypervisors", headers=NEWEST).expect(200)["hypervisors"]
    hosts_old = admin.get(f"{COMPUTE}/os-hypervisors").expect(200)["hypervisors"]
    group = {"server_group": {"name": "pair", "policy": "affinity"}}
    made = member.post(f"{COMPUTE}/os-server-groups", group).expect(200)["server_group"]["id"]
    ids.update({
        "compute/os-server-groups": made, "compute/os-simple-tenant-usage": ids["web"],
        "compute/migrations": "1", "compute/os-console-auth-tokens": _token(member, own),
        "compute/os-extra_specs": "hw:k", "compute/os-keypairs": "key",
        "compute/os-quota-class-sets": "default", "compute/os-quota-sets": ids["web"],
        "compute/extensions": "os-keypairs", "compute/metadata": "k", "compute/ips": "net",
        "compute/os-instance-actions": actions[0]["request_id"],
        "compute/os-interface": ports[0]["port_id"], "compute/os-hypervisors": hosts_now[0]["id"],
        "compute/os-hypervisors to 2.52": str(hosts_old[0]["id"]),
    })  # fmt: skip
    older.fill(whole, member, admin)


def _token(member: Client, server: str) -> str:
    """A token that opens a server's console."""
    body = {"remote_console": {"protocol": "serial", "type": "serial"}}
    found = member.post(f"{server}/remote-consoles", body).expect(200)["remote_console"]["url"]
    return str(found.rpartition("%3D")[2])


def _server(whole: Whole, member: Client, name: str) -> str:
    body = {
        "name": name, "imageRef": whole.ids["image/images"], "metadata": {"k": "v"},
        "flavorRef": whole.ids["compute/flavors"], "tags": ["red"],
        "networks": [{"uuid": whole.ids["network/networks"]}],
        "security_groups": [{"name": whole.ids["network/security-groups"]}],
    }  # fmt: skip
    made: str = member.post(f"{COMPUTE}/servers", {"server": body}).expect(202)["server"]["id"]
    whole.cloud.settle()
    assert member.get(f"{COMPUTE}/servers/{made}").expect(200)["server"]["status"] == "ACTIVE"
    return made


def _declared(whole: Whole, admin: Client) -> None:
    """A world: who runs the site, and who watches the log."""
    ids = whole.ids

    def put(noun: str, key: str, **values: Any) -> None:
        path = f"{SOVEREIGN}/{noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}/{key}"
        assert admin.put(path, {noun: values}).status in (200, 201)

    for key in ("owner", "runner", "alone"):
        put("entity", key, name=key, country="FR")
    held = {"holding": {"holder": "owner", "held": "runner", "capital": 51}}
    ids["sovereignty/holdings"] = admin.post(f"{SOVEREIGN}/holdings", held).expect(201)[
        "holding"]["id"]  # fmt: skip
    put("contract", "support", customer="runner", supplier="owner", purpose="support")
    put("site", "lyon", country="FR", operator="runner")
    put("site", "spare", country="FR", operator="runner")
    keys = MemoryKeys("elsewhere")
    witness = {"url": "https://elsewhere.test/witness/", "verifier": keys.witness_verifier()}
    assert admin.put(f"{SOVEREIGN}/witnesses/w1", witness).status == 200
    log = {"verifier": keys.log_verifier()}
    assert admin.put(f"{SOVEREIGN}/witness/logs/elsewhere%2Flog", log).status == 200
    acts_for = f"{SOVEREIGN}/affiliations/{ids['user member']}"
    assert admin.put(acts_for, {"entity": "runner"}).status == 200
    ids.update({
        "sovereignty/entities": "runner", "sovereignty:entity:delete/entities": "alone",
        "sovereignty/contracts": "support", "sovereignty/sites": "lyon",
        "sovereignty:site:delete/sites": "spare", "sovereignty/witnesses": "w1",
        "sovereignty/logs": "elsewhere%2Flog", "sovereignty/affiliations": ids["user member"],
        "verifier witness": keys.witness_verifier(), "verifier log": keys.log_verifier(),
    })  # fmt: skip


def _told(whole: Whole, member: Client, admin: Client) -> None:
    """Consents, emergencies, policies, a finding and a notice of the project, and its log."""
    ids, web, cloud = whole.ids, whole.ids["web"], whole.cloud
    asked = {"kinds": ["disk"], "reason": "ticket 7", "project_id": web}

    def consent(client: Client) -> str:
        made = client.post(f"{SOVEREIGN}/consents", {"consent": asked}).expect(201)
        return str(made["consent"]["id"])

    def emergency() -> str:
        made = admin.post(f"{SOVEREIGN}/emergencies", {"emergency": asked}).expect(201)
        return str(made["emergency"]["id"])

    ids["sovereignty/consents"] = consent(admin)
    ids["sovereignty:consent:revoke/consents"] = consent(member)
    ids["sovereignty/emergencies"] = emergency()
    opened = ids["sovereignty:emergency:close/emergencies"] = emergency()
    second = whole.client("sysadm", private=True)
    assert second.post(f"{SOVEREIGN}/emergencies/{opened}/approve").status == 200
    for scope in (f"projects/{web}", f"domains/{ids['domain']}"):
        body = {"policy": {"finding_days": 30}}
        assert admin.put(f"{SOVEREIGN}/policies/{scope}", body).status == 200

    def tell(connection: Any) -> str:
        findings.note(connection, "allowed_sites", "server", ids["compute/servers"],
                      Text("why", "pourquoi"), project_id=web, site="lyon")  # fmt: skip
        return notices.open(connection, "finding", web, "texte", "text")

    ids["sovereignty/notices"] = cloud.database.transact(tell)
    found = member.get(f"{SOVEREIGN}/findings").expect(200)["findings"]
    act(cloud, 256)  # one whole tile at least
    cloud.number()
    leaves = member.get(f"{SOVEREIGN}/log/leaves").expect(200)["leaves"]
    answer = {"answer": {"answer": 1, "because_en": "so", "because_fr": "ainsi"}}
    assert admin.put(f"{SOVEREIGN}/seal/SOV-2.3", answer).status == 200
    whole.documents["world"] = admin.get(f"{SOVEREIGN}/world").expect(200)["world"]
    ids.update({
        "sovereignty/findings": found[0]["id"], "sovereignty/plans": web,
        "sovereignty/evidence": web, "sovereignty/user": ids["user member"],
        "sovereignty/projects": web, "sovereignty/domains": ids["domain"], "leaf": leaves[0]["id"],
        "sovereignty/seal": "SOV-2.3",
    })  # fmt: skip
    tiles = ("000", "000.p/1", "x001/000.p/1", "x001/x000/000.p/1",
             "x001/x000/x000/000.p/1")  # fmt: skip
    for depth, tile in enumerate(tiles, 1):
        template = "/v1/log/tile/{level}" + "".join(f"/{{n{at}}}" for at in range(depth))
        whole.paths[template] = f"/v1/log/tile/0/{tile}"
