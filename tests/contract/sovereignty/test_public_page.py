"""The public page: for anyone, in French and English and JSON, and plain about what is open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import compute, image, sovereignty
from tests.contract.sovereignty.declaring import V1
from tests.contract.sovereignty.evidence_world import Evident, evident
from tests.contract.sovereignty.test_row_10_evidence import Page
from tests.harness import TestCloud

PATH = "/sovereignty/public"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Evident]:
    cloud = TestCloud(tmp_path, [image.SERVICE, compute.SERVICE, sovereignty.SERVICE])
    yield evident(cloud)
    cloud.close()


def text(world: Evident, query: str = "", **headers: str) -> str:
    answer = world.cloud.as_().get(PATH + query, headers=headers)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/html")
    return answer.body.decode().replace("&#39;", "'")


@pytest.mark.parametrize(
    ("query", "asked", "language"),
    [
        ("", "", "en"), ("", "fr-FR,fr;q=0.9,en;q=0.5", "fr"), ("", "de, en;q=0.3, fr;q=0.2", "en"),
        ("?lang=fr", "en", "fr"), ("?lang=en", "fr", "en"), ("", "fr;q=x, en", "en"),
        ("", "de", "en"),
    ],
)  # fmt: skip
def test_its_language_is_asked_for(world: Evident, query: str, asked: str, language: str) -> None:
    page = Page()
    page.feed(text(world, query, **{"accept-language": asked}))
    assert page.language == language
    assert page.loads == []
    assert page.headings.count(1) == 1
    assert "script" not in page.tags


def test_another_language_is_refused(world: Evident) -> None:
    answer = world.cloud.as_().get(f"{PATH}?lang=de")
    assert answer.status == 400
    assert "fr and en are accepted" in answer.json["message"]


def test_it_may_load_nothing(world: Evident) -> None:
    policy = world.cloud.as_().get(PATH).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_json_has_sites_owners_laws_and_suppliers(world: Evident) -> None:
    world.world.entity("helper", country="US")
    world.world.contract("night", "op", "helper", data="metadata", countries=["US"])
    public = world.cloud.as_().get(PATH, headers={"accept": "application/json"}).expect(200)
    found = public["public"]
    (site,) = found["sites"]
    assert site["country"]["value"] == "FR"
    assert "US" in site["jurisdictions"]
    assert found["operators"]["op"] == "op"
    assert [each["supplier"] for each in found["suppliers"]] == ["helper"]
    assert {"us-cloud-act"} <= {each["id"] for each in found["laws"]}
    assert found["emergencies"] == 0
    page = text(world, "?lang=fr")
    assert "CLOUD Act" in page
    assert "États-Unis" in page


def test_it_says_in_plain_words_when_the_cloud_is_open(world: Evident) -> None:
    warned = re.findall(r'<p class="warn">([^<]*)</p>', text(world, "?lang=fr"))
    assert any("sans rien demander" in each for each in warned)
    assert any("sans second facteur" in each for each in warned)
    closed = {"policy": {"operator_access": "consent", "second_factor": "on"}}
    world.operator.put(f"{V1}/policies/cloud", closed).expect(200)
    assert 'class="warn"' not in text(world)
    assert "only with that customer's consent" in text(world)


def test_what_operators_declare_is_escaped(world: Evident) -> None:
    world.world.site("local", operator="op", place="<script>alert(1)</script>")
    page = text(world)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
