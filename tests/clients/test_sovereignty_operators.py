"""`andromede sovereignty consent|emergency|operator|report`, over a running cloud that is closed to
its operators, as every cloud is from its first start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from typer.testing import CliRunner

from andromede import logins, totp
from andromede.cli.client import ApiFailure
from andromede.cli.errors import CliError
from andromede.cli.main import app
from andromede.config import Paths
from benchmarks.scratch import Scratch

Run = Callable[..., str]
PASSWORD = "correct horse battery"


def command(*words: str) -> str:
    done = CliRunner().invoke(app, ["sovereignty", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def asked(*words: str) -> Any:
    return json.loads(command(*words, "--json"))


@pytest.fixture
def cloud(running: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    monkeypatch.setenv("ANDROMEDE_STATE", str(running.state))
    for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_PASSCODE"):
        monkeypatch.delenv(name, raising=False)
    return running


@pytest.fixture(scope="module")
def customer(running: Scratch) -> dict[str, str]:
    """A customer of its own, with a login file and an image."""
    session, login = running.another("secretive")
    user = login["auth"]["identity"]["password"]["user"]
    auth = {
        "username": user["name"], "password": user["password"], "user_domain_id": "default",
        "project_name": "secretive", "project_domain_id": "default",
    }  # fmt: skip
    logins.write(Paths(running.state), running.config, "secretive", "public", auth)
    body = {"name": "i", "disk_format": "raw", "container_format": "bare"}
    image = session.call("image", "POST", "/v2/images", body)
    return {"project": session.project_id, "user": session.user_id, "image": image["id"]}


def boss(running: Scratch) -> str:
    """A second operator, by name and password; its id."""
    operator = running.operator
    found = operator.find("identity", "/users", "users", "boss")
    if found is None:
        body = {"name": "boss", "domain_id": "default", "password": PASSWORD}
        found = operator.call("identity", "POST", "/users", {"user": body})["user"]
    role = operator.find("identity", "/roles", "roles", "admin")
    assert role is not None
    place = f"/projects/{operator.project_id}/users/{found['id']}/roles/{role['id']}"
    operator.call("identity", "PUT", place)
    return str(found["id"])


def as_boss(running: Scratch, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = yaml.safe_load((running.state / "clients/operator/clouds.yaml").read_text())
    entry = held["clouds"]["operator"]
    entry["auth"] = {
        "auth_url": entry["auth"]["auth_url"], "username": "boss", "password": PASSWORD,
        "user_domain_id": "default", "project_id": running.operator.project_id,
    }  # fmt: skip
    path = folder / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"boss": entry}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("OS_CLOUD", "boss")


def test_a_consent_from_request_to_end(
    cloud: Scratch, customer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("consent", "ask", customer["project"], "disk", "--reason", "ticket 7")
    made = asked(*words, "--resource", customer["image"], "--seconds", "600")["consent"]
    assert made["status"] == "requested"
    other = asked(*words)["consent"]["id"]
    with pytest.raises(ApiFailure, match="answered 403"):
        command("consent", "grant", made["id"])
    monkeypatch.setenv("OS_CLOUD", "secretive")
    granted = asked("consent", "grant", made["id"], "--seconds", "60", "--kind", "disk")["consent"]
    assert (granted["status"], granted["seconds"]) == ("active", 60)
    assert "refused" in command("consent", "refuse", other)
    given = asked("consent", "give", "output", "--reason", "help", "--operator", "somebody")
    assert given["consent"]["operator"] == "somebody"
    listed = command("consent", "list")
    assert listed.startswith("ID")
    assert made["id"] in listed
    assert len(asked("consent", "list")["consents"]) == 3
    assert "revoked" in command("consent", "revoke", made["id"])


def test_operators_get_a_second_factor_and_use_it(
    cloud: Scratch, customer: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = boss(cloud)
    words = ("emergency", "call", customer["project"], "disk", "--reason", "it attacks others")
    called = asked(*words, "--seconds", "60")["emergency"]
    with pytest.raises(ApiFailure, match="another operator"):
        command("emergency", "approve", called["id"])
    uri = urlsplit(command("operator", "enroll", "boss").strip())
    assert uri.scheme == "otpauth"
    with pytest.raises(CliError, match="--again"):
        command("operator", "enroll", "boss")
    again = asked("operator", "enroll", second, "--again")
    assert again["user"] == second
    secret = parse_qs(urlsplit(again["uri"]).query)["secret"][0]
    as_boss(cloud, tmp_path, monkeypatch)
    with pytest.raises(ApiFailure, match="second factor"):
        command("emergency", "list")
    step = int(time.time()) // totp.STEP
    monkeypatch.setenv("OS_PASSCODE", totp.code(totp.secret_of(secret), step))
    assert "active" in command("emergency", "approve", called["id"])
    monkeypatch.setenv("OS_PASSCODE", totp.code(totp.secret_of(secret), step + 1))
    assert "revoked" in command("emergency", "close", called["id"])
    monkeypatch.delenv("OS_PASSCODE")
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE")
    monkeypatch.setenv("OS_CLOUD", "secretive")
    assert called["id"] in command("emergency", "list")
    notices = cloud.operator.call(
        "sovereignty", "GET", "/notices", None, project_id=customer["project"]
    )["notices"]
    assert "emergency" in {each["kind"] for each in notices}


def test_reports_are_printed_whole(
    cloud: Scratch, customer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andromede.cli.sovereignty.operators.PAGE", "1")
    whole = asked("report", "reach", customer["image"])
    names = {each["name"] for each in whole["users"]}
    assert {"admin", "secretive"} <= names
    told = command("report", "reach", customer["image"])
    assert told.startswith("USER")
    assert "secretive" in told
    admin = asked("report", "user", "admin")["user"]
    assert len(admin["bearers"]) >= 2
    assert "system" in command("report", "user", "admin")
    monkeypatch.setenv("OS_CLOUD", "secretive")
    own = asked("report", "user", customer["user"])["user"]["bearers"]
    assert [each["roles"] for each in own] == [["member", "reader"]]
