"""Key pairs: imported, generated, a user's own, and how older clients see them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from andromede import quotas
from andromede.services.compute import SERVICE
from tests.harness import Client, TestCloud, caller

ROOT = "/compute/v2.1/os-keypairs"
KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone@host"
)
FINGERPRINT = "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE], url=database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(user="u1"), **at("2.96"))


def bring(client: Client, name: str = "k", **more: Any) -> Any:
    return client.post(ROOT, {"keypair": {"name": name, "public_key": KEY, **more}})


def test_a_key_is_imported_shown_listed_and_deleted(member: Client) -> None:
    made = bring(member, "my.key@home").expect(201)["keypair"]
    assert made == {
        "name": "my.key@home", "public_key": KEY, "type": "ssh", "user_id": "u1",
        "fingerprint": FINGERPRINT,
    }  # fmt: skip
    shown = member.get(f"{ROOT}/my.key@home").expect(200)["keypair"]
    assert isinstance(shown.pop("id"), int)
    assert "T" in shown.pop("created_at")
    assert shown == {**made, "deleted": False, "deleted_at": None, "updated_at": None}
    listed = member.get(ROOT).expect(200)["keypairs"]
    assert listed == [{"keypair": {k: v for k, v in made.items() if k != "user_id"}}]
    assert member.delete(f"{ROOT}/my.key@home").status == 204
    assert member.get(f"{ROOT}/my.key@home").status == 404
    assert member.delete(f"{ROOT}/my.key@home").status == 404


def test_the_fingerprint_is_what_ssh_keygen_says(member: Client, tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(KEY)
    try:
        said = subprocess.run(
            ["ssh-keygen", "-E", "md5", "-lf", str(path)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    assert f"MD5:{FINGERPRINT}" in said


def test_a_generated_key_opens_what_its_public_half_locks(cloud: TestCloud) -> None:
    old = cloud.as_(caller(user="u1"), **at("2.91"))
    made = old.post(ROOT, {"keypair": {"name": "gen"}}).expect(201)["keypair"]
    private = serialization.load_pem_private_key(made["private_key"].encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    assert made["public_key"].startswith(public.decode())
    assert "private_key" not in old.get(f"{ROOT}/gen").expect(200)["keypair"]
    with cloud.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM keypair").all()
    assert "PRIVATE" not in str(rows)


def test_versions_change_codes_and_members(cloud: TestCloud) -> None:
    oldest, typed = (cloud.as_(caller(user="u1"), **at(each)) for each in ("2.1", "2.2"))
    assert set(bring(oldest, "a").expect(200)["keypair"]) == {
        "name", "public_key", "fingerprint", "user_id"}  # fmt: skip
    assert "type" not in oldest.get(f"{ROOT}/a").expect(200)["keypair"]
    assert "type" not in oldest.get(ROOT).expect(200)["keypairs"][0]["keypair"]
    assert bring(oldest, "b", type="ssh").status == 400
    assert bring(typed, "b", type="ssh").expect(201)["keypair"]["type"] == "ssh"
    assert bring(typed, "c", user_id="u1").status == 400
    assert oldest.delete(f"{ROOT}/a").status == 202
    assert typed.delete(f"{ROOT}/b").status == 204
    newest = cloud.as_(caller(user="u1"), **at("2.92"))
    assert newest.post(ROOT, {"keypair": {"name": "g"}}).status == 400
    assert bring(cloud.as_(caller(), **at("2.91")), "my.key").status == 400
    assert oldest.post(ROOT, []).status == 400


def test_keys_belong_to_their_user(cloud: TestCloud, member: Client) -> None:
    bring(member).expect(201)
    other = cloud.as_(caller(user="u2"), **at("2.96"))
    assert other.get(f"{ROOT}/k").status == 404
    assert other.get(ROOT).expect(200) == {"keypairs": []}
    assert other.get(f"{ROOT}?user_id=u1").status == 403
    assert other.delete(f"{ROOT}/k?user_id=u1").status == 403
    assert bring(other, user_id="u1").status == 403
    assert bring(other).status == 201
    admin = cloud.as_(caller("admin", user="boss"), private=True, **at("2.96"))
    assert len(admin.get(f"{ROOT}?user_id=u1").expect(200)["keypairs"]) == 1
    refused = bring(admin, user_id="u" * 65).expect(400)["badRequest"]["message"]
    assert refused == "user_id has 65 characters; up to 64 are accepted."
    assert bring(admin, user_id="u" * 64).status == 201
    assert bring(admin, "given", user_id="u1").expect(201)["keypair"]["user_id"] == "u1"
    assert admin.delete(f"{ROOT}/given?user_id=u1").status == 204
    ignorant = cloud.as_(caller("admin", user="boss"), private=True, **at("2.9"))
    assert ignorant.get(f"{ROOT}?user_id=u1").expect(200)["keypairs"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""}, {"name": "a/b"}, {"name": " a"}, {"name": "x" * 256}, {"name": 3},
        {"public_key": "ssh-rsa nonsense"}, {"public_key": ""}, {"public_key": "x" * 20_000},
        {"public_key": "ssh-dss AAAAB3NzaC1kc3MAAAAB"}, {"type": "pgp"}, {"colour": "red"},
        {"type": "x509", "public_key": "none"},
    ],
)  # fmt: skip
def test_bad_keys_are_refused(member: Client, change: dict[str, Any]) -> None:
    bring(member, **change).expect(400) if "name" not in change else member.post(
        ROOT, {"keypair": {"public_key": KEY, **change}}
    ).expect(400)
    assert member.get(ROOT).expect(200)["keypairs"] == []


def test_certificates_are_imported_and_generated(cloud: TestCloud) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, start, start + timedelta(days=9))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
    client = cloud.as_(caller(), **at("2.91"))
    made = bring(client, type="x509", public_key=certificate).expect(201)["keypair"]
    assert made["fingerprint"].count(":") == 19
    for name, user in (("short", "u" * 20), ("long", "u" * 64)):
        own = cloud.as_(caller(user=user), **at("2.91"))
        fresh = own.post(ROOT, {"keypair": {"name": name, "type": "x509"}}).expect(201)["keypair"]
        found = x509.load_pem_x509_certificate(fresh["public_key"].encode())
        private = serialization.load_pem_private_key(fresh["private_key"].encode(), None)
        assert private.public_key() == found.public_key()
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names[0].value.endswith(f"{user}@localhost".encode())
        assert fresh["fingerprint"] == found.fingerprint(hashes.SHA1()).hex(":")


def test_a_taken_name_conflicts(member: Client) -> None:
    bring(member)
    message = bring(member).expect(409)["conflictingRequest"]["message"]
    assert message == "Key pair 'k' already exists."


def test_the_quota_holds(cloud: TestCloud, member: Client) -> None:
    cloud.database.transact(lambda c: quotas.set_limits(c, "compute", "p1", {"key_pairs": 1}))
    bring(member, "a").expect(201)
    refused = bring(member, "b").expect(403)
    assert refused["forbidden"]["message"] == "Quota exceeded, too many key pairs."


def test_lists_are_paged_from_2_35(cloud: TestCloud, member: Client) -> None:
    for name in "abc":
        bring(member, name)
    body = member.get(f"{ROOT}?limit=2").expect(200)
    assert [each["keypair"]["name"] for each in body["keypairs"]] == ["a", "b"]
    assert "marker=b" in body["keypairs_links"][0]["href"]
    rest = member.get(f"{ROOT}?limit=2&marker=b").expect(200)
    assert [each["keypair"]["name"] for each in rest["keypairs"]] == ["c"]
    assert "keypairs_links" not in rest
    assert member.get(f"{ROOT}?marker=none").status == 400
    assert member.get(f"{ROOT}?colour=red").status == 400
    old = cloud.as_(caller(user="u1"), **at("2.34"))
    assert len(old.get(f"{ROOT}?limit=2").expect(200)["keypairs"]) == 3
