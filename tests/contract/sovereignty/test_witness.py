"""Two clouds as log and witness: cosignatures travel, and what does not continue is refused loudly."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from nacl.signing import VerifyKey

from andromede.cli.verify import verify
from andromede.services import sovereignty
from andromede.services.sovereignty import witness as service
from andromede.sovereignty.log import audit
from andromede.sovereignty.log.courier import Answer, due, submit
from andromede.sovereignty.log.tiles import tile
from tests.contract.sovereignty.log_world import LOG, act, bundle
from tests.harness import Answer as Got
from tests.harness import Client, MemoryKeys, TestCloud, caller

ADD = "/witness/add-checkpoint"
WITNESSES = "/sovereignty/v1/witnesses"
LOGS = "/sovereignty/v1/witness/logs"


def make(folder: Path, mark: str, url: str | None = None) -> TestCloud:
    services = [sovereignty.SERVICE, service.SERVICE]
    return TestCloud(folder, services, url=url, keys=MemoryKeys(mark))


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = make(tmp_path / "log", "cloud.test", database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def other(tmp_path: Path, cloud: TestCloud) -> Iterator[TestCloud]:
    """A witness of the cloud, which the cloud knows."""
    other = make(tmp_path / "witness", "witness.test")
    put_log(other, "cloud.test")
    body = {
        "url": "https://witness.test/witness/",
        "verifier": key("witness.test").witness_verifier(),
    }
    operator(cloud).put(f"{WITNESSES}/w1", body).expect(200)
    yield other
    other.close()


def key(mark: str) -> MemoryKeys:
    return MemoryKeys(mark)


def operator(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True)


def put_log(witness: TestCloud, mark: str) -> None:
    path = f"{LOGS}/{quote(f'{mark}/log', safe='')}"
    operator(witness).put(path, {"verifier": key(mark).log_verifier()}).expect(200)


def post(witness: TestCloud, body: bytes) -> Got:
    return witness.as_().call("POST", ADD, raw=body, headers={"content-type": "text/plain"})


def carry(cloud: TestCloud, witness: TestCloud) -> bool:
    """One round of the courier; whether the witness cosigned."""

    def send(row: Any, body: bytes) -> Answer:
        assert row["url"] == "https://witness.test/witness"
        got = post(witness, body)
        return Answer(got.status, got.body)

    (row,) = due(cloud.database)
    return submit(cloud.database, row, send)


def state(cloud: TestCloud) -> dict[str, Any]:
    (found,) = cloud.as_(caller("reader")).get(WITNESSES).expect(200)["witnesses"]
    return dict(found)


def grow(cloud: TestCloud, count: int = 3) -> None:
    act(cloud, count)
    cloud.number()


def checkpoint(cloud: TestCloud) -> str:
    return cloud.as_().get(f"{LOG}/checkpoint").body.decode()


def findings(cloud: TestCloud) -> list[str]:
    with cloud.database.read() as connection:
        return [each.problem for each in audit.audit(connection, running=False)]


def test_cosignatures_travel_and_verify(
    cloud: TestCloud, other: TestCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for count in (3, 300, 1):
        grow(cloud, count)
        assert carry(cloud, other)
        assert due(cloud.database) == []
    note = checkpoint(cloud)
    text, _, lines = note.partition("\n\n")
    _, name, payload = lines.splitlines()[1].split(" ")
    assert name == "witness.test/witness"
    raw = base64.b64decode(payload)
    time = int.from_bytes(raw[4:12])
    material = key("witness.test").witness_verifier().split("+", 2)[2]
    signed = f"cosignature/v1\ntime {time}\n{text}\n".encode()
    VerifyKey(base64.b64decode(material)[1:]).verify(signed, raw[12:])
    asked = [key("witness.test").witness_verifier()]
    path = bundle(cloud, tmp_path)
    assert verify([path], key=None, witnesses=asked, as_json=False) == 0
    assert "cosigned by the witness witness.test/witness" in capsys.readouterr().out
    act(cloud, 2)
    cloud.number()
    later = bundle(cloud, tmp_path, "later.json")
    verify([later], key=None, witnesses=[], as_json=False)
    said = capsys.readouterr().out
    assert "cosigned by the witness" in said, "the last cosigned checkpoint comes with the newest"
    assert "begins with the one of" in said
    assert verify([later], key=None, witnesses=asked, as_json=False) == 3
    assert "has cosigned the first 305 of 307 leaves" in capsys.readouterr().out
    assert carry(cloud, other)
    assert verify([bundle(cloud, tmp_path), later], key=None, witnesses=asked, as_json=False) == 0
    assert verify([bundle(cloud, tmp_path), path], key=None, witnesses=asked, as_json=False) == 0
    seen = state(cloud)
    assert (seen["conflict"], seen["problem"], seen["size"] > 300) == (False, None, True)


def test_the_courier_asks_again_from_the_size_that_the_witness_names(
    cloud: TestCloud, other: TestCloud
) -> None:
    grow(cloud)
    assert carry(cloud, other)
    body = {
        "url": "https://witness.test/witness",
        "verifier": key("witness.test").witness_verifier(),
    }
    operator(cloud).put(f"{WITNESSES}/w1", body).expect(200)  # and all that was known of it is gone
    cloud.number()
    assert state(cloud)["size"] == 0
    assert carry(cloud, other)


def test_a_forked_log_gets_no_cosignature_and_everyone_is_told(
    cloud: TestCloud, other: TestCloud
) -> None:
    grow(cloud)
    assert carry(cloud, other)
    forged = sa.update(tile).values(data=bytes(32 * 4))
    cloud.database.transact(lambda connection: connection.execute(forged))
    cloud.database.transact(lambda c: c.exec_driver_sql("DELETE FROM checkpoint"))
    cloud.database.transact(lambda c: c.exec_driver_sql("DELETE FROM cosignature"))
    grow(cloud)
    assert not carry(cloud, other)
    seen = state(cloud)
    assert seen["conflict"]
    assert "another tree of 4 leaves" in seen["problem"]
    assert due(cloud.database) == [], "nothing more is submitted"
    newest = cloud.as_(caller("reader", "p7")).get(f"{LOG}/leaves").expect(200)["leaves"][-1]
    assert (newest["action"], newest["project_id"]) == ("sovereignty:witness:conflict", "*")
    (notice,) = cloud.as_(caller("reader")).get("/sovereignty/v1/notices").expect(200)["notices"]
    assert "w1" in str(notice)
    assert any("saw another log than this one" in each for each in findings(cloud))


def test_a_log_that_was_rolled_back_is_a_conflict(cloud: TestCloud, other: TestCloud) -> None:
    grow(cloud, 9)
    assert carry(cloud, other)
    for name in ("tile", "checkpoint", "cosignature", "leaf"):
        cloud.database.transact(lambda c, name=name: c.exec_driver_sql(f"DELETE FROM {name}"))
    cloud.database.transact(lambda c: c.exec_driver_sql("UPDATE witness SET size = 0"))
    grow(cloud, 2)
    assert not carry(cloud, other)
    assert "rolled back" in state(cloud)["problem"]


def test_two_trees_of_one_size_are_kept_as_evidence(
    cloud: TestCloud, other: TestCloud, tmp_path: Path
) -> None:
    grow(cloud)
    assert carry(cloud, other)
    twin = make(tmp_path / "twin", "cloud.test")
    grow(twin, 4)
    got = post(other, f"old 0\n\n{checkpoint(twin)}".encode())
    assert "signed two trees of 4 leaves" in got.expect(409)["message"]
    assert post(other, f"old 4\n\n{checkpoint(twin)}".encode()).status == 409
    (kept,) = other.as_(caller("reader")).get(LOGS).expect(200)["logs"]
    assert kept["conflict"] == checkpoint(twin)
    assert kept["size"] == 4
    assert "signed two trees of one size" in findings(other)
    leaves = other.as_(caller("reader")).get(f"{LOG}/leaves?project_id=*").expect(200)["leaves"]
    assert [each["action"] for each in leaves].count("witness:split_view:record") == 1
    twin.close()


def test_what_the_witness_refuses(cloud: TestCloud, other: TestCloud, tmp_path: Path) -> None:
    grow(cloud)
    note = checkpoint(cloud)
    stale = post(other, f"old 2\n\n{note}".encode())
    assert (stale.status, stale.body) == (409, b"0\n")
    assert stale.headers["content-type"] == "text/x.tlog.size"
    assert post(other, f"old 0\n\n{note}".encode()).status == 200
    again = post(other, f"old 4\n\n{note}".encode())
    assert again.status == 200, "the same checkpoint may be cosigned again"
    grow(cloud)
    note = checkpoint(cloud)
    proof = cloud.as_().get(f"{LOG}/consistency?first=4").expect(200)["proof"]
    assert post(other, f"old 4\n\n{note}".encode()).status == 422
    wrong = f"{base64.b64encode(bytes(32)).decode()}\n"
    assert post(other, f"old 4\n{wrong}\n{note}".encode()).status == 422
    assert post(other, f"old 99\n\n{note}".encode()).status == 400
    forged = note.replace("\n7\n", "\n8\n")
    assert post(other, f"old 4\n\n{forged}".encode()).status == 403
    stranger = make(tmp_path / "stranger", "else.test")
    grow(stranger)
    assert post(other, f"old 0\n\n{checkpoint(stranger)}".encode()).status == 404
    stranger.close()
    lines = "".join(f"{line}\n" for line in proof)
    assert post(other, f"old 4\n{lines}\n{note}".encode()).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"old 1\n", b"old 01\n\nx", b"old -1\n\nx", b"\xff\n\n", b"old 0\n\nx\n\n",
        b"old 0\n!\n\no\n1\nx\n\nx", b"old 0\n" + b"AA==\n" * 64 + b"\nx",
        b"old 0\nAA==\n\no\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
        b"\xe2\x80\x94 n YWJjZGU=\n",
    ],
)  # fmt: skip
def test_malformed_submissions_are_refused(other: TestCloud, body: bytes) -> None:
    answer = post(other, body)
    assert answer.status == 400
    assert answer.json["message"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(500, b"x"), "answered 500"),
        (Answer(404, b""), "answered 404"),
        (Answer(200, b""), "does not verify"),
        (Answer(200, b"\xff"), "does not verify"),
        (Answer(200, "— witness.test/witness AAAAAAAA\n".encode()), "does not verify"),
        (Answer(409, b"0\n"), "as it was told"),
        (Answer(409, b"1\n"), "meanwhile"),
        (OSError("no route"), "no route"),
    ],
)
def test_a_witness_that_fails_is_asked_again(
    cloud: TestCloud, other: TestCloud, answer: Answer | OSError, problem: str
) -> None:
    grow(cloud)
    sizes = iter((b"1\n", b"2\n"))

    def send(_: Any, __: bytes) -> Answer:
        if isinstance(answer, OSError):
            raise answer
        return Answer(409, next(sizes)) if answer.body == b"1\n" else answer

    (row,) = due(cloud.database)
    assert not submit(cloud.database, row, send)
    seen = state(cloud)
    assert problem in seen["problem"]
    assert not seen["conflict"]
    assert carry(cloud, other)
    assert state(cloud)["problem"] is None


def test_faulty_witnesses_change_nothing(cloud: TestCloud) -> None:
    good = {"url": "https://w/x", "verifier": key("w").witness_verifier()}
    for name, change in (
        ("W", {}), ("w", {"url": "http://w/x"}), ("w", {"url": "https://"}), ("w", {"url": "w"}),
        ("w", {"url": "https://w/?q"}), ("w", {"verifier": "x"}), ("w", {"colour": 1}),
        ("w", {"verifier": key("w").log_verifier()}), ("w", {"certificate": "x"}),
        ("w", {"certificate": "é"}),
    ):  # fmt: skip
        assert operator(cloud).put(f"{WITNESSES}/{name}", {**good, **change}).status == 400
    assert cloud.as_(caller("manager")).put(f"{WITNESSES}/w", good).status == 403
    assert cloud.as_(caller("reader")).get(WITNESSES).expect(200) == {"witnesses": []}
    assert operator(cloud).delete(f"{WITNESSES}/w").status == 404
    operator(cloud).put(f"{WITNESSES}/w", good).expect(200)
    assert operator(cloud).delete(f"{WITNESSES}/w").status == 204


def test_faulty_logs_change_nothing(cloud: TestCloud) -> None:
    for origin, verifier in (
        ("else/log", key("w").log_verifier()), ("w/log", "x"),
        ("w/witness", key("w").witness_verifier()),
    ):  # fmt: skip
        path = f"{LOGS}/{quote(origin, safe='')}"
        assert operator(cloud).put(path, {"verifier": verifier}).status == 400
        assert operator(cloud).get(path).status == 404
        assert operator(cloud).delete(path).status == 404
    put_log(cloud, "w")
    path = f"{LOGS}/w%2Flog"
    assert cloud.as_(caller("manager")).delete(path).status == 403
    assert operator(cloud).get(path).expect(200)["size"] == 0
    assert operator(cloud).delete(path).status == 204
