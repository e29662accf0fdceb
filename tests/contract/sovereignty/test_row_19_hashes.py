"""Row 19: salted password hashes only; and of row 18, that a dump yields no second factor."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede.db import Database, metadata
from andromede.services.identity import passwords
from andromede.services.identity.credentials.store import application_credential
from andromede.services.identity.users.store import user
from tests.contract.identity.conftest import CHEAP, World, open_world
from tests.contract.identity.making import V3, make

PASSWORD = "Tr0ub4dor and three"
SECRET = bytes(range(100, 120))


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    made = open_world(tmp_path, database_url)
    yield made
    made.cloud.close()


def dump(database: Database) -> bytes:
    """Every value of every table, bytes as they are."""
    parts: list[bytes] = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                parts += [each if isinstance(each, bytes) else repr(each).encode() for each in row]
    return b"\n".join(parts)


def test_a_database_dump_holds_salted_hashes_only(world: World) -> None:
    admin = world.admin()
    ids = [make(admin, "user", name=name, password=PASSWORD)["id"] for name in ("ada", "bob")]
    own = f"{V3}/users/{world.first.user_id}/application_credentials"
    made = admin.post(own, {"application_credential": {"name": "ci"}}).expect(201)
    secret = made["application_credential"]["secret"]
    blob = base64.b32encode(SECRET).decode()
    for credential in (
        {"type": "totp", "blob": blob, "user_id": ids[0]},
        {"type": "ec2", "blob": json.dumps({"access": "AK", "secret": "swordfish"}),
         "project_id": world.first.project_id},
    ):  # fmt: skip
        admin.post(f"{V3}/credentials", {"credential": credential}).expect(201)
    told = dump(world.cloud.database)
    for hidden in (PASSWORD, secret, blob, SECRET, "swordfish", str(admin.token)):
        plain = hidden if isinstance(hidden, bytes) else hidden.encode()
        for spelled in (plain, plain.hex().encode(), base64.b64encode(plain)):
            assert spelled not in told
    assert b"ada" in told
    with world.cloud.database.read() as connection:
        hashes = connection.execute(
            sa.select(user.c.password_hash).where(user.c.id.in_(ids))
        ).scalars().all()  # fmt: skip
        kept = connection.execute(sa.select(application_credential.c.secret_hash)).scalars().all()
    assert len(set(hashes)) == 2, "one password, two salts"
    for each in (*hashes, *kept):
        assert each.startswith("$argon2id$")
        assert passwords.matches(each, PASSWORD) or passwords.matches(each, secret)


def test_hashes_cost_what_the_standard_recommends() -> None:
    """RFC 9106, section 4: the second recommended option."""
    assert passwords.digest("pw").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
