"""What the real services' schemas refuse is not accepted here: each row is sent every wrong body and
query that the tests know, at its microversions in turn, and what was accepted is judged.

A part that is the same each time runs by default, everything with `--full`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.test_bad_input import ask, personas, rank
from tests.contract.whole.faults import Fault, every
from tests.contract.whole.world import Whole, whole
from tests.oracle import oracle
from tests.oracle.exchanges import SERVICES, exchange
from tests.rehearsal import rehearsed

PART = 4_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        yield made


def test_a_part_of_what_they_refuse_is_not_accepted(made: Whole) -> None:
    hold(made, sorted(faults(made), key=rank)[:PART])


@pytest.mark.full
def test_nothing_that_they_refuse_is_accepted(made: Whole) -> None:
    hold(made, list(faults(made)))


def faults(made: Whole) -> Iterator[Fault]:
    """Those of bodies and queries."""
    for each in every(made):
        if each.service.name in SERVICES and each.method == each.row.method:
            yield each


def hold(made: Whole, faults: list[Fault]) -> None:
    accepted, named, allowed = [], [], personas()
    with rehearsed(made.cloud.database) as connection:
        for each in faults:
            may = allowed[id(each.row)]
            answer = ask(made, connection, each, may[rank(each) % len(may)])
            found = exchange(
                each.method, each.path, each.raw or b"", answer.status, answer.headers, answer.body
            )
            if found is not None:
                accepted.append(found)
                named.append(each.name)
    assert len(accepted) > len(faults) / 20
    new: dict[str, str] = {}
    names = {id(found): name for found, name in zip(accepted, named, strict=True)}
    for wrong, found in oracle.wrongs(accepted):
        if not oracle.known(wrong):
            new.setdefault(wrong, names[id(found)])
    assert not new, "\n".join(f"{wrong}  ({name})" for wrong, name in sorted(new.items()))
