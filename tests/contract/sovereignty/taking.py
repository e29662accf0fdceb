"""A cloud whose operators need consent and one factor, with a customer's project and people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from andromede.http.operation import Service
from andromede.services import sovereignty
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import CLOUD, Policy, Switch
from tests.contract.identity.conftest import World, open_world
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client

CONSENTS = "/sovereignty/v1/consents"
EMERGENCIES = "/sovereignty/v1/emergencies"
CLOSED = Policy(second_factor=Switch.OFF)  # operators need consent still


@dataclass
class Taking:
    """Project `web` of a customer (ada is its member), project `ops` of the operator boss, and new,
    who has no role. `ids` are of users and projects by name."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, str]:
        return self.world.first.roles

    def admin(self) -> Client:
        return self.world.admin()

    def client(self, name: str, project: str = "web", *, private: bool = False) -> Client:
        scope = {"project": {"id": self.ids[project]}}
        return self.world.login(name, scope, password="pw", private=private)

    def notices(self, name: str = "ada", project: str = "web") -> list[dict[str, Any]]:
        """What the project was told, without the word of welcome."""
        listed = self.client(name, project).get("/sovereignty/v1/notices").expect(200)["notices"]
        return [each for each in reversed(listed) if "also come in" not in each["text_en"]]

    def consent(self, *, name: str = "ada", project: str = "web", **more: Any) -> str:
        """A consent of the kind `access` that a project gives by itself."""
        body = {"consent": {"kinds": ["access"], "reason": "ticket 7", **more}}
        made = self.client(name, project).post(CONSENTS, body).expect(201)["consent"]
        return str(made["id"])

    def give(self, role: str, name: str = "ada") -> None:
        """A role on `web`, with a consent that ends at once."""
        given = self.consent()
        assert self.admin().put(self.path(name, role)).status == 204
        self.client("ada").post(f"{CONSENTS}/{given}/revoke").expect(200)

    def emergency(self, project: str = "web") -> str:
        """An emergency of the kind `access` that two operators open."""
        body = {"project_id": self.ids[project], "kinds": ["access"], "reason": "nobody left"}
        made = self.admin().post(EMERGENCIES, {"emergency": body}).expect(201)["emergency"]
        second = self.client("boss", "ops", private=True)
        second.post(f"{EMERGENCIES}/{made['id']}/approve").expect(200)
        return str(made["id"])

    def path(self, user: str, role: str, project: str = "web") -> str:
        where = f"{V3}/projects/{self.ids[project]}"
        return f"{where}/users/{self.ids[user]}/roles/{self.roles[role]}"

    def group(self, name: str, *members: str) -> str:
        made = str(make(self.admin(), "group", name=name)["id"])
        for each in members:
            where = f"{V3}/groups/{made}/users/{self.ids[each]}"
            assert self.admin().put(where).status == 204
        return made

    def refused(self, answer: Any) -> str:
        """The reason of a refusal by rule, which is a leaf of the customer's."""
        text = answer.expect(403)["error"]["message"]
        assert "rule operator_access" in text
        with self.world.cloud.database.read() as connection:
            wanted = sa.select(leaf).order_by(leaf.c.arrival.desc()).limit(1)
            last = connection.execute(wanted).one()
        assert (last.status, last.detail["rule"]) == (403, "operator_access")
        return str(text)

    def set_policy(self, policy: Policy) -> None:
        database = self.world.cloud.database
        database.transact(lambda connection: policies.put(connection, CLOUD, policy))


@contextmanager
def taking(folder: Path, url: str, *more: Service) -> Iterator[Taking]:
    world = open_world(folder, url, sovereignty.SERVICE, *more, closed=True)
    made = Taking(world)
    made.set_policy(CLOSED)
    admin, roles = world.admin(), made.roles
    made.ids["admin"] = world.first.user_id
    for name in ("ada", "boss", "new"):
        made.ids[name] = make(admin, "user", name=name, password="pw")["id"]
    for name in ("web", "ops"):
        made.ids[name] = make(admin, "project", name=name)["id"]
    grant(admin, "project", made.ids["ops"], "user", made.ids["boss"], roles["admin"])
    grant(admin, "project", made.ids["web"], "user", made.ids["ada"], roles["member"])
    yield made
    world.cloud.close()
