"""A real guest's password, changed while it runs by the agent in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.guest.build import build_tiny
from benchmarks import scratch
from tests.host.guest_cloud import PATIENCE, SSH_IN, Guests, Server

pytestmark = pytest.mark.host
PUBLIC = "gocubsgo"


@pytest.fixture(scope="module")
def server(
    guests: Guests, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A guest whose SSH takes passwords; it may still boot."""
    folder = tmp_path_factory.mktemp("public")
    built = build_tiny(folder, cache_dir=cache, public_password=True)
    image = scratch.upload(guests.world.cloud, built.qcow2, "tiny-test")
    tenant = guests.world.new_tenant("passwords")
    network = tenant.network("blue", "10.0.0.0/24", tenant.router("edge")["id"])
    tenant.group("login", SSH_IN)
    made = tenant.server("locked", network, "10.0.0.10", ["login"], imageRef=image)
    yield made
    made.hang_up()
    tenant.api.call("compute", "DELETE", f"/servers/{made.id}")


def enters(server: Server, password: str, folder: Path) -> bool:
    """Whether SSH lets in who knows a password and has no key."""
    asked = folder / "askpass"
    asked.write_text('#!/bin/sh\nprintf "%s\\n" "$PASSWORD"\n')
    asked.chmod(0o700)
    options = {
        "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "LogLevel": "ERROR",
        "PubkeyAuthentication": "no", "NumberOfPasswordPrompts": "1", "ConnectTimeout": "20",
    }  # fmt: skip
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["ssh", *flags, f"cirros@{server.floating}", "id -un"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE,
        env={**os.environ, "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force",
             "PASSWORD": password},
    )  # fmt: skip
    if done.returncode:
        assert "Permission denied" in done.stderr, done.stderr
    return done.stdout.strip() == "cirros"


def change(server: Server, password: str) -> dict[str, Any]:
    """Change it, and wait; how the act went."""
    server.act("changePassword", {"adminPass": password})
    server.wait("ACTIVE")
    path = f"/servers/{server.id}/os-instance-actions"
    call = server.tenant.api.call
    listed = call("compute", "GET", path)["instanceActions"]
    found = call("compute", "GET", f"{path}/{listed[0]['request_id']}")["instanceAction"]
    assert found["action"] == "changePassword"
    return dict(found)


def test_a_guest_that_boots_yet_gets_its_password_when_its_agent_runs(
    server: Server, tmp_path: Path
) -> None:
    server.wait("ACTIVE")
    assert change(server, "Newpass1234")["message"] is None
    server.wait_ssh()
    assert enters(server, "Newpass1234", tmp_path)
    assert not enters(server, PUBLIC, tmp_path)


def test_any_password_goes_and_the_last_one_counts(server: Server, tmp_path: Path) -> None:
    odd = 'é $(x) \\n "q" : ' + "'" + "z" * 60
    assert change(server, odd)["message"] is None
    assert enters(server, odd, tmp_path)
    assert not enters(server, "Newpass1234", tmp_path)


def test_a_guest_that_was_suspended_listens_again(server: Server, tmp_path: Path) -> None:
    server.act("suspend")
    server.hang_up()
    server.wait("SUSPENDED")
    server.act("resume")
    server.wait("ACTIVE")
    assert change(server, "after")["message"] is None
    assert enters(server, "after", tmp_path)


def test_the_agent_does_nothing_else(server: Server) -> None:
    """What it may do is in its command line; the guest's user cannot change that."""
    blocked = server.ssh("tr '\\0' '\\n' </proc/$(pidof qemu-ga)/cmdline | grep block-rpcs")
    known = server.ssh("qemu-ga --block-rpcs=help").split()
    allowed = set(known) - set(blocked.partition("=")[2].split(","))
    assert allowed == {"guest-sync", "guest-sync-delimited", "guest-set-user-password"}
