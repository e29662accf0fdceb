"""A cloud with the real identity service and its first accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from andromede.http.errors import compute_shape
from andromede.http.operation import Service
from andromede.services import identity
from andromede.services.identity import api, passwords
from tests.harness import Answer, Client, MemoryKeys, TestCloud

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
COMPUTE = Service(
    name="compute", type="compute", mount="/compute", catalog_path="/v2.1", operations=[],
    error_shape=compute_shape,
)  # fmt: skip


@dataclass
class World:
    """The cloud, its first accounts, and short ways to log in and to make things."""

    cloud: TestCloud
    keys: MemoryKeys
    first: api.Bootstrapped

    def anonymous(self, *, private: bool = False) -> Client:
        return self.cloud.bearer(None, private=private)

    def try_login(
        self, identity: dict[str, Any], scope: Any = None, *, private: bool = False, query: str = ""
    ) -> Answer:
        auth: dict[str, Any] = {"identity": identity}
        if scope is not None:
            auth["scope"] = scope
        client = self.anonymous(private=private)
        return client.post(f"/identity/v3/auth/tokens{query}", {"auth": auth})

    def login(
        self,
        name: str = "admin",
        scope: Any = None,
        *,
        password: str = PASSWORD,
        private: bool = True,
    ) -> Client:
        answer = self.try_login(by_password(name, password), scope, private=private)
        answer.expect(201)
        return self.cloud.bearer(answer.headers["x-subject-token"], private=private)

    def admin(self) -> Client:
        """The operator, on its project, on the private listener."""
        return self.login("admin", {"project": {"id": self.first.project_id}})

    def system(self) -> Client:
        return self.login("admin", {"system": {"all": True}})


def by_password(name: str, password: str = PASSWORD, domain: str = "default") -> dict[str, Any]:
    user = {"name": name, "domain": {"id": domain}, "password": password}
    return {"methods": ["password"], "password": {"user": user}}


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)  # what it costs is measured elsewhere
    keys = MemoryKeys()
    cloud = TestCloud(
        tmp_path,
        [identity.SERVICE, COMPUTE],
        url=database_url,
        authenticate=api.make_authenticate(keys),
        keys=keys,
    )
    stored = api.hash_password(PASSWORD)
    first = cloud.database.transact(lambda c: api.bootstrap(c, admin_password_hash=stored))
    yield World(cloud, keys, first)
    cloud.close()
