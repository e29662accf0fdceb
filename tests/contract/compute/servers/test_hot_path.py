"""What the request that clients make most costs: a server shown to the bearer of a real token."""

from __future__ import annotations

import pytest

from andromede import clock, quotas
from andromede.services.identity.tokens.seal import key_ring
from andromede.services.identity.tokens.store import revoke, user_subject
from andromede.services.identity.tokens.token import ScopeKind, Token, new_audit_id, pack
from andromede.services.identity.tokens.verify import make_authenticate
from tests.contract.compute.servers.helpers import LATEST, ROOT, Site
from tests.harness import MemoryKeys

USER = "5" * 32


@pytest.fixture
def token(site: Site) -> str:
    """A token of the site's project, in a cloud that from now on verifies tokens."""
    keys = MemoryKeys()
    moment = clock.now() // clock.SECOND
    content = Token(
        user_id=USER, user_domain_id="default", kind=ScopeKind.PROJECT, scope_id="p1",
        scope_domain_id="default", roles=("reader", "member"), methods=("password",),
        issued_at=moment, expires_at=moment + 3600, audit_id=new_audit_id(),
    )  # fmt: skip
    site.cloud.cloud.keys = keys
    return key_ring(keys).seal(pack(content))


def test_a_server_is_shown_by_three_statements(site: Site, token: str) -> None:
    server_id = site.build()["id"]
    cloud = site.cloud
    assert cloud.cloud.keys is not None
    cloud.cloud.authenticate = make_authenticate(cloud.cloud.keys)
    client = cloud.bearer(token, **LATEST)
    with cloud.statements() as statements:
        shown = client.get(f"{ROOT}/servers/{server_id}").expect(200)["server"]
    assert shown["id"] == server_id
    assert len(statements) == 3, statements

    cloud.database.transact(lambda connection: revoke(connection, [user_subject(USER)]))
    with cloud.statements() as statements:
        assert client.get(f"{ROOT}/servers/{server_id}").status == 401
    assert len(statements) == 1, statements


@pytest.mark.parametrize(("limit", "counted"), [(-1, 0), (1000, 1)], ids=["unlimited", "limited"])
def test_a_project_without_limits_is_not_counted(site: Site, limit: int, counted: int) -> None:
    """To count costs as much as the project has servers."""
    limits = {"instances": limit, "cores": -1, "ram": -1}
    site.cloud.database.transact(lambda c: quotas.set_limits(c, "compute", "p1", limits))
    with site.cloud.statements() as statements:
        site.build()
    sums = [each for each in statements if "SUM(vcpus)" in each and "project_id =" in each]
    assert len(sums) == counted
