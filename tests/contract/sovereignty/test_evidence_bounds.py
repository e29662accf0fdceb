"""What is too much for one archive of evidence is left out with a word: in the document, on its pages,
and by whoever verifies it. Nothing is left out in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.services import compute, image, sovereignty
from andromede.sovereignty.consent import store as consents
from andromede.sovereignty.evidence import bounds, figures, gather, html
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.words import Text
from tests.contract.sovereignty.declaring import V1
from tests.contract.sovereignty.evidence_world import Evident, evident, files, lie, signed
from tests.contract.sovereignty.log_world import act
from tests.harness import TestCloud

OWN_WORDS = {
    "en": r"{n} leaves of the project&#39;s own acts, from before",
    "fr": r"feuilles d’actes du projet lui-même d’avant le .*, au nombre de {n}\.",
}


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Evident]:
    """Everything that is paged is paged by threes."""
    monkeypatch.setattr(bounds, "PAGE", 3)
    services = [image.SERVICE, compute.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url)
    yield evident(cloud)
    cloud.close()


def looks(world: Evident, count: int) -> None:
    """Acts of an operator on the project."""

    def work(connection: sa.Connection) -> None:
        for at in range(count):
            append(
                connection,
                Leaf(
                    action="compute:server:show", subject=f"s{at}", request_id="req-1", status=200,
                    actor="operator", actor_project="ops", project_id="p1",
                ),
            )  # fmt: skip

    world.cloud.database.transact(work)


def holds(world: Evident) -> tuple[Any, Any, list[str]]:
    """The document, the log's bundle, and what is said on its being verified."""
    data = world.archive()
    found = world.examine(data)
    inside = files(data)
    said = [line.text for line in found.lines if line.verdict != "verified"]
    assert found.verdict == ("not shown" if said else "verified"), found.lines
    return json.loads(inside["evidence.json"]), json.loads(inside["log.json"]), said


def readable(world: Evident) -> list[Any]:
    """Every leaf that the project may read, oldest first, as the log pages through them."""
    found: list[Any] = []
    marker = ""
    while True:
        page = world.member.get(f"{V1}/log/bundle?limit=2{marker}").expect(200)
        found += [each["leaf"] for each in page["leaves"]]
        if page.get("next") is None:
            return found
        marker = f"&marker={page['next']}"


def test_all_that_fits_is_there_in_its_order(world: Evident) -> None:
    act(world.cloud, 7)
    looks(world, 4)
    act(world.cloud, 5, project="p2")
    act(world.cloud, 4, project="*")
    world.cloud.number()
    document, log, said = holds(world)
    assert said == []
    assert "left_out" not in document
    assert [each["leaf"] for each in log["leaves"]] == readable(world)
    assert document["log"]["leaves"] == len(log["leaves"])
    assert len(document["accesses"]) == 4


def test_the_projects_own_oldest_acts_give_way(
    world: Evident, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks(world, 2)
    act(world.cloud, 9)
    world.cloud.number()
    every = readable(world)
    others = [each for each in every if each["actor_project"] == "ops"]
    own = [each for each in every if each not in others]
    assert others[-2:] == [each for each in others if each["action"] == "compute:server:show"]
    monkeypatch.setattr(gather, "MOST_LEAVES", len(others) + 4)
    document, log, said = holds(world)
    kept = [each["leaf"] for each in log["leaves"]]
    assert kept == [each for each in every if each in others or each in own[-4:]]
    assert log["next"] is None
    assert len(document["accesses"]) == 2
    left = {"what": "own acts", "count": len(own) - 4, "before": own[-4]["time"]}
    assert document["left_out"] == [left]
    when = clock.iso(left["before"])
    assert said == [f"{len(own) - 4} own acts from before {when} are left out of it"]
    inside = files(world.archive())
    for language, words in OWN_WORDS.items():
        page = inside[f"evidence.{language}.html"].decode()
        assert re.search(words.format(n=len(own) - 4), page)
        assert "/log/bundle" in page


def test_acts_of_others_give_way_last(world: Evident, monkeypatch: pytest.MonkeyPatch) -> None:
    act(world.cloud, 3)
    looks(world, 8)
    world.cloud.number()
    every = readable(world)
    monkeypatch.setattr(gather, "MOST_LEAVES", 5)
    document, log, said = holds(world)
    assert [each["leaf"] for each in log["leaves"]] == every[-5:]
    assert [each["subject"] for each in document["accesses"]] == [f"s{at}" for at in range(3, 8)]
    others = [each for each in every if each["actor_project"] == "ops"]
    assert document["left_out"] == [
        {"what": "acts of others", "count": len(others) - 5, "before": others[-5]["time"]},
        {"what": "own acts", "count": len(every) - len(others), "before": document["made"]},
    ]
    assert len(said) == 2
    page = files(world.archive())["evidence.en.html"].decode()
    assert f"{len(others) - 5} acts of others" in page


def test_a_log_of_others_acts_alone(world: Evident, monkeypatch: pytest.MonkeyPatch) -> None:
    world.cloud.database.transact(
        lambda c: c.execute(sa.delete(leaf).where(leaf.c.actor.is_(None)))
    )
    looks(world, 3)
    world.cloud.database.transact(
        lambda c: c.execute(sa.delete(leaf).where(leaf.c.actor_project == "p1"))
    )
    monkeypatch.setattr(gather, "MOST_LEAVES", 2)
    document = world.document()
    assert [each["what"] for each in document["left_out"]] == ["acts of others"]
    assert [each["subject"] for each in document["accesses"]] == ["s1", "s2"]


def consent(at: int, **more: Any) -> dict[str, Any]:
    moment = clock.now() + at * clock.SECOND
    return {
        "id": f"c{at}", "project_id": "p1", "operator": None, "kinds": ["console"],
        "resource": None, "reason": f"ticket {at}", "emergency": False, "seconds": 60,
        "requested_by": "operator", "created_at": moment, "granted_by": "u", "since": moment,
        "until": moment + 60 * clock.SECOND, **more,
    }  # fmt: skip


def test_consents_and_findings_are_paged_and_their_oldest_give_way(
    world: Evident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(connection: sa.Connection) -> None:
        for at in range(8):
            consents.insert(connection, consent(at, emergency=at == 0))
            findings.note(connection, "rule", "server", f"s{at}", Text("x", "x"), project_id="p1")
        consents.insert(connection, consent(9, project_id="p2"))

    world.cloud.database.transact(make)
    document, _, said = holds(world)
    assert said == []
    assert [each["id"] for each in document["consents"]] == [f"c{at}" for at in range(8)]
    listed = world.member.get(f"{V1}/findings?state=all").expect(200)["findings"]
    assert [each["id"] for each in document["findings"]] == [each["id"] for each in listed]
    assert len(listed) == 8
    monkeypatch.setattr(gather, "MOST_ROWS", 5)
    document, _, said = holds(world)
    assert [each["id"] for each in document["consents"]] == [f"c{at}" for at in range(3, 8)]
    assert [each["id"] for each in document["findings"]] == [each["id"] for each in listed[:5]]
    assert document["left_out"] == [
        {"what": "consents", "count": 3, "before": document["consents"][0]["created_at"]},
        {"what": "findings", "count": 3, "before": document["findings"][-1]["opened"]},
    ]
    assert [text.partition(" from ")[0] for text in said] == ["3 consents", "3 findings"]
    page = files(world.archive())["evidence.fr.html"].decode()
    assert "les consentements demandés avant" in page
    assert "les constats ouverts avant" in page


def test_an_access_under_an_old_emergency_stays_marked(
    world: Evident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(connection: sa.Connection) -> None:
        for at in range(3):
            consents.insert(connection, consent(at, emergency=at == 0))
        append(
            connection,
            Leaf(
                action="compute:server:console", subject="s", request_id="r", status=200,
                actor="operator", actor_project="ops", project_id="p1", detail={"consent": "c0"},
            ),
        )  # fmt: skip

    world.cloud.database.transact(make)
    monkeypatch.setattr(gather, "MOST_ROWS", 1)
    document = world.document()
    assert [each["id"] for each in document["consents"]] == ["c2"]
    assert [each["emergency"] for each in document["accesses"]] == [True]


def test_pages_and_pictures_say_what_they_do_not_show(
    world: Evident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(connection: sa.Connection) -> None:
        for at in range(5):
            consents.insert(connection, consent(at))

    world.cloud.database.transact(make)
    looks(world, 2)
    monkeypatch.setattr(html, "MOST", 2)
    monkeypatch.setattr(figures, "MARKS", 3)
    page = files(world.archive())["evidence.en.html"].decode()
    assert "3 more are in evidence.json" in page
    assert "The oldest 4 are left off the picture" in page
    assert page.count('class="bar consent"') + page.count('class="event access"') == 3
    for at in range(5):
        assert (f"<td>ticket {at}</td>" in page) is (at > 2)


@pytest.mark.parametrize(
    ("change", "verdict", "says"),
    [
        (lambda d: d["log"].update(leaves=1), "false", "evidence.json is wrong of log.json in: leaves"),
        (lambda d: d.update(left_out=[{"what": "own acts", "count": 1, "before": 0}]), "not shown",
         "1 own acts from before 1970-01-01T00:00:00Z are left out"),
        (lambda d: d.update(left_out=[{"what": "lies", "count": 1, "before": 0}]), "false",
         "values that no page can show"),
    ],
)  # fmt: skip
def test_what_is_signed_of_it_is_held_against_the_log(
    world: Evident, change: Any, verdict: str, says: str
) -> None:
    try:
        data = lie(world, change)
    except (ArithmeticError, LookupError):  # no page can be made of it: that of before stays
        inside = files(world.archive())
        document = json.loads(inside["evidence.json"])
        change(document)
        data = signed(world, {**inside, "evidence.json": json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()})  # fmt: skip
    found = world.examine(data)
    assert found.verdict == verdict
    assert any(says in line.text for line in found.lines), found.lines


def test_a_log_that_ends_early_is_not_shown(world: Evident) -> None:
    """As archives of earlier versions may, which held the oldest leaves."""
    inside = files(world.archive())
    log = json.loads(inside["log.json"]) | {"next": "somewhere"}
    found = world.examine(signed(world, {**inside, "log.json": json.dumps(log).encode()}))
    assert found.verdict == "not shown"
    assert any("ends before the project's newest leaves" in each.text for each in found.lines)
