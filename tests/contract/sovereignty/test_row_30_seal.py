"""Row 30: the SEAL is computed from state; one S1 answer gives SEAL-1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import compute, image, sovereignty
from andromede.sovereignty.evidence.answers import Holder, Location, State, of_state
from andromede.sovereignty.evidence.seal import OPERATOR, STATE, Answer, assess, framework
from andromede.sovereignty.words import Text
from tests.contract.sovereignty.declaring import V1
from tests.contract.sovereignty.evidence_world import Evident, evident
from tests.harness import TestCloud, caller

CRITERIA = framework().criteria()
DECLARED = [key for key, each in CRITERIA.items() if each.source == OPERATOR]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Evident]:
    services = [image.SERVICE, compute.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url)
    yield evident(cloud)
    cloud.close()


def body(answer: int) -> dict[str, Any]:
    return {"answer": {"answer": answer, "because_en": "as shown", "because_fr": "comme montré"}}


def answer_all(world: Evident) -> None:
    for key in DECLARED:
        world.operator.put(f"{V1}/seal/{key}", body(len(CRITERIA[key].levels))).expect(200)


def full() -> State:
    """What a cloud with customers' keys, witnesses, receipts and exports would show."""
    return State(
        holders=(Holder(id="op", outcome="shown", in_eu=True),),
        sites=(Location(name="paris", in_eu=True, qualified=True),),
        stores=(Location(name="db", in_eu=True),),
        keys=frozenset({"customer"}),
        witnesses=1,
        portability="documented",
        erasure="witnessed",
    )


def declared() -> dict[str, Answer]:
    said = Text("as shown", "comme montré")
    return {
        key: Answer(answer=len(CRITERIA[key].levels), because=said, basis="declared")
        for key in DECLARED
    }


@pytest.mark.parametrize("key", [key for key in DECLARED if 1 in CRITERIA[key].levels])
def test_one_s1_answer_gives_seal_1(key: str) -> None:
    answers = {**of_state(full()), **declared()}
    assert assess(answers).level == 3, "the makers' own answers are no better"
    worse = Answer(
        answer=CRITERIA[key].levels.index(1) + 1, because=Text("x", "x"), basis="declared"
    )
    outcome = assess({**answers, key: worse})
    assert (outcome.level, outcome.lowest, outcome.unanswered) == (1, (key,), 0)


def test_a_us_subsidiary_lowers_the_level_of_a_cloud(world: Evident) -> None:
    before = world.levels()
    assert before["SOV-1.1"] == 4
    assert before["SOV-2.2"] == 2
    world.world.entity("us-sub", country="US")
    world.world.hold("op", "us-sub", 100)
    after = world.levels()
    assert after["SOV-2.2"] == 1
    reasons = {each["id"]: each["because"]["en"] for each in world.seal()["criteria"]}
    assert "us-cloud-act" in reasons["SOV-2.2"]


def test_a_foreign_owner_lowers_the_level(world: Evident) -> None:
    world.world.entity("abroad", country="US")
    world.world.entity("op2")
    world.world.hold("abroad", "op2", 25)
    world.world.hold("state", "op2", 75)
    world.world.site("local", operator="op2")
    assert world.levels()["SOV-1.1"] == 3
    world.world.hold("abroad", "op", veto=True, capital=0)
    world.world.site("local", operator="op")
    assert world.levels()["SOV-1.1"] in (1, 4)


def test_what_the_operator_answers_counts_and_is_marked_so(world: Evident) -> None:
    before = world.seal()
    assert before["unanswered"] > 0
    answer_all(world)
    seal = world.seal()
    assert seal["unanswered"] == 0
    assert seal["level"] == 0, "disks are not encrypted by the cloud"
    assert "SOV-3.1" in seal["lowest"]
    known = {each["id"]: each for each in seal["criteria"]}
    assert (known["SOV-2.3"]["basis"], known["SOV-2.3"]["by"]) == ("declared", "operator")
    assert known["SOV-3.1"]["basis"] == "measured"
    for key, each in known.items():
        assert each["because"]["en"], key
        assert each["because"]["fr"], key
    leaves = world.member.get(f"{V1}/log/leaves").expect(200)["leaves"]
    assert "sovereignty:seal:answer" in {each["action"] for each in leaves}
    assert world.operator.delete(f"{V1}/seal/SOV-2.3").status == 204
    assert world.operator.delete(f"{V1}/seal/SOV-2.3").status == 404
    assert world.seal()["unanswered"] == 1


def test_bad_answers_change_nothing(world: Evident) -> None:
    operator = world.operator
    before = world.seal()
    for key, sent, status in (
        ("SOV-2.3", body(6), 400), ("SOV-2.3", body(0), 400), ("SOV-2.3", {"answer": {}}, 400),
        ("SOV-2.3", {"answer": {**body(1)["answer"], "colour": 1}}, 400),
        ("SOV-9.9", body(1), 404), ("SOV-3.1", body(5), 409), ("SOV-6.3", body(5), 409),
    ):  # fmt: skip
        assert operator.put(f"{V1}/seal/{key}", sent).status == status, (key, sent)
    assert operator.delete(f"{V1}/seal/SOV-3.1").status == 409
    assert world.cloud.as_(caller("manager")).put(f"{V1}/seal/SOV-2.3", body(1)).status == 403
    assert world.cloud.as_().get(f"{V1}/seal").status == 401
    assert {**world.seal()} == before


def test_computed_criteria_are_those_of_the_state(world: Evident) -> None:
    known = {each["id"]: each["basis"] for each in world.seal()["criteria"]}
    answered = {key for key, basis in known.items() if basis in ("measured", "computed")}
    assert answered <= {key for key, each in CRITERIA.items() if each.source == STATE}
    assert {"SOV-1.1", "SOV-2.1", "SOV-2.2", "SOV-3.1", "SOV-3.2", "SOV-3.4"} <= answered
