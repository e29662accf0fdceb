"""The SEAL: the data file, the lowest level, what has no answer, and what follows from the state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.sovereignty.evidence.answers import Holder, Location, State, of_state
from andromede.sovereignty.evidence.seal import Answer, assess, framework
from andromede.sovereignty.words import Text

CRITERIA = framework().criteria()


def said(answer: int) -> Answer:
    return Answer(answer=answer, because=Text("as said", "comme dit"), basis="declared")


def best() -> dict[str, Answer]:
    return {key: said(len(each.levels)) for key, each in CRITERIA.items()}


def levels(answers: dict[str, Answer]) -> dict[str, int | None]:
    return {each.id: each.level for each in assess(answers).criteria}


def test_the_data_file_is_whole() -> None:
    assert len(CRITERIA) == 48
    assert [each.id for each in framework().objective] == [f"SOV-{n}" for n in range(1, 9)]
    for table in framework().weights.values():
        assert sum(table) == 100
        assert len(table) == 8
    for key, each in CRITERIA.items():
        assert key.startswith("SOV-")
        assert len(each.levels) == len(each.answers.en) == len(each.answers.fr)
        assert list(each.levels) == sorted(each.levels)
        assert set(each.levels) <= {0, 1, 2, 3, 4}
        assert (each.answer is not None) == (each.source == "maker") == (each.because is not None)


def test_every_criterion_that_the_state_answers_says_so() -> None:
    full = State(
        holders=(Holder(id="us", outcome="shown", in_eu=True),),
        sites=(Location(name="paris", in_eu=True),),
        stores=(Location(name="db", in_eu=True),),
    )
    assert set(of_state(full)) == {key for key, each in CRITERIA.items() if each.source == "state"}


def test_all_the_best_answers_give_the_highest_level() -> None:
    outcome = assess(best())
    assert (outcome.level, outcome.unanswered) == (4, 0)
    assert outcome.scores == {"framework": "100.0", "calculator": "100.0"}


@given(st.sampled_from(sorted(CRITERIA)), st.integers(1, 5), st.data())
def test_the_overall_level_is_the_lowest(key: str, answer: int, data: st.DataObject) -> None:
    answers = best()
    worse = data.draw(st.sampled_from(sorted(CRITERIA)))
    for each in (key, worse):
        answers[each] = said(min(answer, len(CRITERIA[each].levels)))
    outcome = assess(answers)
    assert outcome.level == min(each.level for each in outcome.criteria if each.level is not None)
    assert all(
        each.level == outcome.level for each in outcome.criteria if each.id in outcome.lowest
    )


def test_an_unanswered_criterion_has_no_level_and_counts_nothing() -> None:
    answers = best()
    del answers["SOV-2.3"]
    outcome = assess(answers)
    assert (outcome.level, outcome.unanswered) == (4, 1)
    missing = next(each for each in outcome.criteria if each.id == "SOV-2.3")
    assert (missing.level, missing.answer, missing.basis) == (None, None, "unknown")
    assert float(outcome.scores["framework"]) < 100


def test_the_weights_are_data() -> None:
    answers = {key: said(1) for key in CRITERIA} | {
        key: said(len(each.levels)) for key, each in CRITERIA.items() if key.startswith("SOV-5")
    }
    scores = assess(answers).scores
    assert scores == {"framework": "20.0", "calculator": "10.0"}


def test_what_is_no_criterion_or_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="no criterion SOV-9"):
        assess({"SOV-9.1": said(1)})
    with pytest.raises(ValueError, match=r"1 .* to 5 .* are accepted"):
        assess({"SOV-3.1": said(6)})


EU = Holder(id="us", outcome="shown", in_eu=True)


@pytest.mark.parametrize(
    ("keys", "level"),
    [({"none"}, 0), ({"cloud"}, 0), ({"cloud", "customer"}, 1), ({"customer"}, 4),
     ({"none", "customer"}, 0)],
)  # fmt: skip
def test_keys(keys: set[str], level: int) -> None:
    assert levels(of_state(State(keys=frozenset(keys))))["SOV-3.1"] == level


@pytest.mark.parametrize(
    ("holder", "control", "laws"),
    [
        (EU, 4, 2),
        (Holder(id="x", outcome="failed", in_eu=True, codes=frozenset({"veto"})), 1, 2),
        (Holder(id="x", outcome="failed", in_eu=False, codes=frozenset({"seat-outside"})), 1, 2),
        (Holder(id="x", outcome="failed", in_eu=True, codes=frozenset({"together-above"})), 3, 2),
        (Holder(id="x", outcome="not-shown", in_eu=True), None, None),
        (
            Holder(
                id="x", outcome="failed", in_eu=True, codes=frozenset({"veto", "owners-undeclared"})
            ),
            1,
            None,
        ),
        (
            Holder(
                id="x",
                outcome="failed",
                in_eu=True,
                codes=frozenset({"together-above", "owners-undeclared"}),
            ),
            None,
            None,
        ),
        (Holder(id="x", outcome="not-shown", foreign_laws=("us-cloud-act",)), None, 1),
    ],
)
def test_owners_and_foreign_laws(holder: Holder, control: int | None, laws: int | None) -> None:
    found = levels(of_state(State(holders=(holder,), sites=(Location(name="p", in_eu=True),))))
    assert (found["SOV-1.1"], found["SOV-2.2"]) == (control, laws)


def test_a_qualification_of_every_site_verifies_immunity() -> None:
    sites = (Location(name="p", in_eu=True, qualified=True), Location(name="q", in_eu=True))
    assert levels(of_state(State(holders=(EU,), sites=sites)))["SOV-2.2"] == 2
    assert levels(of_state(State(holders=(EU,), sites=sites[:1])))["SOV-2.2"] == 4


@pytest.mark.parametrize(
    ("site", "store", "confined", "level"),
    [(True, True, False, 4), (None, True, False, 0), (True, None, False, 0), (False, True, True, 1),
     (False, True, False, 0), (True, False, True, 0)],
)  # fmt: skip
def test_places(site: bool | None, store: bool | None, confined: bool, level: int) -> None:
    state = State(
        sites=(Location(name="p", in_eu=site),),
        stores=(Location(name="db", in_eu=store),),
        confined=confined,
    )
    assert levels(of_state(state))["SOV-3.4"] == level


def test_what_is_undeclared_is_no_answer() -> None:
    found = levels(of_state(State()))
    assert [found[key] for key in ("SOV-1.1", "SOV-1.4", "SOV-2.1", "SOV-2.2")] == [None] * 4
    assert found["SOV-3.4"] == 0


def test_witnesses_make_logs_verifiable_by_others() -> None:
    stores = (Location(name="db", in_eu=True),)
    alone = levels(of_state(State(stores=stores)))
    seen = levels(of_state(State(stores=stores, witnesses=2)))
    assert (alone["SOV-3.2"], alone["SOV-7.4"]) == (3, 3)
    assert (seen["SOV-3.2"], seen["SOV-7.4"]) == (4, 4)
    assert levels(of_state(State(witnesses=2)))["SOV-7.4"] == 1


@pytest.mark.parametrize(("erasure", "level"), [("unproven", 1), ("verified", 3), ("witnessed", 4)])
def test_erasure(erasure: str, level: int) -> None:
    assert levels(of_state(State(erasure=erasure)))["SOV-3.3"] == level


def test_portability() -> None:
    assert levels(of_state(State()))["SOV-4.1"] == 1
    assert levels(of_state(State(portability="documented")))["SOV-4.1"] == 4


@pytest.mark.parametrize(
    ("share", "answer"), [("0", 5), ("12.5", 4), ("50", 3), ("60", 2), ("95", 1)]
)
def test_capital(share: str, answer: int) -> None:
    state = State(holders=(Holder(id="x", outcome="failed", in_eu=True, non_eu=share),))
    assert of_state(state)["SOV-1.4"].answer == answer


@pytest.mark.parametrize(
    ("site", "seat", "answer"), [(True, True, 3), (True, False, 2), (False, False, 1)]
)
def test_jurisdiction(site: bool, seat: bool, answer: int) -> None:
    state = State(
        holders=(Holder(id="x", outcome="shown", in_eu=seat),),
        sites=(Location(name="p", in_eu=site),),
    )
    assert of_state(state)["SOV-2.1"].answer == answer
