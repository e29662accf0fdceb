"""The oracle sees what is wrong, in each part of an exchange; what is recorded is told by its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import oracle, recorded
from tests.oracle.exchanges import Recorder, exchange

ID = "3f1b6a0e-9f0b-4a38-9d2b-0a4f6d3c5e71"
KEYPAIR = {"keypair": {"name": "k", "public_key": "ssh-ed25519 AAAA", "type": "ssh"}}
MADE = {"keypair": {**KEYPAIR["keypair"], "fingerprint": "aa:bb", "user_id": "u1"}}
RIGHT: dict[str, Any] = {
    "service": "compute", "method": "POST", "path": "/compute/v2.1/os-keypairs", "key": "keypair",
    "query": {}, "version": [2, 96], "status": 201, "request": KEYPAIR, "response": MADE,
}  # fmt: skip


def less(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: {k: v for k, v in inner.items() if k != name} for key, inner in body.items()}


WRONG: dict[str, dict[str, Any]] = {
    "request keypair required: 'public_key' is a required property": {
        "request": less(KEYPAIR, "public_key")},
    "response keypair required: 'fingerprint' is a required property": {
        "response": less(MADE, "fingerprint")},
    "status 200 instead of 201": {"status": 200},
    "version no such operation": {
        "method": "PUT", "path": f"/compute/v2.1/flavors/{ID}", "version": [2, 54]},
    "query additionalProperties: Additional properties are not allowed ('x' was unexpected)": {
        "method": "GET", "query": {"x": ["1"]}, "request": None, "status": 200,
        "response": {"keypairs": []}},
}  # fmt: skip


def test_what_is_wrong_in_any_part_is_seen() -> None:
    asked = [RIGHT, *({**RIGHT, **change} for change in WRONG.values())]
    found = [(wrong.partition(": ")[2], asked.index(each)) for wrong, each in oracle.wrongs(asked)]
    assert found == [(what, at) for at, what in enumerate(WRONG, 1)]


def test_what_the_real_services_do_not_have_is_not_judged() -> None:
    ours = {**RIGHT, "path": "/compute/v2.1/ours"}
    assert oracle.ask([ours, {**RIGHT, "service": "sovereignty"}]) == [None, None]


def test_a_folder_of_exchanges_is_judged(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for name in ("one", "two"):
        recorder.note({**RIGHT, "request": {"keypair": {**KEYPAIR["keypair"], "name": name}}})
        recorder.note({**RIGHT, "status": 200, "path": RIGHT["path"] + f"/{ID}"})
    assert [each["status"] for each in recorded.read(tmp_path)] == [201, 200, 201]
    (tmp_path / "other.jsonl").write_text(json.dumps({**RIGHT, "request": {}}) + "\n")
    (told,) = recorded.complaints(tmp_path)
    assert told.startswith("compute POST /os-keypairs: request required: 'keypair'")


def test_shapes_are_told_of_ids_with_values_of_any_kind(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    other = ID.replace("3", "4")
    for words in ({ID: {}, other: "x"}, {other: {}, ID: "x"}, {ID: {}, other: 1}):
        recorder.note({**RIGHT, "response": words})
    assert len(recorded.read(tmp_path)) == 2


@pytest.mark.parametrize(
    ("path", "status", "body", "noted"),
    [
        ("/compute/v2.1/servers?limit=1", 200, b"{}", True),
        ("/compute/v2.1/servers", 400, b"{}", False),
        ("/compute/v2.1/servers", 200, b"no JSON", False),
        ("/compute/v2.1/servers", 200, b"[" * 100_000, False),
        ("/sovereignty/v1/log", 200, b"{}", False),
    ],
)
def test_what_is_accepted_of_the_services_is_noted(
    path: str, status: int, body: bytes, noted: bool
) -> None:
    headers = {"openstack-api-version": "compute 2.96"}
    found = exchange("GET", path, b"", status, headers, body)
    assert (found is not None) == noted
    if found is not None:
        assert (found["version"], found["query"], found["request"]) == (
            [2, 96],
            {"limit": ["1"]},
            None,
        )
