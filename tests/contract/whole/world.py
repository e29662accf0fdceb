"""A whole cloud with one of everything in it: every service, a customer's project with a resource of
each noun, and a bearer for each persona."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from andromede.config import Config
from andromede.http.microversion import text
from andromede.http.operation import Operation, Service
from andromede.roles import assembly
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.identity import passwords
from andromede.services.network import api as network
from tests.contract.compute.servers.helpers import EngineConsoles
from tests.contract.identity.conftest import CHEAP, PASSWORD, World
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client, MemoryKeys, TestCloud

PUBLIC = ("none", "reader", "member", "manager", "other", "domain")
PRIVATE = ("admin", "sysread", "sysadm")


@functools.cache
def all_services() -> list[Service]:
    """Every service that customers and operators reach; the same ones each time."""
    return [*assembly.services(), *assembly.uncatalogued_services()]


def rows() -> Iterator[tuple[Service, Operation]]:
    """Every row of every routing table, in the order of the API's page."""
    for service in all_services():
        for row in sorted(service.operations, key=lambda r: (r.path, r.method, r.key or "")):
            yield service, row


@dataclass
class Whole:
    """The cloud; `tokens` by persona; `ids` of what stands for a parameter of a path, after the
    segment before it: by `action/segment` where an action has its own, or by `service/segment`;
    `paths` of rows that no such id makes, by their templates; `documents` that bodies need."""

    world: World
    tokens: dict[str, str | None] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)

    @property
    def cloud(self) -> TestCloud:
        return self.world.cloud

    def client(self, persona: str, *, private: bool = False) -> Client:
        """A client as a persona, on the latest microversion and content with JSON."""
        headers = {
            "Accept": "application/json",
            "OpenStack-API-Version": "compute latest, placement latest",
        }
        return self.cloud.bearer(self.tokens[persona], private=private, **headers)

    def path(self, service: Service, row: Operation) -> str:
        """The path of a row, with a real resource's id for each parameter.

        Errors: LookupError naming the parameter that has none.
        """
        template = self.paths.get(row.path, row.path)
        return "/".join([service.mount, *self._segments(service.name, row, template)])

    def _segments(self, service: str, row: Operation, template: str) -> Iterator[str]:
        before = ""
        for segment in filter(None, template.split("/")):
            yield self._id(service, row, before) if segment.startswith("{") else segment
            before = segment

    def _id(self, service: str, row: Operation, before: str) -> str:
        until = f" to {text(row.until)}" if row.until else ""
        keys = (f"{row.action}/{before}", f"{service}/{before}{until}", f"{service}/{before}")
        found = next((self.ids[key] for key in keys if key in self.ids), None)
        if found is None:
            raise LookupError(
                f"{row.method} {row.path}: nothing stands for the parameter after {before!r}; let "
                f"tests/contract/whole/stock.py make one, and put its id into `ids` as {keys[2]!r}"
            )
        return found


@contextmanager
def whole(folder: Path, url: str | None = None) -> Iterator[Whole]:
    """Open the cloud, on a database of its own or the given one, and make one of everything."""
    from tests.contract.whole import stock

    with mock.patch.object(passwords, "_hasher", CHEAP):
        keys = MemoryKeys()
        lifecycles = list(assembly.lifecycles().values())
        cloud = TestCloud(
            folder, all_services(), lifecycles, url=url,
            authenticate=identity.make_authenticate(keys), keys=keys,
        )  # fmt: skip
        try:
            made = Whole(_people(cloud, keys))
            _personas(made)
            stock.fill(made)
            yield made
        finally:
            cloud.close()


def _people(cloud: TestCloud, keys: MemoryKeys) -> World:
    stored = identity.hash_password(PASSWORD)
    first = cloud.database.transact(lambda c: identity.bootstrap(c, admin_password_hash=stored))
    cloud.cloud.edge = EngineConsoles(cloud.engine)
    cloud.database.transact(compute.bootstrap)
    return World(cloud, keys, first)


def _personas(whole: Whole) -> None:
    world, ids, roles = whole.world, whole.ids, whole.world.first.roles
    admin = world.admin()
    domain = ids["domain"] = make(admin, "domain", name="acme")["id"]
    for name in ("web", "shop"):
        ids[name] = make(admin, "project", name=name, domain_id=domain)["id"]
    cast: Mapping[str, tuple[str, str, str]] = {
        "reader": ("project", ids["web"], "reader"),
        "member": ("project", ids["web"], "member"),
        "manager": ("project", ids["web"], "manager"),
        "admin": ("project", ids["web"], "admin"),
        "other": ("project", ids["shop"], "member"),
        "domain": ("domain", domain, "manager"),
        "sysread": ("system", "all", "reader"),
        "sysadm": ("system", "all", "admin"),
    }
    whole.tokens["none"] = None
    for name, (kind, target, role) in cast.items():
        user = make(admin, "user", name=name, domain_id=domain, password="pw")["id"]
        ids[f"user {name}"] = user
        if kind == "system":
            assert admin.put(f"{V3}/system/users/{user}/roles/{roles[role]}").status == 204
        else:
            grant(admin, kind, target, "user", user, roles[role])
    for name, (kind, target, _) in cast.items():
        whole.tokens[name] = _token(whole, name, kind, target)


def _token(whole: Whole, name: str, kind: str, target: str) -> str:
    scope: Any = {"system": {"all": True}} if kind == "system" else {kind: {"id": target}}
    user = {"id": whole.ids[f"user {name}"], "password": "pw"}
    how = {"methods": ["password"], "password": {"user": user}}
    answer = whole.world.try_login(how, scope, private=name in PRIVATE)
    answer.expect(201)
    return answer.headers["x-subject-token"]


def external(whole: Whole) -> str:
    """The operator's external network, as first start makes it."""
    config: Config = whole.cloud.config
    project = whole.world.first.project_id
    made: str = whole.cloud.database.transact(lambda c: network.bootstrap(c, config, project))
    whole.cloud.settle()
    return made
