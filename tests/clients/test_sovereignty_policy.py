"""`andromede sovereignty policy`, findings, notices, plan and affiliation, over a running cloud with
several sites."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from andromede.cli.client import ApiFailure, Session
from andromede.cli.errors import CliError
from benchmarks.scratch import Scratch
from tests.clients.test_sovereignty_world import Run, asked, command

WITHIN = 30.0  # seconds for the worker to look


@pytest.fixture
def run(running: Scratch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command as the local operator; world and policies are put back afterwards."""
    monkeypatch.setenv("ANDROMEDE_STATE", str(running.state))
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE", raising=False)
    operator = running.operator
    before = operator.call("sovereignty", "GET", "/world")
    cloud = operator.call("sovereignty", "GET", "/policies")["policies"]
    yield command
    _put_back(operator, before)
    for each in operator.call("sovereignty", "GET", "/policies")["policies"]:
        kind, _, key = each["scope"].partition("/")
        path = f"/policies/{kind}s/{key}" if key else "/policies/cloud"
        operator.call("sovereignty", "DELETE", path)
    for each in cloud:
        operator.call("sovereignty", "PUT", "/policies/cloud", {"policy": each["policy"]})


def _put_back(operator: Session, before: Any) -> None:
    """Declare the world of before, once the hosts of the sites that came since have gone."""
    known = {each["name"] for each in before["world"]["sites"]}
    for each in operator.call("sovereignty", "GET", "/world")["world"]["sites"]:
        if each["name"] not in known:
            site = {name: value for name, value in each.items() if name != "hosts"}
            operator.call("sovereignty", "PUT", f"/sites/{each['name']}", {"site": site})

    def put() -> bool:
        try:
            operator.call("sovereignty", "PUT", "/world", before)
        except ApiFailure as failure:
            if failure.status != 409:
                raise
            return False
        return True

    eventually(put)


def eventually(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("the worker did not see it")


def project_of(running: Scratch) -> str:
    """A project of its own, so that others' resources stay as they are."""
    name = f"policy-{time.monotonic_ns()}"
    body = {"project": {"name": name, "domain_id": "default"}}
    made = running.operator.call("identity", "POST", "/projects", body)
    return str(made["project"]["id"])


def test_a_policy_is_set_shown_and_unset(running: Scratch, run: Run) -> None:
    scope = f"project/{project_of(running)}"
    run("policy", "set", scope, "allowed_countries=FR,DE", "ownership.individual_percent=24")
    assert '"DE"' in run("policy", "show", scope)
    run("policy", "set", scope, "finding_days=7")
    shown = asked(run, "policy", "show", scope)["policy"]
    assert shown == {
        "allowed_countries": ["FR", "DE"],
        "ownership": {"individual_percent": "24"},
        "finding_days": 7,
    }
    fields = asked(run, "policy", "show", scope, "--effective")["fields"]
    assert fields["finding_days"] == {"value": 7, "set_at": [scope]}
    assert scope in run("policy", "show", scope, "--effective")
    run("policy", "unset", scope, "ownership.individual_percent", "finding_days")
    assert asked(run, "policy", "show", scope)["policy"] == {"allowed_countries": ["FR", "DE"]}
    run("policy", "unset", scope)
    with pytest.raises(ApiFailure):
        run("policy", "show", scope)


@pytest.mark.parametrize(
    "words",
    [
        ("policy", "set", "cloud", "colour=blue"),
        ("policy", "set", "cloud", "retention_days=3"),
        ("policy", "set", "planet", "finding_days=3"),
        ("policy", "show", "cloud", "--effective"),
        ("policy", "unset", "cloud", "finding_days"),
        ("notices", "--lang", "de"),
    ],
)
def test_what_cannot_be_done_is_refused(run: Run, words: tuple[str, ...]) -> None:
    with pytest.raises(CliError):
        run(*words)


def test_findings_notices_and_a_plan(running: Scratch, run: Run) -> None:
    operator, project = running.operator, project_of(running)
    run("site", "set", "local", "--country", "FR")
    run("site", "set", "lyon", "--country", "FR", "--host", "lyon-1")
    image = {"name": "i", "owner": project, "disk_format": "raw", "container_format": "bare"}
    made = operator.call("image", "POST", "/v2/images", image)
    with open("/dev/zero", "rb") as zeros:
        from io import BytesIO

        operator.upload("image", f"/v2/images/{made['id']}/file", BytesIO(zeros.read(512)), 512)
    run("policy", "set", f"project/{project}", "allowed_sites=lyon")
    found = eventually(lambda: asked(run, "findings", "--project", project)["findings"])
    assert [(each["resource"], each["rule"]) for each in found] == [(made["id"], "allowed_sites")]
    assert made["id"] in run("findings", "--project", project)
    (move,) = asked(run, "plan", project)["moves"]
    assert (move["resource"], move["to"]) == (made["id"], None)
    assert "allowed_sites" in run("plan", project)
    notices = asked(run, "notices")["notices"]
    mine = [each for each in notices if each["project_id"] == project]
    assert mine[0]["text_en"] in run("notices")
    assert mine[0]["text_fr"] in run("notices", "--lang", "fr")
    run("policy", "unset", f"project/{project}")
    healed = eventually(
        lambda: asked(run, "findings", "--project", project, "--closed")["findings"]
    )
    assert [each["resource"] for each in healed] == [made["id"]]
    operator.call("image", "DELETE", f"/v2/images/{made['id']}")


def test_sites_that_are_declared_become_zones(running: Scratch, run: Run) -> None:
    run("site", "set", "lyon", "--country", "FR", "--host", "lyon-1")

    def zones() -> set[str]:
        found = running.operator.call("compute", "GET", "/os-availability-zone")
        return {each["zoneName"] for each in found["availabilityZoneInfo"]}

    eventually(lambda: "lyon" in zones())


def test_affiliations(running: Scratch, run: Run) -> None:
    body = {"user": {"name": f"staff-{time.monotonic_ns()}", "domain_id": "default"}}
    user = running.operator.call("identity", "POST", "/users", body)["user"]["id"]
    run("entity", "set", "acme", "--name", "Acme", "--country", "US")
    run("affiliation", "set", user, "acme")
    assert user in run("affiliation", "list")
    listed = asked(run, "affiliation", "list")["affiliations"]
    assert {"user_id": user, "entity": "acme"} in listed
    run("affiliation", "unset", user)
    assert asked(run, "affiliation", "list")["affiliations"] == []
