"""The log over a running cloud: read, taken away, verified offline; and the cloud its own witness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from andromede.cli.client import poll
from andromede.cli.errors import CliError
from benchmarks.scratch import Scratch, failures
from tests.clients.test_sovereignty_world import Run, command


@pytest.fixture
def run(running: Scratch, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as the local operator."""
    monkeypatch.setenv("ANDROMEDE_STATE", str(running.state))
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE", raising=False)
    return command


def verify(*words: str) -> tuple[int, str]:
    from typer.testing import CliRunner

    from andromede.cli.main import app

    done = CliRunner().invoke(app, ["verify", *words])
    return done.exit_code, done.output


def network(running: Scratch, name: str) -> None:
    body = {"network": {"name": name}}
    running.operator.call("network", "POST", "/v2.0/networks", body)


def settled(run: Run) -> list[dict[str, object]]:
    """The operator's leaves, once all are under a checkpoint."""
    found: list[dict[str, object]] = []

    def numbered() -> bool:
        found[:] = json.loads(run("log", "list", "--json"))["leaves"]
        size = int(run("log", "checkpoint").split("\n")[1])
        return all(each["index"] is not None and int(str(each["index"])) < size for each in found)

    poll(numbered, 20, "the leaves got no numbers")
    return found


def test_what_is_taken_away_verifies(run: Run, running: Scratch, tmp_path: Path) -> None:
    network(running, "for-the-log")
    actions = [each["action"] for each in settled(run)]
    assert "network:network:create" in actions
    assert "network:network:create" in run("log", "list")
    key, kept, proof = tmp_path / "log.vkey", tmp_path / "kept", tmp_path / "proof.json"
    key.write_text(run("log", "key"))
    kept.write_text(run("log", "checkpoint"))
    size = kept.read_text().split("\n")[1]
    network(running, "and-another")
    settled(run)
    bundle, mirror = str(tmp_path / "bundle.json"), str(tmp_path / "mirror")
    assert bundle in run("log", "bundle", "-o", bundle, "--consistent-with", size)
    assert "leaves" in run("log", "copy", mirror)
    proof.write_text(run("log", "consistency", size))
    code, said = verify(bundle, mirror, str(kept), str(proof), "--key", str(key))
    assert code == 0, said
    assert run("log", "copy", mirror)
    assert verify(mirror, str(kept), "--key", str(key))[0] == 0
    Path(bundle).write_text(Path(bundle).read_text().replace("network:create", "network:creatE", 1))
    assert verify(bundle, "--key", str(key))[0] == 1


def test_many_leaves_come_in_several_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from andromede.cli.sovereignty import log

    class Two:
        """A session whose bundles have one leaf each."""

        def download(self, _: str, path: str) -> tuple[bytes, dict[str, str]]:
            return b'{"next": null}' if "marker=a" in path else b'{"next": "a"}', {}

    monkeypatch.setattr(log, "api", lambda _: _Held(Two()))
    told = run("log", "bundle", "-o", str(tmp_path / "b.json"))
    assert told.split() == [str(tmp_path / "b.json"), str(tmp_path / "b-2.json")]


class _Held:
    def __init__(self, held: object) -> None:
        self.held = held

    def __enter__(self) -> object:
        return self.held

    def __exit__(self, *_: object) -> None:
        pass


def test_an_early_purge_is_refused(run: Run) -> None:
    with pytest.raises(CliError, match="retention_days"):
        run("log", "purge", "2999-01-01")
    assert run("log", "purge", "2001-01-01") == "0 leaves were erased\n"


def test_the_courier_brings_a_cosignature(run: Run, running: Scratch, tmp_path: Path) -> None:
    """The cloud is its own witness, which vouches for nothing but takes the whole way."""
    key, own = tmp_path / "log.vkey", tmp_path / "witness.vkey"
    key.write_text(run("log", "key"))
    own.write_text(run("log", "key", "--witness"))
    origin = key.read_text().partition("+")[0]
    run("witnessed", "set", origin, "--verifier", str(key))
    authority = str(running.state / "tls" / "ca.pem")
    url = f"https://{running.config.public}/witness"
    run("witness", "set", "self", "--url", url, "--verifier", own.read_text(),
        "--certificate", authority)  # fmt: skip

    def cosigned() -> bool:
        lines = run("log", "checkpoint").split("\n\n")[1].splitlines()
        return len(lines) == 2

    poll(cosigned, 30, "no cosignature came")
    kept = tmp_path / "kept"
    kept.write_text(run("log", "checkpoint"))
    code, said = verify(str(kept), "--key", str(key), "--witness", str(own))
    assert code == 0, said
    (seen,) = json.loads(run("witness", "list", "--json"))["witnesses"]
    assert (seen["conflict"], seen["problem"]) == (False, None)
    assert "self" in run("witness", "list")
    assert origin in run("witnessed", "list")
    assert json.loads(run("witnessed", "list", "--json"))["logs"][0]["size"] > 0
    run("witness", "delete", "self")
    run("witnessed", "delete", origin)
    with pytest.raises(CliError, match="404"):
        run("witness", "delete", "self")
    with pytest.raises(CliError, match="No such file"):
        run("witnessed", "set", origin, "--verifier", str(tmp_path / "none"))
    assert failures(running.state) == []
