"""Row 20: a separate administration interface: operators are nobody on the public one."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede import clock, totp
from andromede.http.access import ADMIN, ADMIN_READER
from andromede.services import compute, image, network, sovereignty
from andromede.services.identity import api, passwords
from tests.contract.identity.conftest import CHEAP, World, by_password, open_world
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client, caller

SERVICES = [compute.SERVICE, image.SERVICE, network.SERVICE, sovereignty.SERVICE]


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    made = open_world(tmp_path, database_url, *SERVICES, closed=True)
    yield made
    clock.set_source(None)
    made.cloud.close()


def start_credential(world: World) -> dict[str, Any]:
    """What the cloud's start gives the local operator."""
    hashed = api.hash_password("s")
    made = world.cloud.database.transact(
        lambda c: api.operator_credential(
            c, user_id=world.first.user_id, project_id=world.first.project_id, secret="s",
            secret_hash=hashed, lifetime=3600,
        )
    )  # fmt: skip
    held = {"id": made.id, "secret": "s"}
    return {"methods": ["application_credential"], "application_credential": held}


def operator(world: World) -> Client:
    answer = world.try_login(start_credential(world), private=True)
    answer.expect(201)
    return world.cloud.bearer(answer.headers["x-subject-token"], private=True)


def ways_in(world: World) -> Iterator[tuple[Callable[[], dict[str, Any]], Any]]:
    """Every way by which an operator comes in on the private listener, a fresh passcode a time."""
    yield lambda: start_credential(world), None
    secret = secrets.token_bytes(20)
    blob = base64.b32encode(secret).decode()
    body = {"type": "totp", "blob": blob, "user_id": world.first.user_id}
    operator(world).post(f"{V3}/credentials", {"credential": body}).expect(201)

    def two() -> dict[str, Any]:
        moment = clock.now() + totp.STEP * clock.SECOND
        clock.set_source(lambda: moment)
        passcode = totp.code(secret, moment // clock.SECOND // totp.STEP)
        who = {"id": world.first.user_id, "passcode": passcode}
        return {**by_password("admin"), "methods": ["password", "totp"], "totp": {"user": who}}

    yield two, {"project": {"id": world.first.project_id}}
    yield two, {"system": {"all": True}}


def test_an_operators_login_on_the_public_interface_fails(world: World) -> None:
    for identity, scope in ways_in(world):
        refused = world.try_login(identity(), scope).expect(401)["error"]["message"]
        assert "private listener" in refused
        assert world.try_login(identity(), scope, private=True).status == 201


def test_an_operators_token_is_worth_nothing_on_the_public_interface(world: World) -> None:
    inside = operator(world)
    outside = world.cloud.bearer(inside.token)
    for path in (f"{V3}/users", "/compute/v2.1/servers", "/image/v2/images",
                 "/network/v2.0/networks", "/sovereignty/v1/consents"):  # fmt: skip
        assert inside.get(path).status == 200, path
        assert outside.get(path).status == 401, path


def test_what_operators_alone_may_do_is_out_of_customers_reach(world: World) -> None:
    """Each row that asks for an operator is refused to a manager, on either interface."""
    admin = operator(world)
    user = make(admin, "user", name="ada", password="pw")["id"]
    project = make(admin, "project", name="web")["id"]
    grant(admin, "project", project, "user", user, world.first.roles["manager"])
    rows = [
        row
        for service in world.cloud.cloud.catalog
        for row in service.operations
        if row.allow in (ADMIN, ADMIN_READER)
    ]
    assert len(rows) > 30
    strongest = caller("manager")
    assert not any(row.allow and row.allow.allows(strongest) for row in rows)
    scope = {"project": {"id": project}}
    for private in (False, True):
        client = world.login("ada", scope, password="pw", private=private)
        for path in ("/compute/v2.1/os-hypervisors", "/network/v2.0/quotas", f"{V3}/users"):
            assert client.get(path).status == 403
