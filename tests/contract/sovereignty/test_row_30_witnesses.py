"""Row 30, the log's part: a witness counts when it cosigned the log as it stood an hour ago, or later.

The newest checkpoint is often some seconds old, and no witness has seen it yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services import compute, image, sovereignty
from andromede.sovereignty.log import note
from andromede.sovereignty.log.courier import Answer, due, submit
from andromede.sovereignty.log.witnesses import cosignature, vouching
from tests.contract.sovereignty.customers import later
from tests.contract.sovereignty.declaring import V1
from tests.contract.sovereignty.evidence_world import Evident, evident, files, lie, signed
from tests.contract.sovereignty.log_world import act
from tests.harness import MemoryKeys, TestCloud, caller

HOUR = 3600
WITNESS = MemoryKeys("witness.test")


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Evident]:
    services = [image.SERVICE, compute.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url)
    world = evident(cloud)
    set_witness(world)
    yield world
    cloud.close()


def set_witness(world: Evident) -> None:
    body = {"url": "https://witness.test/witness", "verifier": WITNESS.witness_verifier()}
    world.operator.put(f"{V1}/witnesses/w1", body).expect(200)


def grow(world: Evident) -> None:
    act(world.cloud, 1)
    world.cloud.number()


def cosign(world: Evident) -> None:
    """One round of the courier with a witness that cosigns."""

    def send(_: Any, body: bytes) -> Answer:
        text = body.decode().partition("\n\n")[2].partition("\n\n")[0] + "\n"
        name = WITNESS.witness.verifier.name
        line = note.signature_line(name, WITNESS.cosign_checkpoint(text.encode()))
        return Answer(200, line.encode())

    (row,) = due(world.cloud.database)
    assert submit(world.cloud.database, row, send)


def counted(world: Evident) -> list[str]:
    with world.cloud.database.read() as connection:
        return vouching(connection)


def reason(world: Evident) -> tuple[int | None, str]:
    """The level of the log's criterion and why, to a caller of that moment."""
    seal = world.cloud.as_(caller()).get(f"{V1}/seal").expect(200)["seal"]
    (found,) = [each for each in seal["criteria"] if each["id"] == "SOV-3.2"]
    return found["level"], found["because"]["en"]


def test_without_a_cosignature_nobody_counts(world: Evident) -> None:
    grow(world)
    level, why = reason(world)
    assert counted(world) == []
    assert "no witness has cosigned the log as it stood an hour ago" in why
    cosign(world)
    assert counted(world) == ["w1"]
    better, why = reason(world)
    assert (level, better) == (3, 4) or (level or 0) < (better or 0)
    assert "all but its last hour at most: 1" in why


def test_a_checkpoint_of_this_minute_takes_nothing_away(world: Evident) -> None:
    grow(world)
    cosign(world)
    grow(world)
    assert counted(world) == ["w1"], "the newest checkpoint has no cosignature yet"
    with later(HOUR / 2):
        grow(world)
        assert counted(world) == ["w1"]


def test_a_witness_that_stays_behind_counts_no_more(world: Evident) -> None:
    grow(world)
    cosign(world)
    grow(world)
    with later(HOUR + 1):
        assert counted(world) == []
        assert "no witness has cosigned" in reason(world)[1]
        cosign(world)
        grow(world)
        assert counted(world) == ["w1"]


def test_a_log_that_rests_stays_cosigned(world: Evident) -> None:
    grow(world)
    cosign(world)
    with later(30 * 24 * HOUR):
        assert counted(world) == ["w1"]


def test_a_conflict_or_a_damaged_cosignature_counts_for_nothing(world: Evident) -> None:
    grow(world)
    cosign(world)

    def damage(connection: sa.Connection) -> None:
        line = connection.execute(sa.select(cosignature.c.line)).scalar_one()
        head, _, payload = line.rstrip("\n").rpartition(" ")
        other = f"{payload[:60]}{'B' if payload[60] == 'A' else 'A'}{payload[61:]}"
        connection.execute(sa.update(cosignature).values(line=f"{head} {other}\n"))

    world.cloud.database.transact(damage)
    assert counted(world) == []
    set_witness(world)
    grow(world)
    cosign(world)
    assert counted(world) == ["w1"]
    world.cloud.database.transact(
        lambda c: c.execute(sa.text("UPDATE witness SET conflict = :yes").bindparams(yes=True))
    )
    assert counted(world) == []


def test_evidence_names_the_checkpoint_that_was_cosigned(world: Evident) -> None:
    grow(world)
    name = WITNESS.witness.verifier.name
    assert "cosigned" not in world.document()["log"]
    cosign(world)
    told = world.document()["log"]
    assert told["witnesses"] == [name]
    assert "cosigned" not in told, "it is the newest"
    seen = told["size"]
    grow(world)
    data = world.archive()
    assert world.examine(data).verdict == "verified"
    told = world.document()["log"]
    assert told["witnesses"] == []
    assert told["cosigned"] == {"size": seen, "witnesses": [name]}
    for language, words in (("en", f"{seen} leaves, by {name}"), ("fr", f"{seen} feuilles.")):
        assert words in files(data)[f"evidence.{language}.html"].decode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda log: log.update(witnesses=["witness.test/witness"]), "wrong of log.json in: witn"),
        (lambda log: log["cosigned"].update(size=1), "wrong of log.json in: cosigned"),
    ],
)
def test_evidence_that_names_other_witnesses_is_false(
    world: Evident, change: Any, says: str
) -> None:
    grow(world)
    cosign(world)
    grow(world)
    found = world.examine(lie(world, lambda document: change(document["log"])))
    assert found.verdict == "false"
    assert any(says in each.text for each in found.lines), found.lines
    old = world.examine(lie(world, lambda document: document["log"].pop("cosigned")))
    assert old.verdict == "verified", "archives of before told of the newest checkpoint only"


def test_a_witness_whose_key_is_none_is_false(world: Evident) -> None:
    inside = files(world.archive())
    log = json.loads(inside["log.json"]) | {"witnesses": ["none"]}
    found = world.examine(signed(world, {**inside, "log.json": json.dumps(log).encode()}))
    assert found.verdict == "false"
