"""Short ways to make what tests of identity need."""

from __future__ import annotations

from typing import Any

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
