"""Short ways to make what tests of identity need."""

from __future__ import annotations

from typing import Any

from tests.contract.identity.conftest import World
from tests.harness import Client

V3 = "/identity/v3"


def make(client: Client, noun: str, **body: Any) -> dict[str, Any]:
    """A new domain, project, user, group or role."""
    made: dict[str, Any] = client.post(f"{V3}/{noun}s", {noun: body}).expect(201)[noun]
    return made


def grant(
    client: Client, target: str, target_id: str, actor: str, actor_id: str, role_id: str
) -> str:
    """Grant a role; answers the path of the grant."""
    path = f"{V3}/{target}s/{target_id}/{actor}s/{actor_id}/roles/{role_id}"
    assert client.put(path).status == 204
    return path


def member(world: World, name: str, role: str = "member", domain: str = "default") -> Client:
    """A user with a role in a project of its own, logged in on the public listener."""
    admin = world.admin()
    user = make(admin, "user", name=name, password="pw", domain_id=domain)["id"]
    project = make(admin, "project", name=f"project of {name}", domain_id=domain)["id"]
    grant(admin, "project", project, "user", user, world.first.roles[role])
    return world.login(name, {"project": {"id": project}}, password="pw", private=False)


def me(client: Client) -> dict[str, Any]:
    """What the client's own token says."""
    subject = {"X-Subject-Token": str(client.token)}
    shown: dict[str, Any] = client.get(f"{V3}/auth/tokens", headers=subject).expect(200)["token"]
    return shown


def exchange(world: World, identity: Any, scope: Any = None, **more: Any) -> Client:
    """A client with the token of a login that has to work."""
    answer = world.try_login(identity, scope, **more)
    answer.expect(201)
    private = more.get("private", False)
    return world.cloud.bearer(answer.headers["x-subject-token"], private=private)
