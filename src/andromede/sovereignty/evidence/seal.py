"""The SEAL: the Cloud Sovereignty Framework's levels, 0 to 4, computed from what the cloud knows.

The overall level is the lowest over the criteria, whatever the score. A criterion that nobody
answered has no level, and then the overall one is an upper bound. Pure; `seal.toml` is the data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from andromede.sovereignty.evidence import assets
from andromede.sovereignty.words import Text, text, typeset

STATE: Final = "state"
MAKER: Final = "maker"
OPERATOR: Final = "operator"


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    en: tuple[str, ...]
    fr: tuple[str, ...]


class Criterion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. `levels` are the SEAL levels of its answers, the lowest answer first."""

    id: str
    en: str
    fr: str
    source: str = msgspec.field(name="from")
    levels: tuple[int, ...]
    answers: Answers
    answer: int | None = None  # of the makers, counted from 1
    because: Text | None = None


class Objective(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    en: str
    fr: str
    criterion: tuple[Criterion, ...]


class Framework(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole data file. `weights` are percentages of the objectives, in their order."""

    weights: dict[str, tuple[int, ...]]
    objective: tuple[Objective, ...]

    def criteria(self) -> dict[str, Criterion]:
        return {each.id: each for every in self.objective for each in every.criterion}


class Answer(Struct, frozen=True, kw_only=True):
    """What is answered to a criterion: which of its answers, counted from 1, why, and who says so
    ("measured", "computed", or "declared" by somebody)."""

    answer: int
    because: Text
    basis: str
    by: str = ""


class Level(Struct, frozen=True, kw_only=True):
    """A criterion's outcome; `level` and `answer` are None where nobody answered."""

    id: str
    objective: str
    title: Text
    answer: Text | None = None
    level: int | None = None
    because: Text
    basis: str
    by: str = ""


class Seal(Struct, frozen=True, kw_only=True):
    """The outcome. `level` is the lowest of the answered criteria, None without any; with criteria
    `unanswered` it is an upper bound. `scores` are percentages by table of weights, as decimal
    strings, in which an unanswered criterion counts nothing."""

    level: int | None
    answered: int
    unanswered: int
    lowest: tuple[str, ...]
    scores: dict[str, str]
    criteria: tuple[Level, ...]


@cache
def framework() -> Framework:
    return msgspec.convert(_typeset(tomllib.loads(assets.text("seal.toml"))), Framework)


def _typeset(part: Any) -> Any:
    """The document with its French as it is printed."""
    if isinstance(part, list):
        return [_typeset(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: _french(each) if key == "fr" else _typeset(each) for key, each in part.items()}


def _french(told: str | list[str]) -> str | list[str]:
    return typeset(told) if isinstance(told, str) else [typeset(each) for each in told]


NOBODY = text(
    "Nobody has answered this criterion.",
    "Personne n'a répondu à ce critère.",
)


def assess(answers: Mapping[str, Answer]) -> Seal:
    """The levels that follow from answers by criterion; the makers' own answers are added.

    Errors: ValueError for an unknown criterion or an answer that it does not have.
    """
    known = framework().criteria()
    for key, given in answers.items():
        if key not in known:
            raise ValueError(f"there is no criterion {key} in the framework")
        check(known[key], given.answer)
    outcomes = tuple(
        _outcome(objective, each, answers.get(each.id) or _makers(each))
        for objective in framework().objective
        for each in objective.criterion
    )
    shown = [each.level for each in outcomes if each.level is not None]
    level = min(shown, default=None)
    return Seal(
        level=level,
        answered=len(shown),
        unanswered=len(outcomes) - len(shown),
        lowest=tuple(
            each.id for each in outcomes if each.level is not None and each.level == level
        ),
        scores={name: _score(answers, table) for name, table in framework().weights.items()},
        criteria=outcomes,
    )


def check(criterion: Criterion, answer: int) -> None:
    """Errors: ValueError when the criterion has no such answer."""
    if not 1 <= answer <= len(criterion.levels):
        raise ValueError(
            f"{criterion.id} has no answer {answer}: 1 ({criterion.answers.en[0]}) to "
            f"{len(criterion.levels)} ({criterion.answers.en[-1]}) are accepted"
        )


def _makers(criterion: Criterion) -> Answer | None:
    if criterion.source != MAKER:
        return None
    assert criterion.answer is not None
    assert criterion.because is not None
    return Answer(answer=criterion.answer, because=criterion.because, basis="declared", by="makers")


def _outcome(objective: Objective, criterion: Criterion, given: Answer | None) -> Level:
    title = Text(criterion.en, criterion.fr)
    if given is None:
        return Level(
            id=criterion.id, objective=objective.id, title=title, because=NOBODY, basis="unknown"
        )
    at = given.answer - 1
    return Level(
        id=criterion.id,
        objective=objective.id,
        title=title,
        answer=Text(criterion.answers.en[at], criterion.answers.fr[at]),
        level=criterion.levels[at],
        because=given.because,
        basis=given.basis,
        by=given.by,
    )


def _score(answers: Mapping[str, Answer], weights: Sequence[int]) -> str:
    """The weighted score in percent: each criterion gives the share of the way up its answers."""
    total = Fraction(0)
    for weight, objective in zip(weights, framework().objective, strict=True):
        reached = Fraction(0)
        for each in objective.criterion:
            given = answers.get(each.id) or _makers(each)
            if given is not None:
                reached += Fraction(given.answer - 1, len(each.levels) - 1)
        total += weight * reached / len(objective.criterion)
    return f"{float(total):.1f}"
