"""What the log's public and private questions refuse, and what an empty log answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import sovereignty
from tests.contract.sovereignty.log_world import LOG, act
from tests.harness import TestCloud, caller


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [sovereignty.SERVICE])
    yield cloud
    cloud.close()


def test_an_empty_log(cloud: TestCloud) -> None:
    reader = cloud.as_(caller("reader"))
    for path in ("checkpoint", "tile/0/000", "tile/entries/000.p/1", "consistency?first=1"):
        assert "it is empty" in cloud.as_().get(f"{LOG}/{path}").expect(404)["message"]
    assert reader.get(f"{LOG}/leaves").expect(200) == {"leaves": []}
    bundle = reader.get(f"{LOG}/bundle").expect(200)
    assert (bundle["checkpoint"], bundle["leaves"], bundle["next"]) == (None, [], None)
    assert reader.get(f"{LOG}/bundle?consistent_with=1").status == 400


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("consistency", 400, "1 <= first <= second <= 5"),
        ("consistency?first=0", 400, "1 <= first"),
        ("consistency?first=6", 400, "1 <= first"),
        ("consistency?first=4&second=3", 400, "1 <= first"),
        ("consistency?first=1&second=6", 400, "1 <= first"),
        ("consistency?first=x", 400, "whole number"),
        ("consistency?first=-1", 400, "whole number"),
        ("consistency?first=" + "9" * 30, 400, "whole number"),
        ("tile/0/0", 400, "is no tile"),
        ("tile/64/000", 400, "is no tile"),
        ("tile/0/000.p/256", 400, "is no tile"),
        ("tile/0/x000/x000", 400, "is no tile"),
        ("tile/0/000", 404, "covers 5 leaves"),
        ("tile/0/000.p/6", 404, "covers 5 leaves"),
        ("tile/1/000.p/1", 404, "covers 5 leaves"),
        ("tile/entries/001.p/1", 404, "covers 5 leaves"),
        ("tile/63/x999/x999/x999/999", 404, "covers 5 leaves"),
        ("tile/0/x0/x1/x2/x3/x4/005", 404, "could not be found"),
    ],
)
def test_what_everybody_asks_in_vain(cloud: TestCloud, path: str, status: int, said: str) -> None:
    act(cloud, 5)
    cloud.number()
    act(cloud, 1)
    assert said in cloud.as_().get(f"{LOG}/{path}").expect(status)["message"]


def test_partial_tiles_of_each_size_are_prefixes(cloud: TestCloud) -> None:
    act(cloud, 5)
    cloud.number()
    reader = cloud.as_()
    whole = reader.get(f"{LOG}/tile/0/000.p/5").body
    for width in range(1, 6):
        answer = reader.get(f"{LOG}/tile/0/000.p/{width}")
        assert answer.body == whole[: 32 * width]
        assert "immutable" in answer.headers["cache-control"]
    assert reader.get(f"{LOG}/checkpoint").headers["cache-control"] == "no-cache"


def test_what_a_customer_asks_in_vain(cloud: TestCloud) -> None:
    reader = cloud.as_(caller("reader"))
    act(cloud, 3)
    (first, *_) = reader.get(f"{LOG}/leaves").expect(200)["leaves"]
    waiting = reader.get(f"{LOG}/inclusion?leaf={first['id']}")
    assert "ask in a second" in waiting.expect(409)["message"]
    cloud.number()
    assert reader.get(f"{LOG}/inclusion?leaf={first['id']}").status == 200
    assert reader.get(f"{LOG}/inclusion?leaf={first['id']}&size=1").expect(200)["proof"] == []
    for path, status in (
        ("inclusion", 400), ("inclusion?leaf=", 400), ("inclusion?leaf=none", 404),
        (f"inclusion?leaf={first['id']}&size=0", 400),
        (f"inclusion?leaf={first['id']}&size=4", 400),
        (f"inclusion?leaf={first['id']}&size=x", 400),
        ("bundle?marker=none", 400), ("bundle?limit=x", 400), ("bundle?consistent_with=x", 400),
        ("bundle?consistent_with=0", 400), ("bundle?consistent_with=4", 400),
        ("bundle?" + "&".join(["consistent_with=1"] * 101), 400), ("bundle?project_id=*", 400),
    ):  # fmt: skip
        assert reader.get(f"{LOG}/{path}").expect(status)["message"], path
    unsigned = reader.get(f"{LOG}/bundle?consistent_with=2").expect(200)
    assert unsigned["consistency"] == [], "no checkpoint of two leaves was ever signed"


def test_a_number_without_a_checkpoint_is_pending(cloud: TestCloud) -> None:
    """As between the two steps of the sequencer: numbered, and not signed yet."""
    reader = cloud.as_(caller("reader"))
    act(cloud, 2)
    cloud.number()
    act(cloud, 1)
    cloud.number()
    cloud.database.transact(lambda c: c.exec_driver_sql("DELETE FROM checkpoint WHERE size = 3"))
    last = reader.get(f"{LOG}/leaves").expect(200)["leaves"][-1]
    assert last["index"] == 2
    assert reader.get(f"{LOG}/inclusion?leaf={last['id']}").status == 409
    shown = reader.get(f"{LOG}/bundle").expect(200)["leaves"][-1]
    assert (shown["index"], shown["proof"]) == (None, None)
