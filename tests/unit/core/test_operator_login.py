"""The local operator's login is there at the start, and is renewed while the cloud runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from andromede import clock, logins
from andromede.cloud import Cloud
from andromede.config import Paths, new_config
from andromede.db import Database
from andromede.roles import assembly, first_start
from andromede.services.identity import api as identity

assembly.packages()  # declares every table


@pytest.fixture
def cloud(database: Database, tmp_path: Path) -> Cloud:
    made = Cloud(new_config(engine="simulated"), Paths(tmp_path / "state"), database)
    first_start.first_rows(made)
    return made


def held(cloud: Cloud) -> str:
    login = logins.read(cloud.paths, "operator")
    assert login is not None
    return login["application_credential_id"]


def test_a_login_that_lasts_is_kept(cloud: Cloud) -> None:
    before = held(cloud)
    first_start.keep_operator(cloud)
    assert held(cloud) == before


def test_a_login_that_ends_soon_is_renewed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held(cloud)
    later = clock.now() + (first_start.LIFETIME - first_start.RENEW_BELOW + 1) * clock.SECOND
    monkeypatch.setattr(clock, "now", lambda: later)
    first_start.keep_operator(cloud)
    after = held(cloud)
    assert after != before
    with cloud.database.read() as connection:
        expiry = identity.credential_expiry(connection, after)
        assert identity.credential_expiry(connection, before) is None
    assert expiry == later + first_start.LIFETIME * clock.SECOND


def test_a_lost_login_is_made_anew(cloud: Cloud) -> None:
    before = held(cloud)
    (logins.folder(cloud.paths, "operator") / "clouds.yaml").unlink()
    first_start.keep_operator(cloud)
    assert held(cloud) != before
