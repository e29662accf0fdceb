"""`andromede sovereignty`: the world declared, asked and taken back, over a running cloud."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from andromede.cli.errors import CliError
from andromede.cli.main import app
from benchmarks.scratch import Scratch
from tests.clients.conftest import customer_login

Run = Callable[..., str]


@pytest.fixture
def run(running: Scratch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command as the local operator; the world is put back afterwards."""
    monkeypatch.setenv("ANDROMEDE_STATE", str(running.state))
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE", raising=False)
    before = running.operator.call("sovereignty", "GET", "/world")
    yield command
    running.operator.call("sovereignty", "PUT", "/world", before)


def command(*words: str) -> str:
    done = CliRunner().invoke(app, ["sovereignty", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def asked(run: Run, *words: str) -> Any:
    return json.loads(run(*words, "--json"))


def declare(run: Run) -> str:
    """A cloud owned by the State; the holding's id."""
    run("entity", "set", "cloudwatt", "--name", "Cloudwatt", "--country", "FR",
        "--capital", "225000000", "--currency", "EUR", "--since", "2012-09-06")  # fmt: skip
    run("entity", "set", "state", "--name", "State", "--kind", "public-body", "--country", "FR")
    run("site", "set", "local", "--country", "FR", "--operator", "cloudwatt", "--place", "Paris",
        "--latitude", "48.85", "--longitude", "2.35", "--network", "192.0.2.0/24")  # fmt: skip
    words = ("holding", "add", "state", "cloudwatt", "--amount", "225000000", "--veto")
    return str(asked(run, *words, "--source", "the articles")["holding"]["id"])


def test_a_world_is_declared_one_by_one(run: Run) -> None:
    declare(run)
    site = asked(run, "site", "show", "local")["site"]
    assert (site["country"], site["operator"], site["latitude"]) == ("FR", "cloudwatt", 48.85)
    run("site", "set", "local", "--place", "Lyon")
    kept = asked(run, "site", "show", "local")["site"]
    assert (kept["place"], kept["country"], kept["networks"]) == ("Lyon", "FR", ["192.0.2.0/24"])
    assert "cloudwatt on 2013-01-01: shown" in run("ownership", "cloudwatt", "--date", "2013-01-01")
    told = run("ownership", "cloudwatt")
    assert "state" in told
    assert "DIRECT_CAPITAL" in told
    listed = run("holding", "list")
    assert listed.startswith("ID")
    assert "yes" in listed  # the veto


def test_certificates_come_and_go(run: Run) -> None:
    declare(run)
    scheme, words = "ISO/IEC 27001", ("site", "certificate")
    more = ("--issuer", "LNE", "--since", "2026-01-01", "--until", "2029-01-01")
    added = asked(run, *words, "add", "local", scheme, "--number", "17", *more)
    assert added["site"]["certificates"] == [
        {"scheme": scheme, "number": "17", "issuer": "LNE", "since": "2026-01-01",
         "until": "2029-01-01"}
    ]  # fmt: skip
    run(*words, "add", "local", scheme)
    assert "2029-01-01" in run(*words, "list", "local")
    for number in (("--number", "17"), ()):
        with pytest.raises(CliError, match="it has one of ISO/IEC 27001 with that number"):
            run(*words, "add", "local", scheme, *number)
    with pytest.raises(CliError, match="2, of which --number names one"):
        run(*words, "remove", "local", scheme)
    with pytest.raises(CliError, match="it has none"):
        run(*words, "remove", "local", scheme, "--number", "18")
    left = asked(run, *words, "remove", "local", scheme, "--number", "17")
    assert [each["number"] for each in left["site"]["certificates"]] == [""]
    run(*words, "remove", "local", scheme)
    shown = asked(run, "site", "show", "local")["site"]
    assert (shown["certificates"], shown["operator"]) == ([], "cloudwatt")


def test_an_empty_value_is_taken_back(run: Run) -> None:
    declare(run)
    run("entity", "set", "cloudwatt", "--administration", "DE", "--until", "2030-01-01")
    run("entity", "set", "cloudwatt", "--administration", "", "--until", "")
    entity = asked(run, "entity", "show", "cloudwatt")["entity"]
    assert (entity["administration"], entity["until"]) == (None, None)
    assert entity["capital"] == "225000000"


def test_holdings_end_and_are_deleted(run: Run) -> None:
    held = declare(run)
    assert "2020-01-01" in run("holding", "end", held, "--until", "2020-01-01")
    assert "not-shown" in run("ownership", "cloudwatt", "--date", "2020-01-01")
    run("holding", "delete", held)
    with pytest.raises(CliError, match="404"):
        run("holding", "show", held)


def test_contracts_and_laws(run: Run) -> None:
    declare(run)
    run("entity", "set", "helpdesk", "--name", "Help", "--country", "US", "--branch", "CA")
    run("contract", "set", "help", "--customer", "cloudwatt", "--supplier", "helpdesk",
        "--purpose", "support", "--data", "metadata", "--country", "US")  # fmt: skip
    reached = run("exposures", "local", "--site")
    assert reached.splitlines()[0].endswith("CA, EU, FR, US")
    assert "helpdesk supplies cloudwatt with access to its data" in reached
    assert asked(run, "exposures", "helpdesk", "--date", "2018-01-01")["date"] == "2018-01-01"
    assert "us-cloud-act" in run("law", "list")
    assert len(asked(run, "law", "list")["laws"]) >= 20
    run("contract", "delete", "help")
    assert asked(run, "contract", "list") == {"contracts": []}


def test_a_file_goes_round(run: Run, tmp_path: Path) -> None:
    declare(run)
    file = tmp_path / "world.toml"
    file.write_text(run("world", "show"))
    assert run("world", "check", str(file)) == (
        "holds together: 1 site, 2 entities, 1 holding, no contracts\n"
    )
    before = asked(run, "world", "show")
    run("entity", "set", "other", "--name", "Other")
    assert "declared: 1 site, 2 entities" in run("world", "load", str(file))
    assert asked(run, "world", "show") == before
    assert asked(run, "world", "load", str(file)) == before
    file.write_text(file.read_text().replace("225000000", "999", 1))
    with pytest.raises(CliError, match="more than the whole capital"):
        run("world", "check", str(file))
    with pytest.raises(CliError, match="more than the whole capital"):
        run("world", "load", str(file))


def test_lists_are_read_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from andromede.cli.client import Session

    declare(run)
    plainly = Session.call

    def short(self: Session, service: str, method: str, path: str, *rest: Any, **query: str) -> Any:
        if method == "GET" and path == "/entities":
            query["limit"] = "1"
        return plainly(self, service, method, path, *rest, **query)

    monkeypatch.setattr(Session, "call", short)
    found = asked(run, "entity", "list")["entities"]
    assert [each["id"] for each in found] == ["cloudwatt", "state"]


def test_a_running_cloud_is_declared_a_world_by_up(
    run: Run, running: Scratch, tmp_path: Path
) -> None:
    declare(run)
    file = tmp_path / "world.toml"
    file.write_text(run("world", "show").replace("Paris", "Rennes"))
    done = CliRunner().invoke(app, ["up", "--world", str(file)])
    assert done.exit_code == 0, done.output
    assert asked(run, "site", "show", "local")["site"]["place"] == "Rennes"


def test_a_customer_reads_and_may_not_write(
    run: Run, running: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(run)
    login = customer_login(running)
    auth = {
        "auth_url": login["OS_AUTH_URL"], "username": login["OS_USERNAME"],
        "password": login["OS_PASSWORD"], "project_name": login["OS_PROJECT_NAME"],
    }  # fmt: skip
    file = tmp_path / "clouds.yaml"
    cloud = {"auth": auth, "cacert": login["OS_CACERT"]}
    file.write_text(json.dumps({"clouds": {"bench": cloud}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    monkeypatch.setenv("OS_CLOUD", "bench")
    assert "shown" in run("ownership", "cloudwatt")
    with pytest.raises(CliError, match="403"):
        run("entity", "delete", "state")
    monkeypatch.setenv("OS_CLOUD", "other")
    with pytest.raises(CliError, match="no login other"):
        run("ownership", "cloudwatt")


def test_a_refusal_is_one_line_on_the_real_command_line(running: Scratch) -> None:
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "andromede.cli", "sovereignty", "site", "delete", "local",
         "--state", str(running.state)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "where this host stands" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_endpoint_is_at_a_declared_site(run: Run, running: Scratch) -> None:
    call = running.operator.call
    new = {"service": {"type": "object-store", "name": "swift"}}
    service = call("identity", "POST", "/services", new)["service"]["id"]
    url = "https://swift.example/v1"
    asked_for = {"service_id": service, "interface": "public", "url": url}
    made = call("identity", "POST", "/endpoints", {"endpoint": asked_for})["endpoint"]["id"]
    declare(run)
    try:
        with pytest.raises(CliError, match="404"):
            run("endpoint", "set", made, "--site", "nowhere")
        assert "site" not in call("identity", "GET", f"/endpoints/{made}")["endpoint"]
        told = run("endpoint", "set", made, "--site", "local")
        assert [line.split()[-1] for line in told.splitlines()] == [made, url, "local"]
        set_ = asked(run, "endpoint", "set", made, "--site", "local")["endpoint"]
        assert set_ == call("identity", "GET", f"/endpoints/{made}")["endpoint"]
        [mine] = [each for each in asked(run, "endpoint", "list")["endpoints"]
                  if each["id"] == made]  # fmt: skip
        assert (mine["service"], mine["site"]) == ("object-store", "local")
        [line] = [line for line in run("endpoint", "list").splitlines() if made in line]
        assert line.split() == [made, "object-store", "public", url, "local"]
        with pytest.raises(CliError, match="404"):
            run("endpoint", "set", "nobody", "--site", "local")
    finally:
        call("identity", "DELETE", f"/endpoints/{made}")
        call("identity", "DELETE", f"/services/{service}")
