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


def open_world(
    folder: Path, url: str, *more: Service, closed: bool = False, lifecycles: Any = ()
) -> World:
    keys = MemoryKeys()
    cloud = TestCloud(
        folder,
        [identity.SERVICE, *(more or [COMPUTE])],
        lifecycles,
        url=url,
        authenticate=api.make_authenticate(keys),
        keys=keys,
        closed=closed,
    )
    stored = api.hash_password(PASSWORD)
    first = cloud.database.transact(lambda c: api.bootstrap(c, admin_password_hash=stored))
    return World(cloud, keys, first)


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)  # what it costs is measured elsewhere


@pytest.fixture
def world(tmp_path: Path, database_url: str, cheap_hashes: None) -> Iterator[World]:
    made = open_world(tmp_path, database_url)
    yield made
    made.cloud.close()


@pytest.fixture
def closed(tmp_path: Path, database_url: str, cheap_hashes: None) -> Iterator[World]:
    """As outside of tests: operators need a second factor."""
    made = open_world(tmp_path, database_url, closed=True)
    yield made
    made.cloud.close()
