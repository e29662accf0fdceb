"""A closed cloud with a customer's project in it, and the people around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from andromede import clock
from andromede.services import sovereignty
from tests.contract.compute.helpers import have_projects
from tests.contract.compute.servers.helpers import LATEST, Site, open_cloud, open_site
from tests.harness import Client, TestCloud, caller

CONSENTS = "/sovereignty/v1/consents"
EMERGENCIES = "/sovereignty/v1/emergencies"
LEAVES = "/sovereignty/v1/log/leaves"
DAY = 24 * 3600


@dataclass
class Customers:
    """Project p1 with its member (u1), reader and manager, project p2, and two operators."""

    cloud: TestCloud
    site: Site
    member: Client
    reader: Client
    other: Client
    operator: Client
    second: Client

    def leaves(self, action: str = "", client: Client | None = None) -> list[dict[str, Any]]:
        """The leaves that the customer reads, of one action."""
        found = (client or self.member).get(LEAVES).expect(200)["leaves"]
        return [each for each in found if action in ("", each["action"])]

    def ask(self, *kinds: str, client: Client | None = None, **more: Any) -> dict[str, Any]:
        """A consent that an operator asks p1 for, or that the given client makes."""
        asked = {"project_id": "p1", "kinds": kinds, "reason": "ticket 7", **more}
        made = (client or self.operator).post(CONSENTS, {"consent": asked}).expect(201)
        consent: dict[str, Any] = made["consent"]
        return consent

    def give(self, *kinds: str, **more: Any) -> dict[str, Any]:
        return self.ask(*kinds, client=self.member, **more)


def customers(folder: Path, url: str | None = None) -> Customers:
    cloud = open_cloud(folder, url, sovereignty.SERVICE, closed=True)
    have_projects(cloud, "p1", "p2", "ops")
    site = open_site(cloud)

    def operator(user: str) -> Client:
        return cloud.as_(caller("admin", "ops", user=user), private=True, **LATEST)

    return Customers(
        cloud=cloud,
        site=site,
        member=site.member,
        reader=site.reader,
        other=site.other,
        operator=operator("op1"),
        second=operator("op2"),
    )


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """The clock as it will be."""
    moment = clock.now() + round(seconds * clock.SECOND)
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)
