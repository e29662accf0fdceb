"""The sovereignty API describes itself: every route, with schemas that hold together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import sovereignty
from tests.harness import TestCloud

PATH = "/sovereignty/v1/openapi.json"


@pytest.fixture
def document(tmp_path: Path) -> Iterator[dict[str, Any]]:
    cloud = TestCloud(tmp_path, [sovereignty.SERVICE])
    yield cloud.as_().get(PATH).expect(200)
    cloud.close()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_route_is_described(document: dict[str, Any]) -> None:
    rows = {
        (row.method.lower(), f"/sovereignty{row.path}") for row in sovereignty.SERVICE.operations
    }
    told = {(method, path) for path, each in document["paths"].items() for method in each}
    assert told == rows
    assert document["openapi"].startswith("3.1")


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    found = set(references(document))
    assert found
    assert found <= known


def test_operations_tell_who_may_and_what_is_sent(document: dict[str, Any]) -> None:
    names = [told["operationId"] for each in document["paths"].values() for told in each.values()]
    assert len(set(names)) == len(names)
    for path, each in document["paths"].items():
        for method, told in each.items():
            assert told["summary"], (method, path)
            named = {one["name"] for one in told.get("parameters", [])}
            assert named == set(re.findall(r"\{(\w+)\}", path))
            assert told["responses"]
    row = document["paths"]["/sovereignty/v1/sites/{id}"]["put"]
    assert row["requestBody"]["required"]
    assert row["security"] == [{"token": []}]
    assert document["paths"][PATH]["get"]["security"] == []
    assert "401" not in document["paths"][PATH]["get"]["responses"]
    refusal = row["responses"]["403"]["content"]["application/json"]["schema"]
    assert refusal == {"$ref": "#/components/schemas/Failure"}
