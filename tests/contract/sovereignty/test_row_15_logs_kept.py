"""Row 15: logs are kept for at least six months; an early purge is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede import clock
from andromede.cli.verify import verify
from andromede.services import sovereignty
from andromede.sovereignty.log import audit
from tests.contract.sovereignty.log_world import LOG, act, bundle, download, key
from tests.harness import Client, TestCloud, caller

DAY = 24 * 3600 * clock.SECOND
PURGE = f"{LOG}/purge"


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [sovereignty.SERVICE], url=database_url)
    yield cloud
    cloud.close()


def operator(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True)


def before(days: float) -> dict[str, str]:
    return {"before": clock.iso(clock.now() - int(days * DAY))}


def leaves(cloud: TestCloud) -> list[dict[str, object]]:
    return list(cloud.as_(caller("reader")).get(f"{LOG}/leaves").expect(200)["leaves"])


def findings(cloud: TestCloud) -> list[str]:
    with cloud.database.read() as connection:
        return [each.problem for each in audit.audit(connection, running=False)]


def test_an_early_purge_is_refused_and_logged(cloud: TestCloud) -> None:
    act(cloud, 3, time=clock.now() - 200 * DAY)
    cloud.number()
    for days in (0, 100, 182.9, -1):
        message = operator(cloud).post(PURGE, before(days)).expect(403)["message"]
        assert "retention_days" in message
        assert "183 days" in message
    seen = leaves(cloud)
    assert len([each for each in seen if each["subject"] != "log"]) == 3
    refusals = [each for each in seen if each["action"] == "sovereignty:log:purge"]
    assert [each["status"] for each in refusals] == [403] * 4
    assert refusals[0]["detail"]["rule"] == "retention_days"  # type: ignore[index]
    assert cloud.as_(caller("manager")).post(PURGE, before(200)).status == 403


def test_old_leaves_are_erased_and_the_tree_stays(
    cloud: TestCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(cloud, 5, time=clock.now() - 200 * DAY)
    act(cloud, 2)
    cloud.number()
    (old, *_), kept = leaves(cloud), leaves(cloud)[5:]
    mirror = download(cloud, tmp_path / "before")
    body = operator(cloud).post(PURGE, before(184)).expect(200)
    assert (body["erased"], body["more"]) == (5, False)
    assert [each["id"] for each in leaves(cloud)][:2] == [each["id"] for each in kept]
    proof = f"{LOG}/inclusion?leaf={old['id']}"
    assert cloud.as_(caller("reader")).get(proof).status == 404
    cloud.number()
    assert findings(cloud) == []
    after = download(cloud, tmp_path / "after")
    mine = bundle(cloud, tmp_path)
    assert verify([mirror, after, mine], key=key(cloud), witnesses=[], as_json=True) == 0
    assert operator(cloud).post(PURGE, before(184)).expect(200)["erased"] == 0


def test_what_no_purge_erased_is_missed(cloud: TestCloud) -> None:
    act(cloud, 5, time=clock.now() - 200 * DAY)
    cloud.number()
    operator(cloud).post(PURGE, before(199)).expect(200)
    cloud.number()
    cloud.database.transact(
        lambda connection: connection.exec_driver_sql(
            "UPDATE log_purge SET erased = 4 WHERE erased = 5"
        )
    )
    assert findings(cloud) == ["5 are not there any more, and purges erased 4"]


def test_a_purge_goes_on_by_parts(cloud: TestCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from andromede.sovereignty.log import retention

    monkeypatch.setattr(retention.erase, "__defaults__", (2,))
    act(cloud, 5, time=clock.now() - 200 * DAY)
    cloud.number()
    seen = [operator(cloud).post(PURGE, before(190)).expect(200) for _ in range(3)]
    assert [(each["erased"], each["more"]) for each in seen] == [(2, True), (2, True), (1, False)]
    cloud.number()
    assert findings(cloud) == []


@pytest.mark.parametrize(
    "body", [None, {}, {"before": 3}, {"before": "yesterday"}, {"before": "2020-13-01"}, {"x": 1}]
)
def test_what_is_no_moment_is_refused(cloud: TestCloud, body: object) -> None:
    assert operator(cloud).post(PURGE, body).status == 400
    assert leaves(cloud) == []
