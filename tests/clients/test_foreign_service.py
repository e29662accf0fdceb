"""A service that is none of ours, put in the cloud: it validates tokens here by keystonemiddleware, and
`openstack` finds it in our catalog."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from andromede.cli.client import Session, password
from andromede.config import Paths
from andromede.keys.client import KeysClient
from andromede.services.identity.tokens.seal import KeyRing
from andromede.services.identity.tokens.token import pack, unpack
from benchmarks.scratch import Scratch
from tests.clients import swift
from tests.clients.command import OpenStack
from tests.clients.swift import Login

TYPE = "object-store"
HOUR = 3600
SEEN = {200, 204}  # with something in it, and without


@dataclass(frozen=True)
class Store:
    """Swift in the cloud: the URLs of its two proxies, and how a service of the cloud logs in."""

    remembering: str
    asking: str
    service: Session

    def account(self, project: str, prefix: str = "AUTH") -> str:
        return f"{self.remembering}/{prefix}_{project}"


@pytest.fixture(scope="module")
def service(running: Scratch, operator: OpenStack) -> Iterator[tuple[Login, Session]]:
    """A service user as every OpenStack service has one: the role `service` in a project of theirs."""
    secret = secrets.token_urlsafe(16)
    operator.run("project", "create", "services")
    operator.run("user", "create", "swift", f"--password={secret}")
    operator.run("role", "add", "--project", "services", "--user", "swift", "service")
    url, ca = running.customer.auth_url, Paths(running.state).tls / "ca.pem"
    session = Session(url, ca)
    scope = {"project": {"name": "services", "domain": {"id": "default"}}}
    session.login(password("swift", secret), scope)
    yield Login(url, ca, "swift", secret, "services"), session
    session.close()
    operator.run("user", "delete", "swift")
    operator.run("project", "delete", "services")


@pytest.fixture(scope="module")
def store(
    service: tuple[Login, Session], operator: OpenStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    login, session = service
    with swift.serve(tmp_path_factory.mktemp("swift"), login) as served:
        operator.run("service", "create", "--name", "swift", TYPE)
        for interface in ("public", "internal"):
            operator.run(
                "endpoint", "create", "--region", "RegionOne", TYPE, interface,
                f"{served.url}/AUTH_%(project_id)s",
            )  # fmt: skip
        yield Store(served.url, served.strict, session)
        operator.run("service", "delete", "swift")
        assert operator.json("endpoint", "list", "--service", "identity")
        assert TYPE not in {each["Service Type"] for each in operator.json("endpoint", "list")}


def status(method: str, url: str, token: str, **more: str) -> int:
    headers = {"X-Auth-Token": token, **{k.replace("_", "-"): v for k, v in more.items()}}
    return httpx.request(method, url, headers=headers).status_code


def issued(cloud: Scratch) -> Session:
    """The customer, with a token that nobody has seen yet."""
    auth = cloud.login["auth"]
    fresh = Session(cloud.customer.auth_url, Paths(cloud.state).tls / "ca.pem")
    cloud.sessions.append(fresh)
    fresh.login(auth["identity"], auth["scope"])
    return fresh


def expired(cloud: Scratch, token: str) -> str:
    """The same token as it would be two hours later: sealed as issued that long ago."""
    keys = KeysClient(Paths(cloud.state).run / "keys.sock")
    ring = KeyRing(keys)
    held = unpack(ring.open(token))
    old = msgspec.structs.replace(
        held, issued_at=held.issued_at - 2 * HOUR, expires_at=held.expires_at - 2 * HOUR
    )
    sealed = ring.seal(pack(old))
    keys.close()
    return sealed


def revoke(session: Session) -> None:
    headers = {"X-Auth-Token": session.token, "X-Subject-Token": session.token}
    url = f"{session.auth_url}/auth/tokens"
    assert httpx.delete(url, headers=headers, verify=session.tls).status_code == 204


def validations(cloud: Scratch) -> int:
    """How often the identity service was asked for a token."""
    logs = "".join(path.read_text() for path in (cloud.state / "logs").glob("api*.log"))
    return logs.count('"identity:token:validate"')


def test_the_catalog_names_it_with_the_project_filled_in(store: Store, running: Scratch) -> None:
    found = issued(running)
    assert found.catalog[TYPE] == store.account(found.project_id)


def test_a_member_keeps_things_in_it(store: Store, customer: OpenStack, tmp_path: Path) -> None:
    thing, back = tmp_path / "thing", tmp_path / "back"
    thing.write_bytes(secrets.token_bytes(100_000))
    customer.run("container", "create", "photos")
    made = customer.json("object", "create", "photos", str(thing), "--name", "thing")
    assert [each["object"] for each in made] == ["thing"]
    assert [each["Name"] for each in customer.json("container", "list")] == ["photos"]
    customer.run("object", "save", "photos", "thing", "--file", str(back))
    assert back.read_bytes() == thing.read_bytes()
    shown = customer.json("object", "show", "photos", "thing")
    assert int(shown["content-length"]) == 100_000
    account = customer.json("object", "store", "account", "show")
    assert account["Account"].startswith("AUTH_")
    customer.run("container", "delete", "--recursive", "photos")
    assert customer.json("container", "list") == []


def test_another_project_cannot(store: Store, running: Scratch) -> None:
    mine, other = issued(running), running.another("stranger")[0]
    shelf = f"{store.account(mine.project_id)}/shelf"
    assert status("PUT", shelf, mine.token) == 201
    assert status("PUT", f"{shelf}/thing", mine.token) == 201
    for method, url in (("GET", f"{shelf}/thing"), ("PUT", f"{shelf}/other"), ("GET", shelf)):
        assert status(method, url, other.token) == 403
    assert status("GET", f"{shelf}/thing", mine.token) == 200
    assert status("GET", f"{store.account(other.project_id)}/shelf", other.token) == 404


def test_a_role_counts_for_what_it_is(store: Store, running: Scratch, operator: OpenStack) -> None:
    secret = secrets.token_urlsafe(16)
    project = operator.json("project", "create", "gallery")["id"]
    operator.run("user", "create", "visitor", f"--password={secret}")
    operator.run("role", "add", "--project", "gallery", "--user", "visitor", "reader")
    visitor = Session(running.customer.auth_url, Paths(running.state).tls / "ca.pem")
    running.sessions.append(visitor)
    visitor.login(password("visitor", secret), {"project": {"id": project}})
    assert status("GET", store.account(project), visitor.token) == 204
    assert status("PUT", f"{store.account(project)}/shelf", visitor.token) == 403
    operator.run("role", "remove", "--project", "gallery", "--user", "visitor", "reader")
    assert status("GET", f"{store.asking}/AUTH_{project}", visitor.token) == 401


@pytest.mark.parametrize("proxy", ["remembering", "asking"])
def test_no_token_a_made_up_one_and_an_operators_get_nowhere(
    store: Store, running: Scratch, proxy: str
) -> None:
    account = f"{getattr(store, proxy)}/AUTH_{running.customer.project_id}"
    assert status("GET", account, "") == 401
    assert status("GET", account, "gAAAAABmade-up") == 401
    assert status("GET", account, running.operator.token) == 401


def test_an_expired_token_is_refused(store: Store, running: Scratch) -> None:
    mine = issued(running)
    account = store.account(mine.project_id)
    assert status("GET", account, expired(running, mine.token)) == 401
    assert status("GET", account, mine.token) in SEEN


def test_a_revoked_token_is_refused(store: Store, running: Scratch) -> None:
    mine, seen = issued(running), issued(running)
    account = f"{store.asking}/AUTH_{mine.project_id}"
    assert status("GET", account, seen.token) in SEEN
    for session in (mine, seen):
        revoke(session)
        assert status("GET", account, session.token) == 401
    assert status("GET", store.account(mine.project_id), mine.token) == 401


def test_tokens_are_remembered_without_memcache(store: Store, running: Scratch) -> None:
    mine = issued(running)
    account = store.account(mine.project_id)
    before = validations(running)
    assert {status("GET", account, mine.token) for _ in range(5)} <= SEEN
    assert validations(running) == before + 1
    asking = account.replace(store.remembering, store.asking)
    assert {status("GET", asking, mine.token) for _ in range(5)} <= SEEN
    assert validations(running) == before + 6


def test_a_service_acts_for_a_user_with_both_tokens(store: Store, running: Scratch) -> None:
    mine, helper = issued(running), store.service.token
    account = store.account(mine.project_id, "SERVICE")
    shelf = f"{account}/backups"
    assert status("PUT", shelf, mine.token) == 403
    assert status("PUT", shelf, helper) == 403
    assert status("PUT", shelf, mine.token, X_Service_Token=mine.token) == 401
    assert status("PUT", shelf, mine.token, X_Service_Token=helper) == 201
    late = expired(running, mine.token)  # the work it is part of took longer than the token lived
    assert status("GET", shelf, late, X_Service_Token=helper) == 204
    assert status("GET", shelf, late, X_Service_Token=mine.token) == 401
    assert status("GET", shelf, mine.token, X_Service_Token=expired(running, helper)) == 401
