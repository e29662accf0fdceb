"""What the crash tests know of each kind of lifecycle: how to make one over HTTP, how to tell that
it settled, how to delete it. Everything else they find out by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from andromede import clock
from andromede.engine.protocol import Power
from andromede.services.compute import api as compute
from andromede.services.network import api as network
from tests.contract.compute.servers.helpers import Site, open_site
from tests.contract.image.helpers import importing, show
from tests.crash import sample
from tests.harness import Client, TestCloud, caller

Make = Callable[[TestCloud, Client], str]
Ask = Callable[[TestCloud, Client, str], str]
Tell = Callable[[TestCloud, Client, str], bool]


def _nothing(_: TestCloud, __: Client) -> None:
    return


def _remember(_: TestCloud) -> None:
    return


def _always(_: TestCloud, __: Client, ___: str) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One kind of resource.

    `prepare` makes what a resource stands on, once for each cloud. `create` answers an id and may
    leave work; `status` is "good", "error" or "gone", anything else while it moves; `fault` is the
    text that its owner reads of a failure, where the API has a place for one. `there` tells that
    the engine holds it. `covers` are other kinds that take part. `history` names tables that keep
    rows of what is gone, and `forget` lets the time pass after which such rows go. A
    `silent` kind has no status to show a failure by: its reconciler asks again.
    """

    kind: str
    create: Make
    status: Ask
    fault: Ask | None = None
    delete: Callable[[TestCloud, Client, str], None]
    there: Tell = _always
    prepare: Callable[[TestCloud, Client], None] = _nothing
    covers: frozenset[str] = frozenset()
    history: frozenset[str] = frozenset()
    forget: Callable[[TestCloud], None] = _remember
    silent: bool = False


def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), accept="application/json")


def _image_create(_: TestCloud, client: Client) -> str:
    return str(importing(client, b"data", tags=["t"], colour="red")["id"])


def _image_status(cloud: TestCloud, client: Client, image_id: str) -> str:
    answer = client.get(f"/image/v2/images/{image_id}")
    left = any(cloud.paths.images.glob(f"{image_id}*"))
    if answer.status == 404:
        return "removing" if left else "gone"
    status = show(client, image_id)["status"]
    if status == "queued":
        return "moving" if left else "error"
    return "good" if status == "active" and left else "moving"


def _image_fault(_: TestCloud, client: Client, image_id: str) -> str:
    tasks = client.get(f"/image/v2/images/{image_id}/tasks").expect(200)["tasks"]
    return str(tasks[-1]["message"])


def _image_delete(_: TestCloud, client: Client, image_id: str) -> None:
    assert client.delete(f"/image/v2/images/{image_id}").status == 204


IMAGE = Scenario(
    kind="image",
    create=_image_create,
    status=_image_status,
    fault=_image_fault,
    delete=_image_delete,
    history=frozenset({"image_tombstone"}),
)


def _network_create(_: TestCloud, client: Client) -> str:
    body = {"network": {"name": "n"}}
    network = client.post("/network/v2.0/networks", body).expect(201)["network"]
    subnet = {"network_id": network["id"], "cidr": "10.0.0.0/24", "ip_version": 4}
    client.post("/network/v2.0/subnets", {"subnet": subnet}).expect(201)
    return str(network["id"])


def _status(path: str, noun: str, good: str = "ACTIVE") -> Ask:
    """The status that a resource shows, as scenarios tell it."""

    def ask(_: TestCloud, client: Client, resource: str) -> str:
        answer = client.get(f"{path}/{resource}")
        if answer.status == 404:
            return "gone"
        shown = str(answer.expect(200)[noun]["status"])
        return {good: "good", "ERROR": "error"}.get(shown, shown)

    return ask


def _delete(path: str, status: int) -> Callable[[TestCloud, Client, str], None]:
    return lambda _, client, resource: client.delete(f"{path}/{resource}").expect(status)


NETWORK = Scenario(
    kind="network",
    create=_network_create,
    status=_status("/network/v2.0/networks", "network"),
    delete=_delete("/network/v2.0/networks", 204),
    there=lambda cloud, _, each: each in cloud.engine.networks,
)
SAMPLE = Scenario(
    kind="sample",
    create=sample.create_one,
    status=sample.status_of,
    fault=sample.fault_of,
    delete=sample.delete_one,
    there=lambda cloud, _, each: each in cloud.engine.networks,
)

SITES: WeakKeyDictionary[TestCloud, Site] = WeakKeyDictionary()
REMEMBERED = 8 * 86_400 * clock.SECOND  # longer than rows of deleted servers are kept


def _server_prepare(cloud: TestCloud, _: Client) -> None:
    cloud.database.transact(compute.bootstrap)
    SITES[cloud] = open_site(cloud)


def _server_create(cloud: TestCloud, _: Client) -> str:
    return str(SITES[cloud].create().expect(202)["server"]["id"])


def _server_status(_: TestCloud, client: Client, server_id: str) -> str:
    answer = client.get(f"/compute/v2.1/servers/{server_id}")
    if answer.status == 404:
        return "gone"
    shown = str(answer.expect(200)["server"]["status"])
    return {"ACTIVE": "good", "ERROR": "error"}.get(shown, shown)


def _server_fault(_: TestCloud, client: Client, server_id: str) -> str:
    server = client.get(f"/compute/v2.1/servers/{server_id}").expect(200)["server"]
    return str(server["fault"]["message"])


def _server_forget(cloud: TestCloud) -> None:
    later = clock.now() + REMEMBERED
    clock.set_source(lambda: later)
    try:
        SITES[cloud].follow()
    finally:
        clock.set_source(None)


def _server_there(cloud: TestCloud, _: Client, server_id: str) -> bool:
    engine = cloud.engine
    machine = engine.servers.get(server_id)
    on = server_id in engine.power and engine.power[server_id].power is Power.ON
    return machine is not None and on and all(nic.port_id in engine.ports for nic in machine.nics)


SERVER = Scenario(
    kind="server",
    covers=frozenset({"port", "firewall"}),
    prepare=_server_prepare,
    create=_server_create,
    status=_server_status,
    fault=_server_fault,
    delete=_delete("/compute/v2.1/servers", 204),
    there=_server_there,
    forget=_server_forget,
)


NETWORKING = "/network/v2.0"


def _post(client: Client, noun: str, **body: object) -> str:
    """Make something of the networking API; its id."""
    made = client.post(f"{NETWORKING}/{noun.replace('_', '-')}s", {noun: body}).expect(201)
    return str(made[noun]["id"])


def _router_prepare(cloud: TestCloud, client: Client) -> None:
    config = cloud.config
    outside = cloud.database.transact(lambda c: network.bootstrap(c, config, "ops"))
    inside = _post(client, "network", name="inside")
    subnet = _post(client, "subnet", network_id=inside, cidr="10.9.0.0/24", ip_version=4)
    PLACES[cloud] = {"outside": outside, "subnet": subnet}
    PLACES[cloud]["port"] = _post(client, "port", network_id=inside)


def _router_create(cloud: TestCloud, client: Client) -> str:
    place = PLACES[cloud]
    router = _post(client, "router", external_gateway_info={"network_id": place["outside"]})
    path = f"{NETWORKING}/routers/{router}/add_router_interface"
    client.put(path, {"subnet_id": place["subnet"]}).expect(200)
    place["floatingip"] = _post(
        client, "floatingip", floating_network_id=place["outside"], port_id=place["port"]
    )
    return router


def _router_delete(cloud: TestCloud, client: Client, router: str) -> None:
    place = PLACES[cloud]
    assert client.delete(f"{NETWORKING}/floatingips/{place['floatingip']}").status == 204
    path = f"{NETWORKING}/routers/{router}"
    leg = {"subnet_id": place["subnet"]}
    client.put(f"{path}/remove_router_interface", leg).expect(200)
    assert client.delete(path).status == 204


def _router_there(cloud: TestCloud, _: Client, router: str) -> bool:
    spec = cloud.engine.routers.get(router)
    return spec is not None and bool(spec.gateway and spec.interfaces and spec.floating)


PLACES: WeakKeyDictionary[TestCloud, dict[str, str]] = WeakKeyDictionary()
ROUTER = Scenario(
    kind="router",
    prepare=_router_prepare,
    create=_router_create,
    status=_status(f"{NETWORKING}/routers", "router"),
    delete=_router_delete,
    there=_router_there,
)


def _rule_prepare(cloud: TestCloud, client: Client) -> None:
    _server_prepare(cloud, client)
    SITES[cloud].build()
    groups = client.get(f"{NETWORKING}/security-groups?name=default").expect(200)
    PLACES[cloud] = {"group": groups["security_groups"][0]["id"]}


def _rule_create(cloud: TestCloud, client: Client) -> str:
    return _post(
        client, "security_group_rule", security_group_id=PLACES[cloud]["group"],
        direction="ingress", protocol="tcp", port_range_min=4711, port_range_max=4711,
    )  # fmt: skip


def _filtered(cloud: TestCloud) -> bool:
    """Whether the rule is in force on the host."""
    group, site = PLACES[cloud]["group"], SITES[cloud].network
    spec = cloud.engine.firewalls.get(site)
    rules = [each.rules for each in spec.groups if each.id == group] if spec else []
    return any(rule.port_min == 4711 for each in rules for rule in each)


def _rule_status(cloud: TestCloud, client: Client, rule: str) -> str:
    exists = client.get(f"{NETWORKING}/security-group-rules/{rule}").status == 200
    states = {(True, True): "good", (False, False): "gone"}
    return states.get((exists, _filtered(cloud)), "moving")


SECURITY_GROUP = Scenario(
    kind="security_group",
    covers=frozenset({"firewall"}),
    prepare=_rule_prepare,
    create=_rule_create,
    status=_rule_status,
    delete=_delete(f"{NETWORKING}/security-group-rules", 204),
    silent=True,
)


def _card_prepare(cloud: TestCloud, client: Client) -> None:
    _server_prepare(cloud, client)
    PLACES[cloud] = {"server": SITES[cloud].build()["id"]}


def _card_create(cloud: TestCloud, client: Client) -> str:
    body = {"interfaceAttachment": {"net_id": SITES[cloud].network}}
    made = client.post(f"{_cards(cloud)}", body).expect(200)
    return str(made["interfaceAttachment"]["port_id"])


def _cards(cloud: TestCloud) -> str:
    return f"/compute/v2.1/servers/{PLACES[cloud]['server']}/os-interface"


def _card_status(cloud: TestCloud, client: Client, port: str) -> str:
    """A card that goes though nobody asked for it could not be plugged."""
    if client.get(f"{_cards(cloud)}/{port}").status == 404:
        return "gone" if port in PLACES[cloud] else "error"
    return "good" if _card_there(cloud, client, port) else "moving"


def _card_delete(cloud: TestCloud, client: Client, port: str) -> None:
    PLACES[cloud][port] = "deleted"
    assert client.delete(f"{_cards(cloud)}/{port}").status in (202, 404)


def _card_there(cloud: TestCloud, _: Client, port: str) -> bool:
    return port in cloud.engine.cards.get(PLACES[cloud]["server"], [])


SERVER_CARDS = Scenario(
    kind="server_cards",
    covers=frozenset({"port", "firewall"}),
    prepare=_card_prepare,
    create=_card_create,
    status=_card_status,
    delete=_card_delete,
    there=_card_there,
    history=frozenset({"server_action", "server_event"}),
)

SCENARIOS = {
    each.kind: each
    for each in (IMAGE, NETWORK, ROUTER, SAMPLE, SECURITY_GROUP, SERVER, SERVER_CARDS)
}
