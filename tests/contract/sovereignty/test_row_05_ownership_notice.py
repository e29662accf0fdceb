"""Row 5 (SecNumCloud 19.6.f): customers are told of an ownership change within a month. A change
opens a notice with its deadline, on an injected clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from andromede import clock
from andromede.sovereignty.findings import reevaluate
from andromede.sovereignty.words import typeset
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.harness import TestCloud, caller

Tell = Callable[[], list[dict[str, Any]]]


@contextmanager
def on(day: str) -> Iterator[None]:
    """The cloud on a day."""
    moment = clock.parse(f"{day}T10:00:00")
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)


@pytest.fixture
def tell(declared_cloud: TestCloud) -> Tell:
    """What p1 is told, once the worker has looked; callers' tokens are as old as the clock."""

    def told() -> list[dict[str, Any]]:
        reevaluate.run(declared_cloud.database, [], {})
        answer = declared_cloud.as_(caller("reader")).get(f"{V1}/notices")
        found: list[dict[str, Any]] = answer.expect(200)["notices"]
        return found

    return told


def cloudwatt(world: Declaring) -> str:
    """An operator as of September 2012; the id of its largest holding."""
    world.entity("orange")
    world.entity("caisse", kind="public-body")
    world.entity("cloudwatt")
    largest = world.hold("orange", "cloudwatt", 60, since="2012-09-06")
    world.hold("caisse", "cloudwatt", 40, since="2012-09-06")
    world.site("local", "FR", "cloudwatt")
    return largest


def test_a_change_opens_a_notice_with_its_deadline(world: Declaring, tell: Tell) -> None:
    with on("2015-03-01"):
        largest = cloudwatt(world)
        assert tell() == []
    with on("2015-03-20"):
        world.end(largest, "2015-03-10")
        world.hold("orange", "cloudwatt", 25, since="2015-03-10")
        world.entity("buyer", "US")
        world.hold("buyer", "cloudwatt", 35, since="2015-03-10")
        (notice,) = tell()
        assert notice["kind"] == "ownership"
        assert notice["project_id"] is None
        assert notice["opened_at"].startswith("2015-03-20")
        assert notice["deadline"].startswith("2015-04-09"), "30 days after it took effect"
        for part in ("cloudwatt", "buyer", "35 %", "60 %"):
            assert typeset(part) in notice["text_fr"]
            assert part in notice["text_en"]
        assert tell() == [notice], "once"


def test_owners_of_owners_count(world: Declaring, tell: Tell) -> None:
    with on("2015-03-01"):
        cloudwatt(world)
        assert tell() == []
        world.entity("fund", "US")
        world.hold("fund", "orange", 10)
        (notice,) = tell()
    assert "fund → orange" in notice["text_en"]
    assert notice["deadline"].startswith("2015-03-31")


def test_what_was_declared_ahead_is_told_on_its_day(world: Declaring, tell: Tell) -> None:
    with on("2015-03-01"):
        largest = cloudwatt(world)
        world.end(largest, "2015-06-01")
        world.hold("caisse", "orange", 100, since="2014-01-01")
        tell()
    with on("2015-05-31"):
        assert tell() == []
    with on("2015-06-02"):
        (notice,) = tell()
        assert notice["deadline"].startswith("2015-07-01")


def test_shares_are_told_as_each_language_writes_them(world: Declaring, tell: Tell) -> None:
    with on("2016-01-01"):
        cloudwatt(world)
        tell()
        world.entity("rich", "US")
        world.entity("voter", "US")
        world.entity("orange", capital="1000.5")
        world.hold("rich", "orange", amount="2.5")
        world.hold("voter", "orange", votes="1.5", veto=True)
        (notice,) = tell()
    assert "rich → orange (2.5)" in notice["text_en"]
    assert "rich → orange (2,5)" in notice["text_fr"]
    assert typeset("voter → orange (1,5 % des droits de vote, droit de veto)") in notice["text_fr"]


def test_another_operator_and_another_supplier_are_told_too(world: Declaring, tell: Tell) -> None:
    with on("2016-01-01"):
        cloudwatt(world)
        tell()
        world.site("local", "FR", "orange")
        (operator,) = tell()
        world.entity("support", "CA")
        world.contract("hotline", "orange", "support", data="metadata", objection_days=10)
        (supplier,) = (each for each in tell() if each["kind"] == "sub-processor")
        world.contract("cleaning", "orange", "support", data="none")
        assert len(tell()) == 2
        world.contract("hotline", "orange", "support", data="access")
        changed = next(each for each in tell() if "access)" in each["text_en"])
        world.operator.delete(f"{V1}/contracts/hotline").expect(204)
        ended = next(each for each in tell() if each["text_en"].endswith("becomes —."))
    assert supplier["text_fr"] == typeset(
        "Nouveau sous-traitant d'orange : support, x (métadonnées)."
    )
    assert changed["text_fr"] == typeset(
        "La sous-traitance d'orange change. Jusqu'ici : support, x (métadonnées). Désormais : "
        "support, x (accès aux données)."
    )
    assert ended["text_fr"] == typeset(
        "orange n'a plus ce sous-traitant : support, x (accès aux données)."
    )
    assert operator["kind"] == "operator"
    assert operator["text_fr"] == typeset(
        "Le site local, jusqu'ici exploité par cloudwatt, l'est désormais par orange."
    )
    assert "cloudwatt" in operator["text_en"]
    assert "orange" in operator["text_en"]
    assert supplier["kind"] == "sub-processor"
    assert supplier["deadline"].startswith("2016-01-11")
