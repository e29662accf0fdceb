"""What the tests of servers do again and again: a site to build in, and servers built there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from andromede.engine.simulated import SimulatedEngine
from andromede.figures import Figures
from andromede.http.operation import Service
from andromede.services import compute, image, network
from andromede.services.compute import api
from andromede.services.compute.servers import reconcile
from tests.contract.image.helpers import active
from tests.harness import Answer, Client, TestCloud, caller

ROOT = "/compute/v2.1"
LATEST = {"OpenStack-API-Version": "compute 2.96"}


class EngineConsoles:
    """The edge role's side of consoles, straight from an engine."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine

    def figures(self, server_id: str) -> Figures | None:
        return self._engine.figures(server_id)

    def console_output(self, server_id: str, length: int | None) -> str:
        descriptor = self._engine.console_output(server_id)
        if descriptor is None:
            raise FileNotFoundError(server_id)
        with os.fdopen(descriptor, "rb") as log:
            log.seek(0)
            lines = log.read().decode().splitlines(keepends=True)
        return "".join(lines if length is None else lines[max(0, len(lines) - length) :])


@dataclass
class Site:
    """A project's network and image, and the personae that use them."""

    cloud: TestCloud
    member: Client
    reader: Client
    other: Client
    admin: Client
    image: str
    network: str
    flavor: str
    servers: list[str] = field(default_factory=list)

    def body(self, **more: Any) -> dict[str, Any]:
        """A request to create a server, with some members changed; None leaves one out."""
        server = {
            "name": "vm", "imageRef": self.image, "flavorRef": self.flavor,
            "networks": [{"uuid": self.network}], **more,
        }  # fmt: skip
        return {"server": {key: value for key, value in server.items() if value is not None}}

    def create(self, client: Client | None = None, **more: Any) -> Answer:
        return (client or self.member).post(f"{ROOT}/servers", self.body(**more))

    def build(self, client: Client | None = None, **more: Any) -> dict[str, Any]:
        """A server that was made and is ACTIVE."""
        made = self.create(client, **more).expect(202)["server"]
        self.cloud.settle()
        shown = self.show(made["id"])
        assert shown["status"] == "ACTIVE", shown.get("fault")
        return shown

    def show(self, server_id: str, client: Client | None = None) -> dict[str, Any]:
        answer = (client or self.admin).get(f"{ROOT}/servers/{server_id}")
        shown: dict[str, Any] = answer.expect(200)["server"]
        return shown

    def status(self, server_id: str) -> str:
        return str(self.show(server_id)["status"])

    def act(self, server_id: str, name: str, value: Any = None, **more: Any) -> Answer:
        client: Client = more.get("client") or self.member
        return client.post(f"{ROOT}/servers/{server_id}/action", {name: value})

    def world(self) -> Any:
        return SimpleNamespace(cloud=self.cloud.cloud, engine=self.cloud.engine)

    def follow(self) -> None:
        """Let machines' events and the comparison of the whole host have their effect."""
        reconcile.follow_events(self.world(), 0)
        reconcile.compare(self.world())
        self.cloud.settle()


def open_cloud(
    folder: Path, url: str | None = None, *more: Service, closed: bool = False
) -> TestCloud:
    """A cloud with everything a server needs: image, network, compute, and consoles to read."""
    services = [compute.SERVICE, image.SERVICE, network.SERVICE, *more]
    lifecycles = [*compute.LIFECYCLES, *image.LIFECYCLES, *network.LIFECYCLES]
    cloud = TestCloud(folder, services, lifecycles, url=url, closed=closed)
    cloud.cloud.edge = EngineConsoles(cloud.engine)
    cloud.database.transact(api.bootstrap)
    return cloud


def open_site(cloud: TestCloud) -> Site:
    member = cloud.as_(caller(user="u1"), **LATEST)
    admin = cloud.as_(caller("admin", "ops"), private=True, **LATEST)
    stored = active(member, b"x" * 1024, hw_qemu_guest_agent="yes")
    made = member.post("/network/v2.0/networks", {"network": {"name": "net"}}).expect(201)
    subnet = {"network_id": made["network"]["id"], "cidr": "10.0.0.0/24", "ip_version": 4}
    member.post("/network/v2.0/subnets", {"subnet": subnet}).expect(201)
    flavors = member.get(f"{ROOT}/flavors").expect(200)["flavors"]
    return Site(
        cloud=cloud,
        member=member,
        reader=cloud.as_(caller("reader", user="u2"), **LATEST),
        other=cloud.as_(caller(project="p2"), **LATEST),
        admin=admin,
        image=stored["id"],
        network=made["network"]["id"],
        flavor=next(each["id"] for each in flavors if each["name"] == "t1.tiny"),
    )
