"""Clients that speak compute's microversion 2.1."""

from __future__ import annotations

from typing import Any

from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import Answer, Client, caller


class Older:
    """The member of a site's project, as `call` and `get` speak for it, and others beside it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.member = self.persona("member", "p1")
        self.reader = self.persona("reader", "p1")
        self.other = self.persona("member", "p2")
        self.admin = self.persona("admin", "ops")

    def persona(self, role: str, project: str, version: str = "2.1") -> Client:
        who = caller(role, project, user="u1" if project == "p1" else f"user-of-{project}")
        headers = {"OpenStack-API-Version": f"compute {version}"}
        return self.site.cloud.as_(who, private=role == "admin", **headers)

    def at(self, version: str) -> Client:
        return self.persona("member", "p1", version)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.member.call(method, f"{ROOT}/{path}", body)

    def get(self, path: str, status: int = 200) -> Any:
        return self.call("GET", path).expect(status)
