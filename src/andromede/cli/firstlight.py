"""What a customer's first server needs, each part made only if it is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from andromede.cli.client import Session, poll
from andromede.cli.errors import CliError

NAME = "first-light"
CIDR = "10.0.0.0/24"
FLAVOR = "t1.tiny"
ACTIVE_WITHIN = 120.0


class FirstLight:
    """A customer's network, router, rules, key, server and floating address, all of one name."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.api = session
        self.key = folder / "id_ed25519"
        self.network: dict[str, Any] = {}
        self.image: dict[str, Any] = {}

    def prepare(self, image: str) -> None:
        """All that a server needs before it is made."""
        self.network = self._have("network", "networks", {})
        subnet = self._have(
            "network",
            "subnets",
            {"network_id": self.network["id"], "cidr": CIDR, "ip_version": 4},
        )
        router = self._router()
        self._join(router, subnet)
        self._let_in()
        self._key_pair()
        found = self.api.find("image", "/v2/images", "images", image)
        if found is None:
            raise CliError(f"no image called {image} is visible to this project")
        self.image = found

    def port(self) -> tuple[str, str]:
        """The port that the server will hold, and the floating address that stands for it."""
        port = self._have(
            "network",
            "ports",
            {"network_id": self.network["id"], "security_groups": [self._group()["id"]]},
        )
        return port["id"], self._floating(port["id"])

    def wanted(self, port_id: str) -> dict[str, Any]:
        """The server to ask for, on that port."""
        return {
            "name": NAME,
            "imageRef": self.image["id"],
            "flavorRef": self._flavor(),
            "key_name": NAME,
            "networks": [{"port": port_id}],
        }

    def server(self) -> tuple[dict[str, Any], str]:
        """The running server and its floating address."""
        port_id, address = self.port()
        server = self.api.find("compute", "/servers/detail", "servers", NAME)
        if server is None:
            body = {"server": self.wanted(port_id)}
            server = self.api.call("compute", "POST", "/servers", body)["server"]
        elif server["status"] == "SHUTOFF":
            action = f"/servers/{server['id']}/action"
            self.api.call("compute", "POST", action, {"os-start": None})
        return self._active(server["id"]), address

    def _active(self, server_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            server: dict[str, Any] = self.api.call("compute", "GET", f"/servers/{server_id}")[
                "server"
            ]
            if server["status"] == "ERROR":
                fault = server.get("fault", {}).get("message", "without a fault")
                raise CliError(f"server {server_id} went to ERROR: {fault}")
            return server if server["status"] == "ACTIVE" else None

        return dict(poll(look, ACTIVE_WITHIN, f"server {server_id} did not become ACTIVE"))

    def _have(self, service: str, noun: str, body: dict[str, Any]) -> dict[str, Any]:
        """The resource of our name, made if there is none."""
        found = self.api.find(service, f"/v2.0/{noun}", noun, NAME)
        if found is None:
            single = noun.removesuffix("s")
            made = self.api.call(service, "POST", f"/v2.0/{noun}", {single: {"name": NAME, **body}})
            found = made[single]
        return dict(found)

    def _router(self) -> dict[str, Any]:
        query = {"router:external": "True"}
        outside = self.api.call("network", "GET", "/v2.0/networks", None, **query)["networks"]
        if not outside:
            raise CliError("this cloud has no external network; its operator makes one")
        gateway = {"external_gateway_info": {"network_id": outside[0]["id"]}}
        self._outside = outside[0]["id"]
        return self._have("network", "routers", gateway)

    def _join(self, router: dict[str, Any], subnet: dict[str, Any]) -> None:
        legs = self.api.call("network", "GET", "/v2.0/ports", None, device_id=router["id"])["ports"]
        subnets = {each["subnet_id"] for leg in legs for each in leg["fixed_ips"]}
        if subnet["id"] not in subnets:
            path = f"/v2.0/routers/{router['id']}/add_router_interface"
            self.api.call("network", "PUT", path, {"subnet_id": subnet["id"]})

    def _group(self) -> dict[str, Any]:
        found = self.api.find("network", "/v2.0/security-groups", "security_groups", NAME)
        if found is None:
            body = {"security_group": {"name": NAME, "description": "SSH and ping"}}
            found = self.api.call("network", "POST", "/v2.0/security-groups", body)[
                "security_group"
            ]
        return dict(found)

    def _let_in(self) -> None:
        """Let SSH and ping in."""
        group = self._group()
        have = {rule["protocol"] for rule in group["security_group_rules"]}
        ssh = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
        for rule in (ssh, {"protocol": "icmp"}):
            if rule["protocol"] not in have:
                whole = {"security_group_id": group["id"], "direction": "ingress", **rule}
                body = {"security_group_rule": whole}
                self.api.call("network", "POST", "/v2.0/security-group-rules", body)

    def _key_pair(self) -> None:
        """Have the key on this machine and its public half in the cloud.

        Errors: CliError when the key is lost that a server of ours lets in.
        """
        public = self._public_key()
        pairs = self.api.call("compute", "GET", "/os-keypairs")["keypairs"]
        known = [each["keypair"] for each in pairs if each["keypair"]["name"] == NAME]
        if any(each["public_key"].split()[:2] == public.split()[:2] for each in known):
            return
        if known:
            self.api.call("compute", "DELETE", f"/os-keypairs/{NAME}")
        body = {"keypair": {"name": NAME, "public_key": public}}
        self.api.call("compute", "POST", "/os-keypairs", body)

    def _public_key(self) -> str:
        """The public half of a key whose private half never leaves this machine."""
        try:
            private = serialization.load_ssh_private_key(self.key.read_bytes(), None)
        except (FileNotFoundError, ValueError):
            private = self._make_key()
        public = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return f"{public.decode()} {NAME}"

    def _make_key(self) -> Ed25519PrivateKey:
        if self.api.find("compute", "/servers/detail", "servers", NAME) is not None:
            raise CliError(
                f"{self.key} is lost, and the server {NAME} lets no other key in; make the server "
                f"anew: ./andromede openstack server delete {NAME}, then quickstart"
            )
        private = Ed25519PrivateKey.generate()
        text = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        descriptor = os.open(self.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        return private

    def _flavor(self) -> str:
        found = self.api.call("compute", "GET", "/flavors")["flavors"]
        return next((str(each["id"]) for each in found if each["name"] == FLAVOR), FLAVOR)

    def _floating(self, port_id: str) -> str:
        listed = self.api.call("network", "GET", "/v2.0/floatingips", None, port_id=port_id)
        found = listed["floatingips"]
        if found:
            return str(found[0]["floating_ip_address"])
        body = {"floatingip": {"floating_network_id": self._outside, "port_id": port_id}}
        made = self.api.call("network", "POST", "/v2.0/floatingips", body)
        return str(made["floatingip"]["floating_ip_address"])
