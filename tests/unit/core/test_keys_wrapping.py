"""What the keys role wraps for others opens for its purpose and name only."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from andromede.keys.server import Server
from andromede.keys.vault import Vault

API = 7


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path, "cloud.test/log")


def test_wrapped_bytes_open_as_they_were_wrapped(vault: Vault) -> None:
    wrapped = vault.wrap("credential", "c1", b"swordfish")
    assert b"swordfish" not in wrapped
    assert vault.unwrap("credential", "c1", wrapped) == b"swordfish"
    assert Vault(vault.folder, "cloud.test/log").unwrap("credential", "c1", wrapped)
    changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    for purpose, name, given in (
        ("credential", "c2", wrapped), ("other", "c1", wrapped), ("credential", "c1", changed),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="does not open"):
            vault.unwrap(purpose, name, given)


def test_the_vaults_own_keys_do_not_open_for_others(vault: Vault) -> None:
    stored = (vault.folder / "log.wrapped").read_bytes()
    for purpose, name in (("log", ""), ("", "log"), ("credential", "log")):
        with pytest.raises(ValueError, match="does not open"):
            vault.unwrap(purpose, name, stored)


def test_the_service_answers_errors_in_words(vault: Vault, tmp_path: Path) -> None:
    allowed = {"wrap": {API}, "unwrap": {API}}
    with Server(tmp_path / "keys.sock", vault, allowed) as server:

        def call(uid: int = API, **arguments: Any) -> dict[str, Any]:
            import json

            return server.answer(uid, json.dumps(arguments).encode())

        plain = base64.b64encode(b"swordfish").decode()
        use = {"purpose": "credential", "name": "c1"}
        wrapped = call(method="wrap", plain=plain, **use)["result"]
        assert call(method="unwrap", wrapped=wrapped, **use) == {"result": plain}
        assert "may not call" in call(uid=8, method="unwrap", wrapped=wrapped, **use)["error"]
        own = base64.b64encode((vault.folder / "log.wrapped").read_bytes()).decode()
        for wrong in (
            {"wrapped": wrapped, "purpose": "log", "name": "c1"}, {"wrapped": own, **use},
            {"wrapped": wrapped, "purpose": "credential"}, {"wrapped": "?", **use},
            {"wrapped": base64.b64encode(os.urandom(8)).decode(), **use},
        ):  # fmt: skip
            assert call(method="unwrap", **wrong)["error"].startswith("unwrap: ")
