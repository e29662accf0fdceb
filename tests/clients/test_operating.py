"""What an operator relies on: health, metrics, logs by request, the two listeners, TLS, recovery."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from andromede import config as configuration
from andromede import logins, tls
from andromede.cli import control
from andromede.cli.client import ApiFailure, Session, credential, poll
from andromede.config import Paths, role_uid
from andromede.roles import listen
from benchmarks import scratch
from benchmarks.scratch import Scratch
from tests.listening import assert_the_api_alone_listens


def fetch(running: Scratch, listener: str, path: str) -> tuple[int, str]:
    """GET a path of a listener, without a token."""
    context = ssl.create_default_context(cafile=str(Paths(running.state).tls / "ca.pem"))
    url = f"https://{getattr(running.config, listener)}{path}"
    try:
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("listener", ["public", "private"])
def test_health_is_told_on_both_listeners(running: Scratch, listener: str) -> None:
    status, body = fetch(running, listener, "/healthz")
    assert status == 200
    assert json.loads(body) == {"healthy": True, "parts": {"database": "up", "worker": "up"}}


def test_metrics_are_served_to_operators_alone(running: Scratch) -> None:
    status, body = fetch(running, "private", "/metrics")
    assert status == 200
    assert "andromede_request_seconds_bucket" in body
    assert 'action="health:state:show"' in body
    assert fetch(running, "public", "/metrics")[0] == 404


def test_an_operator_logs_in_on_the_private_listener_only(running: Scratch) -> None:
    held = logins.read(Paths(running.state), "operator")
    assert held is not None
    ca = Paths(running.state).tls / "ca.pem"
    public = Session(f"https://{running.config.public}/identity/v3", ca)
    identity = credential(held["application_credential_id"], held["application_credential_secret"])
    with pytest.raises(ApiFailure) as refused:
        public.login(identity)
    assert refused.value.status == 401
    public.token = running.operator.token
    public.catalog = {"identity": f"https://{running.config.public}/identity/v3"}
    with pytest.raises(ApiFailure) as refused:
        public.call("identity", "GET", "/users")
    assert refused.value.status == 401
    public.close()


def test_each_listener_answers_its_own_addresses(running: Scratch) -> None:
    for session, listener in ((running.operator, "private"), (running.customer, "public")):
        where = f"https://{getattr(running.config, listener)}/"
        assert session.catalog
        assert all(url.startswith(where) for url in session.catalog.values())


def test_secrets_on_disk_are_readable_by_their_owner_alone(running: Scratch) -> None:
    paths = Paths(running.state)
    for path in (
        logins.folder(paths, "operator") / "clouds.yaml",
        paths.tls / "ca.key",
        paths.tls / "server.key",
        paths.keys / "master.key",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(paths.keys.stat().st_mode) == 0o700


def test_the_api_alone_holds_the_listeners(running: Scratch) -> None:
    facts = control.running(running.state)
    assert facts is not None
    assert_the_api_alone_listens(running.config, Paths(running.state), facts["roles"])


def test_older_tls_is_refused(running: Scratch) -> None:
    context = ssl.create_default_context(cafile=str(Paths(running.state).tls / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    host, port = configuration.address(running.config.public)
    with socket.create_connection((host, port)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname=host)


def test_a_request_is_followed_from_the_api_into_the_workers_steps(running: Scratch) -> None:
    body = {"network": {"name": "followed"}}
    made = running.customer.call("network", "POST", "/v2.0/networks", body)["network"]

    def entries(**wanted: str) -> list[dict[str, str]]:
        done = subprocess.run(
            [sys.executable, "-m", "andromede.cli", "logs", "--json", "-n", "5000",
             "--state", str(running.state)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [each for each in lines if all(each.get(k) == v for k, v in wanted.items())]

    poll(lambda: entries(role="worker", resource=made["id"]), 30, "no step was logged")
    steps = entries(role="worker", resource=made["id"])
    (request,) = entries(role="api", request_id=steps[0]["request_id"])
    assert request["action"] == "network:network:create"
    running.customer.call("network", "DELETE", f"/v2.0/networks/{made['id']}")


@pytest.fixture(scope="module")
def mortal() -> Iterator[Scratch]:
    """A cloud whose roles may be killed: what they log of each other's absence is expected."""
    with scratch.cloud() as cloud:
        yield cloud


@pytest.mark.parametrize("role", ["api-0", "worker", "keys", "edge", "inspect", "courier"])
def test_a_role_that_is_killed_comes_back(mortal: Scratch, role: str) -> None:
    facts = control.running(mortal.state)
    assert facts is not None
    killed = facts["roles"][role]
    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        now = control.running(mortal.state)
        alive = now is not None and now["roles"].get(role) not in (killed, 0, None)
        return alive and control.health(mortal.config, Paths(mortal.state))[0]

    poll(back, 30, f"{role} did not come back")
    assert mortal.customer.call("network", "GET", "/v2.0/networks")


def days_presented(cloud: Scratch) -> int:
    """How long the certificate lives that a new connection to the public listener is shown."""
    pem = ssl.get_server_certificate(configuration.address(cloud.config.public))
    shown = x509.load_pem_x509_certificate(pem.encode())
    return (shown.not_valid_after_utc - dt.datetime.now(dt.UTC)).days


def test_a_certificate_near_its_end_is_renewed_while_the_cloud_runs(
    mortal: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, owner = Paths(mortal.state).tls, role_uid(mortal.config, "api")
    (folder / tls.SERVER).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(tls, "LEAF_DAYS", 7)
        tls.ensure(folder, "cloud", listen.hosts(mortal.config), owner)
    poll(lambda: days_presented(mortal) < 7, 30, "the api did not take up the new certificate")
    facts = control.running(mortal.state)
    assert facts is not None
    os.kill(facts["roles"]["worker"], signal.SIGKILL)  # it looks at the certificate as it starts
    poll(lambda: days_presented(mortal) > 300, 30, "nobody renewed the certificate")
    assert control.health(mortal.config, Paths(mortal.state))[0]


def test_status_says_what_runs(running: Scratch) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "andromede.cli", "status", "--json", "--state", str(running.state)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["running"], facts["healthy"]) == (0, True, True)
    for name, pid in facts["processes"].items():
        assert Path(f"/proc/{pid}").exists(), name
