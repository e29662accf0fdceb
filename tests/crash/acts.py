"""What customers do in random sequences, over HTTP; every answer is one that may be given."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.contract.image.helpers import OCTETS, qcow2
from tests.crash.world import Killed, World
from tests.harness import Answer, Client

COMPUTE, NETWORK, IMAGE = "/compute/v2.1", "/network/v2.0", "/image/v2"
PATHS = {
    "server": f"{COMPUTE}/servers",
    "floatingip": f"{NETWORK}/floatingips",
    "router": f"{NETWORK}/routers",
    "port": f"{NETWORK}/ports",
    "subnet": f"{NETWORK}/subnets",
    "network": f"{NETWORK}/networks",
    "security_group": f"{NETWORK}/security-groups",
    "image": f"{IMAGE}/images",
}  # in the order in which all can be deleted
GONE = (204, 404)
FLAVORS = ("t1.tiny", "t1.small", "t1.medium")
WHOLE: tuple[dict[str, Any], ...] = (
    {"pause": None}, {"unpause": None}, {"suspend": None}, {"resume": None},
    {"confirmResize": None}, {"revertResize": None}, {"createImage": {"name": "snap"}},
    {"rescue": None}, {"unrescue": None}, {"shelve": None}, {"unshelve": None},
    {"changePassword": {"adminPass": "new"}},
)  # fmt: skip


class Acts:
    """Random acts of two projects. `made` holds the id of whatever was accepted, by noun, with its
    project; what was deleted is in `deleted`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng: random.Random = world.rng
        self.made: dict[str, dict[str, int]] = {noun: {} for noun in PATHS}
        self.deleted: dict[str, dict[str, int]] = {noun: {} for noun in PATHS}
        self.network_of: dict[str, str] = {}  # by subnet: a network takes its subnets along
        self.journal: list[str] = []
        flavors = world.members[0].get(f"{COMPUTE}/flavors").expect(200)["flavors"]
        self.flavor = next(each["id"] for each in flavors if each["name"] == "t1.tiny")
        for project in range(len(world.members)):
            self.furnish(project)

    def furnish(self, project: int) -> None:
        """What a project's first server needs, so that most acts have something to act on."""
        self.journal.append("furnish")
        network = self.create("network", {"name": "first"}, project)
        assert network
        self.create_subnet_on(network, "10.0.9.0/24", project)
        while not self.made["server"] or project not in self.made["server"].values():
            self.create_image(project)
            self.create_server(project)
        self.create("router", {"name": "first"}, project)
        for _ in range(2):
            self.create("port", {"network_id": network}, project)
            self.create_server(project)

    def one(self) -> None:
        """One act or disaster."""
        acts: list[tuple[int, Callable[[], object]]] = [
            (6, self.create_network), (6, self.create_subnet), (6, self.create_port),
            (4, self.create_router), (5, self.join_router), (3, self.leave_router),
            (3, self.gateway), (4, self.create_floating), (4, self.move_floating),
            (2, self.create_group), (2, self.create_rule), (3, self.change_port),
            (4, self.create_image), (1, self.killed_upload),
            (10, self.create_server), (14, self.act_on_server), (2, self.rename_server),
            (4, self.change_cards),
            (9, self.delete_something),
            (12, self.world.some_work), (4, self.world.kill_worker), (3, self.world.fault),
            (1, self.world.restart_host), (2, self.world.machine_event),
            (3, self.world.reconcile), (1, self.world.restart_api),
        ]  # fmt: skip
        act = self.rng.choices([each for _, each in acts], [weight for weight, _ in acts])[0]
        self.journal.append(act.__name__)
        act()

    def who(self) -> tuple[int, Client]:
        at = self.rng.randrange(len(self.world.members))
        return at, self.world.members[at]

    def some(self, noun: str, project: int) -> str | None:
        """An id of the project's, or now and then anybody's."""
        known = self.made[noun]
        mine = [key for key, owner in known.items() if owner == project]
        if known and self.rng.random() < 0.05:
            return self.rng.choice(list(known))
        return self.rng.choice(mine) if mine else None

    def check(self, answer: Answer) -> Answer:
        self.journal[-1] += f" {answer.status}"
        assert answer.status < 500, answer.body[:2000]
        return answer

    def create(self, noun: str, body: dict[str, Any], project: int, key: str = "") -> str | None:
        client = self.world.members[project]
        answer = self.check(client.post(PATHS[noun], {key or noun: body}))
        if answer.status not in (201, 202):
            return None
        made: str = answer.json[key or noun]["id"]
        self.made[noun][made] = project
        return made

    def create_network(self) -> None:
        project, _ = self.who()
        self.create("network", {"name": f"n{self.rng.randrange(9)}"}, project)

    def create_subnet(self) -> None:
        project, _ = self.who()
        network = self.some("network", project)
        if network:
            size = self.rng.choice((24, 28, 29))
            cidr = f"10.0.{self.rng.randrange(4)}.0/{size}"
            self.create_subnet_on(network, cidr, project)

    def create_subnet_on(self, network: str, cidr: str, project: int) -> None:
        body = {"network_id": network, "cidr": cidr, "ip_version": 4}
        subnet = self.create("subnet", body, project)
        if subnet:
            self.network_of[subnet] = network

    def create_port(self) -> None:
        project, _ = self.who()
        network = self.some("network", project)
        if network:
            self.create("port", {"network_id": network}, project)

    def change_port(self) -> None:
        project, client = self.who()
        port = self.some("port", project)
        if port:
            change: dict[str, Any] = self.rng.choice((
                {"name": "renamed"}, {"admin_state_up": False}, {"security_groups": []},
                {"allowed_address_pairs": [{"ip_address": "10.9.9.9"}]}, {"fixed_ips": []},
            ))  # fmt: skip
            self.check(client.put(f"{PATHS['port']}/{port}", {"port": change}))

    def create_router(self) -> None:
        project, _ = self.who()
        body: dict[str, Any] = {"name": "r"}
        if self.rng.random() < 0.6:
            body["external_gateway_info"] = {"network_id": self.world.external}
        self.create("router", body, project)

    def join_router(self) -> None:
        self._leg("add_router_interface")

    def leave_router(self) -> None:
        self._leg("remove_router_interface")

    def _leg(self, verb: str) -> None:
        project, client = self.who()
        router, subnet = self.some("router", project), self.some("subnet", project)
        if router and subnet:
            body = {"subnet_id": subnet}
            self.check(client.put(f"{PATHS['router']}/{router}/{verb}", body))

    def gateway(self) -> None:
        project, client = self.who()
        router = self.some("router", project)
        if router:
            wanted = self.rng.choice(({"network_id": self.world.external}, None))
            body = {"router": {"external_gateway_info": wanted}}
            self.check(client.put(f"{PATHS['router']}/{router}", body))

    def create_floating(self) -> None:
        project, _ = self.who()
        body = {"floating_network_id": self.world.external}
        port = self.some("port", project)
        if port and self.rng.random() < 0.5:
            body["port_id"] = port
        self.create("floatingip", body, project)

    def move_floating(self) -> None:
        project, client = self.who()
        floating = self.some("floatingip", project)
        if floating:
            port = self.rng.choice((self.some("port", project), None))
            body = {"floatingip": {"port_id": port}}
            self.check(client.put(f"{PATHS['floatingip']}/{floating}", body))

    def create_group(self) -> None:
        project, _ = self.who()
        self.create("security_group", {"name": "g"}, project)

    def create_rule(self) -> None:
        project, client = self.who()
        group = self.some("security_group", project)
        if group:
            rule: dict[str, Any] = {"security_group_id": group, "direction": "ingress"}
            rule |= {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
            other = self.some("security_group", project)
            if other and self.rng.random() < 0.5:
                rule["remote_group_id"] = other
            body = {"security_group_rule": rule}
            self.check(client.post(f"{NETWORK}/security-group-rules", body))

    def create_image(self, project: int | None = None) -> str | None:
        """An image with data that are what is declared, or now and then are not."""
        project = self.who()[0] if project is None else project
        client = self.world.members[project]
        kinds = {"raw": b"x" * 4096, "qcow2": qcow2()}
        declared = self.rng.choice(list(kinds))
        found = self.rng.choice(list(kinds)) if self.rng.random() < 0.2 else declared
        body = {"disk_format": declared, "container_format": "bare", "hw_qemu_guest_agent": "yes"}
        answer = self.check(client.post(PATHS["image"], body))
        if answer.status != 201:
            return None
        image: str = answer.json["id"]
        self.made["image"][image] = project
        path = f"{PATHS['image']}/{image}/file"
        self.check(client.put(path, raw=kinds[found], headers=OCTETS))
        return image

    def killed_upload(self) -> None:
        """The api process dies in an upload, at some point of it, and another starts."""
        from andromede.services.image.data.incoming import Incoming

        point = self.rng.choice(("write", "finish", "_note_end"))
        real, abandon, uploads = getattr(Incoming, point), Incoming.abandon, []

        def die(upload: Incoming, *_: Any) -> None:
            uploads.append(upload)
            raise Killed

        setattr(Incoming, point, die)
        Incoming.abandon = lambda self: None  # type: ignore[method-assign]
        try:
            self.create_image()
        except Killed:
            pass
        finally:
            setattr(Incoming, point, real)
            Incoming.abandon = abandon  # type: ignore[method-assign]
            for upload in uploads:
                self._close(upload)
        self.world.restart_api()

    @staticmethod
    def _close(upload: Any) -> None:
        """What the kernel does for a process that ends."""
        import os

        if upload.descriptor >= 0:
            os.close(upload.descriptor)
            upload.descriptor = -1

    def create_server(self, project: int | None = None) -> None:
        project = self.who()[0] if project is None else project
        image = self.some("image", project)
        if image is None:
            return
        port, network = self.some("port", project), self.some("network", project)
        nets: Any = "none"
        if port and self.rng.random() < 0.4:
            nets = [{"port": port}]
        elif network:
            nets = [{"uuid": network}]
        body = {"name": "vm", "imageRef": image, "flavorRef": self.flavor, "networks": nets}
        self.create("server", body, project)

    def act_on_server(self) -> None:
        project, client = self.who()
        server = self.some("server", project)
        if server:
            act: dict[str, Any] = self.rng.choice((
                {"os-stop": None}, {"os-start": None}, {"reboot": {"type": "SOFT"}},
                {"reboot": {"type": "HARD"}}, {"lock": None}, {"unlock": None},
                {"addSecurityGroup": {"name": "default"}},
                {"removeSecurityGroup": {"name": "default"}},
                *WHOLE, *WHOLE, {"resize": {"flavorRef": self.rng.choice(FLAVORS)}},
                {"rebuild": {"imageRef": self.some("image", project) or server}},
            ))  # fmt: skip
            self.check(client.post(f"{PATHS['server']}/{server}/action", act))

    def change_cards(self) -> None:
        """A card more or less; a port that is given may be another's."""
        project, client = self.who()
        server, port = self.some("server", project), self.some("port", project)
        network = self.some("network", project)
        if server is None:
            return
        url = f"{PATHS['server']}/{server}/os-interface"
        held = client.get(url)
        mine = held.json["interfaceAttachments"] if held.status == 200 else []
        if mine and self.rng.random() < 0.4:
            self.check(client.delete(f"{url}/{self.rng.choice(mine)['port_id']}"))
        elif port and self.rng.random() < 0.5:
            self.check(client.post(url, {"interfaceAttachment": {"port_id": port}}))
        elif network:
            self.check(client.post(url, {"interfaceAttachment": {"net_id": network}}))

    def rename_server(self) -> None:
        project, client = self.who()
        server = self.some("server", project)
        if server:
            body = {"server": {"name": f"renamed{self.rng.randrange(9)}"}}
            self.check(client.put(f"{PATHS['server']}/{server}", body))

    def delete_something(self) -> None:
        project, client = self.who()
        noun = self.rng.choice(list(PATHS))
        key = self.some(noun, project)
        if key:
            self.delete(noun, key, client)

    def delete(self, noun: str, key: str, client: Client) -> Answer:
        answer = self.check(client.delete(f"{PATHS[noun]}/{key}"))
        if answer.status == 204:
            self.deleted[noun][key] = self.made[noun].pop(key)
            if noun == "network":
                for subnet in [each for each, of in self.network_of.items() if of == key]:
                    if subnet in self.made["subnet"]:
                        self.deleted["subnet"][subnet] = self.made["subnet"].pop(subnet)
        return answer

    def verify(self) -> None:
        """What was accepted is there, and what was deleted is gone."""
        for noun, path in PATHS.items():
            for wanted, keys in ((200, self.made[noun]), (404, self.deleted[noun])):
                for key, project in keys.items():
                    shown = self.world.members[project].get(f"{path}/{key}")
                    assert shown.status == wanted, (noun, key, shown.status)

    def delete_again(self) -> None:
        """A server that could not be removed for good is in ERROR with the cause, told by doctor, and
        goes when its owner deletes it again."""
        told = {each.subject for each in self.world.audit()}
        for key, project in list(self.deleted["server"].items()):
            client = self.world.members[project]
            shown = client.get(f"{PATHS['server']}/{key}")
            if shown.status == 200:
                server = shown.json["server"]
                assert server["status"] == "ERROR", server
                assert server["fault"]["message"] == "simulated failure of remove_server", server
                assert key in told
                self.made["server"][key] = self.deleted["server"].pop(key)
                answer = self.delete("server", key, client)
                assert answer.status == 204, (key, answer.body)
        self.world.settle()

    def delete_all(self) -> None:
        """Everything of both projects, in the order that the API asks for."""
        for key, project in list(self.made["server"].items()):
            action = f"{PATHS['server']}/{key}/action"
            self.world.members[project].post(action, {"unlock": None})
        for client in self.world.members:
            for image in client.get(PATHS["image"]).expect(200)["images"]:
                if image.get("instance_uuid"):
                    self.check(client.delete(f"{PATHS['image']}/{image['id']}"))
        for noun in PATHS:
            for key, project in list(self.made[noun].items()):
                client = self.world.members[project]
                if noun == "router":
                    self._clear_router(client, key)
                answer = self.delete(noun, key, client)
                assert answer.status in GONE, (noun, key, answer.body)
            self.world.settle()

    def _clear_router(self, client: Client, router: str) -> None:
        legs = client.get(f"{PATHS['port']}?device_id={router}").expect(200)["ports"]
        for leg in legs:
            if leg["device_owner"] == "network:router_interface":
                body = {"port_id": leg["id"]}
                client.put(f"{PATHS['router']}/{router}/remove_router_interface", body).expect(200)
