"""What quickstart repairs of a customer's key, and what it must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from andromede.cli.errors import CliError
from andromede.cli.firstlight import NAME, FirstLight


class Cloud:
    """A compute API with key pairs and servers, by name."""

    def __init__(self) -> None:
        self.pairs: dict[str, str] = {}
        self.servers: list[str] = []

    def call(self, service: str, method: str, path: str, body: Any = None) -> Any:
        if method == "GET":
            pairs = [{"name": name, "public_key": key} for name, key in self.pairs.items()]
            return {"keypairs": [{"keypair": pair} for pair in pairs]}
        if method == "DELETE":
            return self.pairs.pop(path.rpartition("/")[2])
        pair = body["keypair"]
        assert pair["name"] not in self.pairs
        self.pairs[pair["name"]] = pair["public_key"]
        return body

    def find(self, service: str, path: str, key: str, name: str) -> Any:
        return {"name": name} if name in self.servers else None


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def light(cloud: Cloud, tmp_path: Path) -> FirstLight:
    found = FirstLight(cloud, tmp_path)  # type: ignore[arg-type]
    found._key_pair()
    cloud.servers.append(NAME)
    return found


def test_a_key_is_made_once(cloud: Cloud, light: FirstLight) -> None:
    private, public = light.key.read_bytes(), dict(cloud.pairs)
    assert light.key.stat().st_mode & 0o777 == 0o600
    assert public[NAME].startswith("ssh-ed25519 ")
    light._key_pair()
    assert (light.key.read_bytes(), cloud.pairs) == (private, public)


@pytest.mark.parametrize("there", [None, "ssh-ed25519 AAAA another"])
def test_the_key_of_a_server_is_given_to_the_cloud_again(
    cloud: Cloud, light: FirstLight, there: str | None
) -> None:
    private, public = light.key.read_bytes(), dict(cloud.pairs)
    cloud.pairs = {NAME: there} if there else {}
    light._key_pair()
    assert (light.key.read_bytes(), cloud.pairs) == (private, public)


@pytest.mark.parametrize("left", [None, b"", b"half a key"])
def test_a_key_that_is_lost_is_replaced_only_without_a_server(
    cloud: Cloud, light: FirstLight, left: bytes | None
) -> None:
    before = dict(cloud.pairs)
    light.key.unlink()
    if left is not None:
        light.key.write_bytes(left)
    with pytest.raises(CliError, match=r"is lost.*server delete first-light"):
        light._key_pair()
    assert cloud.pairs == before
    cloud.servers.clear()
    light._key_pair()
    assert cloud.pairs != before
