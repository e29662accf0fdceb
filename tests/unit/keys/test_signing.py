"""The keys role signs checkpoints of its own log, cosigns others', and nothing else."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.keys.client import KeysClient
from andromede.keys.server import Server
from andromede.keys.vault import Vault
from andromede.sovereignty.log import note as notes

MARK = "andromede/test-abcd"
METHODS = ("token_keys", "sign_checkpoint", "cosign_checkpoint", "verifiers", "rotate")
OWN = notes.checkpoint_text(f"{MARK}/log", 5, bytes(32)).encode()
OTHER = notes.checkpoint_text("else.example/log", 5, bytes(32)).encode()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[KeysClient]:
    allowed = {each: {os.geteuid()} for each in METHODS}
    with Server(tmp_path / "keys.sock", Vault(tmp_path, MARK), allowed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = KeysClient(tmp_path / "keys.sock")
        yield client
        client.close()
        server.shutdown()
        thread.join()


def test_its_signatures_verify(client: KeysClient) -> None:
    log, witness = map(notes.verifier, (client.log_verifier(), client.witness_verifier()))
    assert (log.name, witness.name) == (f"{MARK}/log", f"{MARK}/witness")
    line = notes.signature_line(log.name, client.sign_checkpoint(OWN))
    assert notes.check(notes.parse(f"{OWN.decode()}\n{line}"), log) is None
    line = notes.signature_line(witness.name, client.cosign_checkpoint(OTHER))
    assert notes.check(notes.parse(f"{OTHER.decode()}\n{line}"), witness) is not None


def test_it_signs_nothing_else(client: KeysClient) -> None:
    for text in (OTHER, b"", b"anything\n", OWN + b"\n", b"\xff"):
        with pytest.raises(PermissionError, match="sign_checkpoint"):
            client.sign_checkpoint(text)
    with pytest.raises(PermissionError, match="no checkpoint"):
        client.cosign_checkpoint(b"anything\n")


def test_who_asks_before_the_role_listens_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.sock"
    with socket.socket(socket.AF_UNIX) as gone:  # a socket that a role of before left behind
        gone.bind(str(path))
    client, answers = KeysClient(path), list[str]()
    asking = threading.Thread(target=lambda: answers.append(client.log_verifier()))
    asking.start()
    allowed = {"verifiers": {os.geteuid()}}
    vault = Vault(tmp_path, MARK)
    with Server(path, vault, allowed) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        asking.join()
        server.shutdown()
        serving.join()
    client.close()
    assert answers == [str(vault.log.verifier)]


def test_who_asks_where_no_role_listens_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andromede.keys.client.PATIENCE", 0.0)
    with pytest.raises(FileNotFoundError):
        KeysClient(tmp_path / "keys.sock").log_verifier()


def test_keys_are_kept_and_differ(tmp_path: Path) -> None:
    first, second = Vault(tmp_path, MARK), Vault(tmp_path, MARK)
    assert first.log.verifier == second.log.verifier
    assert first.log.verifier.public != first.witness.verifier.public
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert base64.b64decode(str(first.log.verifier).split("+", 2)[2])[1:] not in raw
