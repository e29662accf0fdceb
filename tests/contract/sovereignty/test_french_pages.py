"""The French pages are French: of a cloud with everything that a page can tell, nothing of the
evidence, of the public page or of the notices is left in English but ids and names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from andromede.services.sovereignty import reconcilers
from andromede.sovereignty.evidence import words
from andromede.sovereignty.world.laws import LAWS
from tests.contract.sovereignty.customers import Customers, customers
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.contract.sovereignty.evidence_world import files
from tests.french import Visible, english, unprinted
from tests.harness import caller

NAMES = (
    "Cloud Sovereignty Framework", "Natural Earth", "Andromède", "andromede", "English version",
    "the guest attacks others", "evidence.json", "log.json", "CLOUD Act", "Liberty Fund Inc",
    "tickets and calls", "ticket 7", "Ashburn, Virginia",
)  # fmt: skip
LISTS = (
    {"allowed_countries": ["FR"], "refused_jurisdictions": ["US"], "finding_days": 1},
    {"allowed_sites": ["elsewhere"], "required_keys": "customer", "supplier_access": "eu"},
    {"ownership": {"individual_percent": "12.5", "together_percent": 39}},
    {"ownership": {"shown_required": True}},
    {"allowed_countries": [], "allowed_sites": [], "backup_elsewhere": True},
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customers]:
    """The cloud of the guide's story: a fund of the United States buys into the operator."""
    made = customers(tmp_path_factory.mktemp("french"))
    declaring = Declaring(made.operator, made.member)
    declaring.entity("caisse", kind="public-body")
    declaring.entity("cloudwatt", name="Cloudwatt SA")
    declaring.site(
        "local", operator="cloudwatt", place="Val-de-Reuil", latitude=49.27, longitude=1.21,
        certificates=[{"scheme": "ISO 27001", "number": "7", "issuer": "A", "until": "2031-01-01"}],
    )  # fmt: skip
    declaring.site("ashburn", "US", "cloudwatt", place="Ashburn, Virginia", latitude=39.0,
                   longitude=-77.5)  # fmt: skip
    declaring.site("unsaid", "undeclared")
    declaring.hold("caisse", "cloudwatt", 100, until="2026-11-20")
    made.site.build()
    weigh(made)
    declaring.entity("liberty", "US", name="Liberty Fund Inc")
    declaring.entity("float", "EU", kind="holders")
    declaring.entity("helper", "CN", administration="IN", establishment="RU")
    declaring.hold("caisse", "cloudwatt", "60", since="2026-11-20")
    declaring.hold("liberty", "cloudwatt", 25, votes=30, veto=True, board=True, since="2026-11-20")
    declaring.hold("float", "cloudwatt", "2.5", since="2026-11-20")
    declaring.contract("calls", "cloudwatt", "helper", data="access", countries=["AU", "GB", "CH"],
                       purpose="tickets and calls")  # fmt: skip
    acts(made)
    for policy in LISTS:
        path = f"{V1}/policies/projects/p1"
        made.cloud.as_(caller("manager")).put(path, {"policy": policy}).expect(200)
        weigh(made)
    made.cloud.number()
    yield made
    made.cloud.close()


def acts(made: Customers) -> None:
    """Consents in every state, an emergency, and operators who look."""
    asked = made.ask("output", "disk")
    made.member.post(f"{V1}/consents/{asked['id']}/grant", {"grant": {}})
    made.ask("console", "user_data", "password")
    made.member.post(f"{V1}/consents/{made.ask('export')['id']}/refuse")
    made.member.post(f"{V1}/consents/{made.give('snapshot')['id']}/revoke")
    body = {"project_id": "p1", "kinds": ["disk"], "reason": "the guest attacks others"}
    opened = made.operator.post(f"{V1}/emergencies", {"emergency": body}).expect(201)
    made.second.post(f"{V1}/emergencies/{opened['emergency']['id']}/approve").expect(200)
    assert made.operator.get(f"/image/v2/images/{made.site.image}/file").status == 200
    made.operator.get(f"/image/v2/images/{made.site.image}").expect(200)


def weigh(made: Customers) -> None:
    (each,) = [one for one in reconcilers(made.site.world()) if one.name == "re-evaluation"]
    each.run()


def names(document: Any) -> list[str]:
    """What is called the same in every language."""
    found = [*NAMES, *(each.name for each in LAWS), *(each.name_fr for each in LAWS)]
    found += [document["cloud"]["name"], document["project"], *document["policy"]["fields"]]
    found += [each["name"] for noun in ("sites", "entities", "stores") for each in document[noun]]
    found += [each["id"] for each in document["entities"]]
    found += [each["rule"] for each in document["findings"]]
    found += [each["action"] for each in document["accesses"]]
    return [each for each in found if each]


def check(page: str, document: Any) -> list[str]:
    """What is not French in a page, or not set as French."""
    wrong = []
    for told in Visible(page).texts:
        wrong += [f"{word!r} in {told!r}" for word in english(told, names(document))]
        wrong += [f"{each!r} in {told!r}" for each in unprinted(told)]
    return wrong


@pytest.fixture(scope="module")
def inside(cloud: Customers) -> dict[str, bytes]:
    return files(cloud.member.get(f"{V1}/evidence/p1").body)


def test_the_evidence_is_french(inside: dict[str, bytes]) -> None:
    document = json.loads(inside["evidence.json"])
    page = inside["evidence.fr.html"].decode()
    assert check(page, document) == []
    assert {each["rule"] for each in document["findings"]} >= {
        "allowed_countries", "refused_jurisdictions", "required_keys", "allowed_sites",
        "ownership.individual_percent", "ownership.shown_required",
    }  # fmt: skip
    for part in ("États-Unis", "25\u00a0%", "aucun pays", "droit de veto", "urgence", "révoqué"):
        assert part in page, part


def test_no_reason_is_told_in_english(inside: dict[str, bytes]) -> None:
    document = json.loads(inside["evidence.json"])
    page = inside["evidence.fr.html"].decode()
    reasons = {each["text"] for site in document["sites"] for each in site["reasons"]}
    reasons |= {each["why"] for site in document["sites"] for each in site["laws"]}
    reasons |= {each["reason"] for each in document["findings"]}
    assert len(reasons) > 20
    assert [each for each in reasons if each in page] == []
    for each in document["findings"]:
        assert each["reason_fr"] != each["reason"]
    for site in document["sites"]:
        assert all(each["text_fr"] != each["text"] for each in site["reasons"])
        assert all(each["why_fr"] != each["why"] for each in site["laws"])


def test_no_message_is_left_without_its_french(inside: dict[str, bytes]) -> None:
    shown = Visible(inside["evidence.fr.html"].decode()).texts
    known = {en for en, fr in words.catalogue("fr").items() if en != fr}
    assert known.isdisjoint(shown)


def test_the_public_page_is_french(cloud: Customers, inside: dict[str, bytes]) -> None:
    answer = cloud.cloud.as_().get("/sovereignty/public?lang=fr")
    assert answer.status == 200
    assert check(answer.body.decode(), json.loads(inside["evidence.json"])) == []


def test_notices_are_french(cloud: Customers, inside: dict[str, bytes]) -> None:
    document = json.loads(inside["evidence.json"])
    told = cloud.member.get(f"{V1}/notices").expect(200)["notices"]
    assert {each["kind"] for each in told} >= {
        "ownership", "sub-processor", "finding", "consent", "emergency",
    }  # fmt: skip
    for each in told:
        assert english(each["text_fr"], names(document)) == [], each["text_fr"]
        assert unprinted(each["text_fr"]) == [], each["text_fr"]


def test_the_english_page_is_caught(inside: dict[str, bytes]) -> None:
    document = json.loads(inside["evidence.json"])
    assert len(check(inside["evidence.en.html"].decode(), document)) > 100
