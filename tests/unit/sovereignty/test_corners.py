"""What the sovereignty's stores and readers say at their edges: second pages, nothing, too much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from andromede.db import Connection, Database, metadata
from andromede.roles import assembly
from andromede.sovereignty import suppliers
from andromede.sovereignty.evidence import archive, figures
from andromede.sovereignty.findings import notices
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import Policy, SupplierAccess, project_scope
from andromede.sovereignty.words import Text
from andromede.sovereignty.world import check, facts
from andromede.sovereignty.world.model import Site, World
from tests.unit.sovereignty.worlds import TODAY


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    assembly.packages()
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    metadata.create_all(database.engine)
    with database.engine.begin() as found:
        yield found
    database.dispose()


def test_policies_come_in_pages(connection: Connection) -> None:
    for project in ("a", "b"):
        policies.put(connection, project_scope(project), Policy(finding_days=7))
    first = policies.page(connection, None, 1)
    second = policies.page(connection, first[0][0], 1)
    assert [row[0] for row in (*first, *second)] == ["project/a", "project/b"]


def test_no_policy_keeps_a_supplier_away_unless_it_says_so(connection: Connection) -> None:
    policies.put(connection, project_scope("a"), Policy(finding_days=7))
    assert policies.demanding_eu_suppliers(connection) is None
    assert suppliers.refusal(connection, None, "nobody") is None
    policies.put(connection, project_scope("b"), Policy(supplier_access=SupplierAccess.EU))
    assert policies.demanding_eu_suppliers(connection) == "project/b"
    told = suppliers.refusal(connection, None, "nobody")
    assert told is not None
    assert told.rule == "supplier_access"


def test_notices_come_in_pages(connection: Connection) -> None:
    for at in range(3):
        notices.open(connection, "k", "p1", f"n{at}", f"n{at}")
    seen, after = [], None
    while page := notices.page(connection, "p1", after, 1):
        after = page[0]
        seen.append(after["text_en"])
    assert sorted(seen) == ["n0", "n1", "n2"]


def test_a_finding_is_noted_once(connection: Connection) -> None:
    why = Text("why", "pourquoi")
    assert findings.note(connection, "rule", "server", "s1", why) is True
    assert findings.note(connection, "rule", "server", "s1", why) is False
    assert findings.note(connection, "rule", "server", "s2", why) is True
    found = findings.page(connection, None, "open", None, 9)
    assert sorted(each["resource"] for each in found) == ["s1", "s2"]
    assert len({each["id"] for each in found}) == 2


def test_no_findings_are_no_rows(connection: Connection) -> None:
    findings.add(connection, [])
    assert findings.page(connection, None, "all", None, 9) == []


def test_an_archive_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive.pack({"a": b"x"})
    assert archive.unpack(packed) == {"a": b"x"}
    monkeypatch.setattr(archive, "LARGEST", len(packed) - 1)
    with pytest.raises(archive.ArchiveError, match=f"at most {len(packed) - 1} are read"):
        archive.unpack(packed)


def test_a_map_of_places_that_nobody_located_is_none() -> None:
    assert figures.site_map([], "en") == ""


def test_facts_of_many_days_are_not_all_kept(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST_DAYS", 1)
    days = [TODAY + timedelta(days=at) for at in range(4)]
    assert [facts.current(connection, day).date for day in days] == days
    (kept,) = [each for mark, each in facts._kept.items() if mark == ""]
    assert len(kept.days) <= 2


def test_a_site_has_a_name() -> None:
    world = World(sites={"": Site(country="FR")})
    with pytest.raises(check.FaultyWorld, match="a site has no name"):
        check.check(world, TODAY)
