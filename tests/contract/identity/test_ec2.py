"""EC2 credentials, and tokens for requests that are signed with them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.services.identity.user_credentials import signing
from andromede.services.identity.user_credentials.signing import Request, Unsigned
from andromede.services.identity.user_credentials.store import credential
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, exchange, grant, make, me, member
from tests.contract.identity.test_second_factor import local
from tests.harness import Answer, Client, unknown_id


def path_of(client: Client) -> str:
    return f"{V3}/users/{me(client)['user']['id']}/credentials/OS-EC2"


def new(client: Client) -> dict[str, Any]:
    body = {"tenant_id": me(client)["project"]["id"]}
    made: dict[str, Any] = client.post(path_of(client), body).expect(201)["credential"]
    return made


def stamp(seconds: int = 0) -> str:
    text = clock.iso(clock.now() + seconds * clock.SECOND)
    return text.replace("-", "").replace(":", "")


def version2(pair: dict[str, Any], **more: Any) -> Request:
    params = {"Action": "List", "SignatureVersion": "2", "Timestamp": clock.iso(clock.now())}
    request = Request(access=pair["access"], host="h:80", params={**params, **more})
    request.signature = signing.ec2(request, pair["secret"])
    return request


def version4(pair: dict[str, Any], moment: str = "", *, query: bool = False) -> Request:
    moment = moment or stamp()
    scope = f"{pair['access']}/{moment[:8]}/r/ec2/aws4_request"
    signed = {"Credential": scope, "SignedHeaders": "host;x-amz-date"}
    headers = {"Host": "h", "X-Amz-Date": moment}
    request = Request(access=pair["access"], host="h", verb="POST", headers=headers)
    request.body_hash = hashlib.sha256(b"x").hexdigest()
    if query:
        request.verb = "GET"
        told = {f"X-Amz-{key}": value for key, value in signed.items()}
        request.params = {"X-Amz-Algorithm": signing.V4, "X-Amz-Date": moment, **told}
    else:
        told_ = ", ".join(f"{key}={value}" for key, value in signed.items())
        headers["Authorization"] = f"{signing.V4} {told_}, Signature=x"
    request.signature = signing.ec2(request, pair["secret"])
    return request


def ask(client: Client, request: Request, name: str = "credentials", kind: str = "ec2") -> Answer:
    fields = {each: getattr(request, each) for each in Request.__struct_fields__}
    return client.post(f"{V3}/{kind}tokens", {name: fields})


def test_the_life_of_a_pair(world: World) -> None:
    ada, bob = member(world, "ada"), member(world, "bob")
    made = new(ada)
    assert set(made) == {"access", "secret", "user_id", "tenant_id", "trust_id", "links"}
    one = f"{path_of(ada)}/{made['access']}"
    assert ada.get(one).expect(200)["credential"] == made
    assert ada.get(path_of(ada)).expect(200)["credentials"] == [made]
    assert world.admin().get(one).expect(200)["credential"]["secret"] == made["secret"]
    plain = ada.get(f"{V3}/credentials").json["credentials"][0]
    assert json.loads(plain["blob"])["access"] == made["access"]
    assert bob.get(one).status == bob.get(path_of(ada)).status == bob.delete(one).status == 403
    assert bob.get(f"{path_of(bob)}/{made['access']}").status == 404
    with world.cloud.database.read() as connection:
        (row,) = connection.execute(sa.select(credential)).all()
    assert made["secret"].encode() not in row.wrapped
    assert ada.delete(one).status == 204
    assert ada.get(one).status == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bad_pairs(world: World) -> None:
    ada = member(world, "ada")
    for body, status in (
        ({}, 400), ({"tenant_id": unknown_id()}, 404), ({"tenant_id": "default"}, 404),
    ):  # fmt: skip
        assert ada.post(path_of(ada), body).status == status
    path = f"{V3}/users/{unknown_id()}/credentials/OS-EC2"
    assert world.admin().get(path).status == 404


def test_an_operator_makes_none_for_others_where_consent_is_asked(closed: World) -> None:
    world, admin = closed, local(closed)
    user = make(admin, "user", name="ada", password="pw")["id"]
    project = make(admin, "project", name="web")["id"]
    grant(admin, "project", project, "user", user, world.first.roles["member"])
    ada = world.login("ada", {"project": {"id": project}}, password="pw", private=False)
    made = new(ada)
    path = f"{V3}/users/{user}/credentials/OS-EC2"
    (shown,) = admin.get(path).expect(200)["credentials"]
    assert (shown["access"], shown["secret"]) == (made["access"], None)
    assert admin.post(path, {"tenant_id": project}).status == 403
    blob = json.dumps({"access": "a", "secret": "s"})
    body = {"type": "ec2", "blob": blob, "project_id": project, "user_id": user}
    assert admin.post(f"{V3}/credentials", {"credential": body}).status == 403
    key = hashlib.sha256(made["access"].encode()).hexdigest()
    change = {"credential": {"blob": blob}}
    assert admin.patch(f"{V3}/credentials/{key}", change).status == 403
    assert ada.patch(f"{V3}/credentials/{key}", change).status == 200


def test_signed_requests_get_a_token(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    made = new(ada)
    for request in (
        version2(made),
        version2(made, SignatureMethod="HmacSHA1"),
        version2(made, Timestamp="x", Expires=clock.iso(clock.now() + 60 * clock.SECOND)),
        version4(made),
        version4(made, query=True),
    ):
        answer = ask(admin, request)
        token = answer.expect(200)["token"]
        assert token["methods"] == ["ec2credential"]
        assert token["user"]["id"] == me(ada)["user"]["id"]
        assert token["project"]["id"] == made["tenant_id"]
    bearer = world.cloud.bearer(answer.headers["x-subject-token"])
    assert bearer.get(f"{V3}/auth/projects").status == 200
    assert bearer.get(path_of(ada)).status == 403
    again = {"methods": ["token"], "token": {"id": bearer.token}}
    assert world.try_login(again, "unscoped").status == 403
    for name in ("credential", "ec2Credentials"):
        assert ask(admin, version4(made), name).status == 200
    without = version2(made)
    without.host = "h"
    without.signature = signing.ec2(without, made["secret"])
    without.host = "h:80"
    assert ask(admin, without).status == 200


def test_what_is_refused(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    made = new(ada)
    good = version4(made)
    assert ask(ada, good).status == 403
    assert admin.post(f"{V3}/ec2tokens", {}).status == 401
    stranger = version2({**made, "access": "unknown"})
    assert ask(admin, stranger).status == 404
    for request in (
        version2({**made, "secret": "other"}),
        version4({**made, "secret": "other"}),
        version4(made, stamp(-3600)),
        version4(made, stamp(3600)),
        version2(made, Timestamp="yesterday"),
        version2(made, Timestamp="x", Expires=clock.iso(clock.now() - clock.SECOND)),
        Request(access=made["access"], params={"SignatureVersion": "1"}),
        Request(access=made["access"]),
    ):
        assert ask(admin, request).status == 401
    user = f"{V3}/users/{me(ada)['user']['id']}"
    assert admin.patch(user, {"user": {"enabled": False}}).status == 200
    assert ask(admin, version4(made)).status == 401
    assert admin.patch(user, {"user": {"enabled": True}}).status == 200
    role = world.first.roles["member"]
    grant_ = f"{V3}/projects/{made['tenant_id']}/users/{made['user_id']}/roles/{role}"
    assert admin.delete(grant_).status == 204
    assert ask(admin, version4(made)).status == 401


def test_the_service_role_may_ask(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    service = member(world, "swift", "service")
    made = new(ada)
    assert ask(service, version4(made)).status == 200
    assert admin.get(f"{V3}/ec2tokens").status == 405


def s3(pair: dict[str, Any], text: str) -> Request:
    token = base64.urlsafe_b64encode(text.encode()).decode()
    request = Request(access=pair["access"], token=token)
    request.signature = signing.s3(request, pair["secret"])
    return request


def test_s3(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    made = new(ada)
    scope = "20261122/r/s3/aws4_request"
    for text in ("GET\n\n\nday\n/b/o", f"{signing.V4}\n20261122T000000Z\n{scope}\nhash"):
        answer = ask(admin, s3(made, text), kind="s3")
        assert answer.expect(200)["token"]["project"]["id"] == made["tenant_id"]
        assert "x-subject-token" not in answer.headers
        wrong = s3({**made, "secret": "other"}, text)
        assert ask(admin, wrong, kind="s3").status == 401
    for text in (f"{signing.V4}\nx\n20261122/r/ec2/aws4_request\nh", f"{signing.V4}\nx"):
        request = Request(
            access=made["access"], token=base64.urlsafe_b64encode(text.encode()).decode()
        )
        assert ask(admin, request, kind="s3").status == 401
    broken = Request(access=made["access"], token="x")
    assert ask(admin, broken, kind="s3").status == 401


def test_a_credentials_access_key_can_be_changed(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    made = new(ada)
    key = hashlib.sha256(made["access"].encode()).hexdigest()
    blob = json.dumps({"access": "other", "secret": "s"})
    path = f"{V3}/credentials/{key}"
    assert ada.patch(path, {"credential": {"blob": blob}}).status == 200
    assert ask(admin, version4(made)).status == 404
    assert ask(admin, version4({"access": "other", "secret": "s"})).status == 200
    assert ada.get(f"{path_of(ada)}/other").status == 200


def test_version_4_asks_for_all_its_parts() -> None:
    moment = "20261122T000000Z"
    for scope, signed in (
        ("a/20261122/r/ec2/aws4_request", ""), ("", "host"), ("a/20261122/r/ec2", "host"),
        ("b/20261122/r/ec2/aws4_request", "host"), ("a/20261121/r/ec2/aws4_request", "host"),
    ):  # fmt: skip
        told = f"{signing.V4} Credential={scope}, SignedHeaders={signed}"
        headers = {"X-Amz-Date": moment, "Authorization": told}
        with pytest.raises(Unsigned):
            signing.ec2(Request(access="a", headers=headers), "s")
    with pytest.raises(Unsigned):
        signing.ec2(
            Request(access="a", params={"SignatureVersion": "2", "SignatureMethod": "x"}), "s"
        )


def test_the_published_example_of_version_4() -> None:
    """Source: the AWS Signature Version 4 test suite, "get-vanilla"."""
    request = Request(
        access="AKIDEXAMPLE", host="example.amazonaws.com",
        headers={
            "Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z",
            "Authorization": f"{signing.V4} "
            "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=x",
        },
        body_hash=hashlib.sha256(b"").hexdigest(),
    )  # fmt: skip
    expected = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    assert signing.ec2(request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") == expected


def test_a_login_by_password_is_no_second_door(world: World) -> None:
    member(world, "ada")
    identity = {**by_password("ada", "pw"), "methods": ["ec2credential"]}
    assert world.try_login(identity).status == 401
    assert exchange(world, by_password("ada", "pw"))


def test_what_was_made_while_another_knew_the_password_ends_with_it(closed: World) -> None:
    admin = local(closed)
    ids = {}
    for name in ("ada", "bob"):
        ids[name] = make(admin, "user", name=name, password="pw")["id"]
    project = make(admin, "project", name="web")["id"]
    grant(admin, "project", project, "user", ids["ada"], closed.first.roles["member"])
    scope = {"project": {"id": project}}
    ada = closed.login("ada", scope, password="pw", private=False)
    early = new(ada)
    trust = {
        "trustor_user_id": ids["ada"], "trustee_user_id": ids["bob"], "impersonation": False,
        "project_id": project, "roles": [{"name": "reader"}],
    }  # fmt: skip
    trusts = f"{V3}/OS-TRUST/trusts"
    lent = ada.post(trusts, {"trust": trust}).expect(201)["trust"]["id"]
    body = {"user": {"original_password": "pw", "password": "hers"}}
    path = f"{V3}/users/{ids['ada']}/password"
    assert closed.anonymous().post(path, body).status == 204
    ada = closed.login("ada", scope, password="hers", private=False)
    assert ada.get(path_of(ada)).expect(200)["credentials"] == []
    assert ada.get(f"{trusts}/{lent}").status == 404
    kept = new(ada)
    body = {"user": {"original_password": "hers", "password": "again"}}
    assert closed.anonymous().post(path, body).status == 204
    ada = closed.login("ada", scope, password="again", private=False)
    assert ada.get(path_of(ada)).expect(200)["credentials"] == [kept]
    assert early["access"] != kept["access"]
