"""Short ways to make networks, ports and the rest in tests, as any persona."""

from __future__ import annotations

from typing import Any

from andromede.engine.networks import FirewallSpec, GroupSpec
from andromede.http.context import Context
from andromede.services.network import SERVICE, api
from tests.harness import HOST, Answer, TestCloud, caller

BASE = "/network/v2.0"


class Net:
    """A persona's client of the network service."""

    def __init__(self, cloud: TestCloud, role: str = "member", project: str = "p1") -> None:
        self.cloud = cloud
        self.caller = caller(role, project)
        self.project = project
        self.client = cloud.as_(self.caller, private=role == "admin")

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.client.call(method, f"{BASE}/{path}", body)

    def get(self, path: str, status: int = 200) -> Any:
        return self.call("GET", path).expect(status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PUT", path, body).expect(status)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        return self.call("POST", path, body).expect(status)

    def delete(self, path: str, status: int = 204) -> Any:
        return self.call("DELETE", path).expect(status)

    def refused(self, method: str, path: str, body: Any, status: int, name: str) -> str:
        """The message of a refusal, after checking its status and type."""
        error = self.call(method, path, body).expect(status)["NeutronError"]
        assert error["type"] == name, error
        assert error["detail"] == ""
        return str(error["message"])

    def network(self, **more: Any) -> Any:
        return self.post("networks", {"network": more})["network"]

    def subnet(self, network: Any, cidr: str = "10.0.0.0/24", **more: Any) -> Any:
        version = 6 if ":" in cidr else 4
        values = {"network_id": network["id"], "cidr": cidr, "ip_version": version, **more}
        return self.post("subnets", {"subnet": values})["subnet"]

    def port(self, network: Any, **more: Any) -> Any:
        return self.post("ports", {"port": {"network_id": network["id"], **more}})["port"]

    def router(self, **more: Any) -> Any:
        return self.post("routers", {"router": more})["router"]

    def floating(self, outside: Any, **more: Any) -> Any:
        values = {"floating_network_id": outside["id"], **more}
        return self.post("floatingips", {"floatingip": values})["floatingip"]

    def group(self, name: str = "web") -> Any:
        return self.post("security-groups", {"security_group": {"name": name}})["security_group"]

    def rule(self, group: Any, **more: Any) -> Any:
        values = {"security_group_id": group["id"], "direction": "ingress", **more}
        return self.post("security-group-rules", {"security_group_rule": values})[
            "security_group_rule"
        ]

    def default_group(self) -> Any:
        return self.get("security-groups?name=default")["security_groups"][0]

    def context(self) -> Context:
        """A request's context for calls of `api`; the caller sets its transaction."""
        context = Context(
            self.cloud.cloud, SERVICE, SERVICE.operations[0], params={},
            query=[], headers={}, listener="public", base_url="https://cloud.test",
        )  # fmt: skip
        context.request_id = "req-test"
        context.caller = self.caller
        return context

    def boot(self, server_id: str, network: Any = None, *ports: Any, **more: Any) -> list[api.Port]:
        """Do what compute does when a server with cards is accepted."""
        holder = api.Holder(server_id=server_id, host=HOST, owner_uid=77, hostname=f"n-{server_id}")

        def work(connection: Any) -> list[api.Port]:
            context = self.context()
            context.conn = connection
            made = api.bind_ports(connection, context, [each["id"] for each in ports], holder)
            if network is not None:
                card = len(made)
                made.append(
                    api.create_port(
                        connection, context, network["id"], holder, position=card, **more
                    )
                )
            return made

        return self.cloud.database.transact(work)


def firewall(net: Net, network: Any) -> FirewallSpec:
    """What the engine was told that filters a network."""
    return net.cloud.engine.firewalls[network["id"]]


def group_of(spec: FirewallSpec, group_id: str) -> GroupSpec:
    """One of the groups that filter a network."""
    return next(each for each in spec.groups if each.id == group_id)


def outside(cloud: TestCloud) -> Any:
    """The operator's external network, made as first start makes it."""
    key = cloud.database.transact(lambda c: api.bootstrap(c, cloud.config, "ops"))
    cloud.settle()
    return Net(cloud, "admin", "ops").get(f"networks/{key}")["network"]


def wired(net: Net, cidr: str = "10.0.0.0/24") -> tuple[Any, Any, Any, Any]:
    """(external network, router with gateway, network, subnet), joined."""
    external = outside(net.cloud)
    router = net.router(external_gateway_info={"network_id": external["id"]})
    network = net.network(name="inside")
    subnet = net.subnet(network, cidr)
    net.put(f"routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
    return external, router, network, subnet
