"""What the real services' schemas say of every row that they have too, at each microversion where
something changes there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pytest

from tests.contract.whole.world import whole
from tests.oracle import __main__ as pages
from tests.oracle import oracle
from tests.oracle.walk import Walked, walk


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Walked]]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        yield list(walk(made))


def test_what_is_asked_and_answered_is_as_the_real_services_have_it(walked: list[Walked]) -> None:
    exchanges = [each for one in walked for each in one.exchanges]
    assert len(exchanges) > 500
    found: dict[str, str] = {}
    for wrong, each in oracle.wrongs(exchanges):
        found.setdefault(wrong, f"{each['method']} {each['path']} at {each['version']}")
    new = [f"{wrong}  ({where})" for wrong, where in found.items() if not oracle.known(wrong)]
    assert not new, "\n".join(new)


def test_every_difference_that_stands_has_its_reason(walked: list[Walked]) -> None:
    assert all(oracle.reviewed().values())


def test_the_oracle_judges_what_it_is_said_to_judge(walked: list[Walked]) -> None:
    kept, found = pages.FILE.read_text(), pages.page(walked)
    diff = difflib.unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", n=0)
    told = "\n".join(diff)
    assert not told, f"{told}\nWhen each line is right, accept them with\n  {pages.COMMAND}"
