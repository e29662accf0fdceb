"""Whatever is wrong with a request, on whatever route: a 4xx in the service's own shape, never a 5xx,
and nothing is changed by what was refused.

A part that is the same each time runs by default, everything with `--full`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest

from andromede.db import Connection, metadata
from andromede.http.errors import COMPUTE_NAMES, reason
from andromede.http.microversion import text
from tests import tables
from tests.contract import authz
from tests.contract.whole.faults import Fault, every
from tests.contract.whole.world import Whole, rows, whole
from tests.harness import Answer
from tests.postgres import Postgres
from tests.rehearsal import rehearsed

POSTGRES = pytest.mark.postgres
PART, BATCH, LEAST, MOST_TOLD = 1_500, 250, 20_000, 30
CODES = {
    "body half an object": 400, "body NaN": 400, "body a MiB and more": 413,
    "media application/xml": 415, "method FOO": 405,
    "header {'OpenStack-API-Version': 'compute 2.9999'}": 406,
    "header {'OpenStack-API-Version': 'compute abc'}": 400,
}  # fmt: skip
UNDIGESTED = {"leaf", "leaf_hash"}  # refusals of operators are told to the log


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=POSTGRES)])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Whole]:
    """The whole cloud, on a database of each kind: PostgreSQL takes less than SQLite does."""
    folder = tmp_path_factory.mktemp("whole")
    if request.param == "sqlite":
        with whole(folder) as made:
            yield made
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.database(frozenset(metadata.tables), tables.declare)
    with whole(folder, url) as made:
        yield made
    server.drop(url)


def rank(fault: Fault) -> int:
    return zlib.crc32(fault.name.encode())


def test_a_part_of_all_that_can_be_wrong(made: Whole) -> None:
    hold(made, sorted(every(made), key=rank)[:PART])


@pytest.mark.full
def test_all_that_can_be_wrong(made: Whole) -> None:
    faults = list(every(made))
    assert len(faults) >= LEAST
    hold(made, faults)


def test_what_no_row_takes_has_its_own_code_on_each(made: Whole) -> None:
    wrong, seen = [], Counter[str]()
    with rehearsed(made.cloud.database) as connection:
        for fault in every(made):
            what = fault.what
            code = expected(fault, what)
            if code is None:
                continue
            seen[what] += 1
            answer = ask(made, connection, fault, "member")
            named = answer.headers.get("allow", "").split(", ")
            if answer.status != code or (code == 405 and fault.row.method not in named):
                wrong.append(f"{fault.name} -> {answer.status}: {answer.body[:200]!r}")
    assert wrong == []
    assert seen.keys() == CODES.keys()
    assert min(seen.values()) > 50


def expected(fault: Fault, what: str) -> int | None:
    """The code of a fault that no row takes; None for one that some may take."""
    kind = what.partition(" ")[0]
    if kind in ("body", "media") and (fault.row.plain or fault.row.stream):
        return None
    if kind == "header" and fault.service.name != "compute":
        return None
    return CODES.get(what)


def test_a_change_is_seen_and_a_rehearsal_leaves_none(made: Whole) -> None:
    path, body = "/network/v2.0/networks", {"network": {"name": "new"}}
    with rehearsed(made.cloud.database) as connection:
        before = digest(connection)
        made.client("member").post(path, body).expect(201)
        after = digest(connection)
    assert {"network", "work"} <= {name for name in before if before[name] != after[name]}
    with rehearsed(made.cloud.database) as connection:
        assert digest(connection) == before


def test_names_are_unique_enough_to_repeat_a_fault_by(made: Whole) -> None:
    versions = {(row.method, service.mount + row.path) for service, row in rows() if row.until}
    names = [each.name for each in every(made) if (each.row.method, each.service.mount + each.row.path)
             not in versions]  # fmt: skip
    assert len(set(names)) > 0.99 * len(names)


def hold(made: Whole, faults: Iterable[Fault]) -> None:
    """Send them all, and tell what went wrong with the first few."""
    allowed = personas()
    wrong: list[str] = []
    for batch in _batches(list(faults)):
        wrong += send(made, batch, allowed)
        if len(wrong) > MOST_TOLD:
            break
    assert not wrong, "\n".join(wrong[:MOST_TOLD])


def _batches(faults: list[Fault]) -> Iterator[list[Fault]]:
    for at in range(0, len(faults), BATCH):
        yield faults[at : at + BATCH]


def personas() -> dict[int, list[str]]:
    """By the row's identity: those whom the matrix lets through, for whom most is looked at."""
    return {
        id(row): [
            each for each, code in zip(authz.COLUMNS[:-1], codes, strict=False) if code[0] == "2"
        ]
        or ["none"]
        for (codes, _), (_, row) in zip(authz.cells(), rows(), strict=True)
    }


def send(made: Whole, batch: list[Fault], allowed: dict[int, list[str]]) -> list[str]:
    """What was wrong with the answers to a batch, of which nothing stays."""
    wrong = []
    with rehearsed(made.cloud.database) as connection:
        before = digest(connection)
        for fault in batch:
            may = allowed[id(fault.row)]
            answer = ask(made, connection, fault, may[rank(fault) % len(may)])
            wrong += [f"{fault.name} -> {answer.status}: {each}" for each in faulty(fault, answer)]
        after = digest(connection)
    changed = [name for name in before if before[name] != after[name]]
    if changed and len(batch) > 1:
        half = len(batch) // 2
        return wrong + send(made, batch[:half], allowed) + send(made, batch[half:], allowed)
    return wrong + [f"{batch[0].name}: was refused and changed {name}" for name in changed]


def ask(made: Whole, connection: Connection, fault: Fault, persona: str) -> Answer:
    """The answer; what was accepted is undone."""
    client = made.client(persona, private=persona in ("admin", "sysread", "sysadm"))
    row = fault.row
    version = f"{fault.service.type} {text(row.until) if row.until else 'latest'}"
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT request")
    answer = client.call(
        fault.method, fault.path, raw=fault.raw,
        headers={"OpenStack-API-Version": version, **fault.headers},
    )  # fmt: skip
    if answer.status < 400:
        driver.execute("ROLLBACK TO request")
    driver.execute("RELEASE request")
    return answer


def digest(connection: Connection) -> dict[str, str]:
    """What stands in each table, the log's aside."""
    found = {}
    for table in metadata.sorted_tables:
        if table.name in UNDIGESTED:
            continue
        held = hashlib.sha256()
        rows_ = connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')
        for row in sorted(repr(tuple(row)) for row in rows_):
            held.update(row.encode())
        found[table.name] = held.hexdigest()
    return found


def faulty(fault: Fault, answer: Answer) -> Iterator[str]:
    """What is wrong with an answer."""
    if answer.status >= 500:
        yield f"{answer.body[:300]!r}"
    if not 400 <= answer.status < 500 or fault.method == "HEAD":
        return
    if "text/html" in answer.headers.get("content-type", ""):
        if fault.service.error_page is None or fault.headers.get("Accept") is None:
            yield "a page of HTML"
        return
    try:
        body = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        yield f"its body is no JSON: {answer.body[:100]!r}"
        return
    error = shape(fault.service.name, answer.status, body)
    if not isinstance(error, str) or not error.strip():
        yield f"not the shape of {fault.service.name}: {answer.body[:200]!r}"


def shape(service: str, status: int, body: Any) -> Any:
    """The message of an error in its service's shape; None when it has another."""
    told: Any = None
    message: Any = None
    if status == 401 and service in ("compute", "image", "network"):
        service = "identity"  # its middleware says it for them
    match service, body:
        case "identity", {"error": {"code": code, "title": title, "message": message}}:
            told = code, title
        case "placement", {"errors": [{"status": code, "title": title, "detail": message}]}:
            told = code, title
        case "sovereignty" | "witness" | "console", {
            "message": message, "code": code, "title": title}:  # fmt: skip
            told = code, title
        case "image", {"message": message, "code": str(code), "title": title}:
            told = int(code.removesuffix(f" {title}")), title
        case "network", {"NeutronError": {"type": str(), "message": message, "detail": ""}}:
            told = status, reason(status)
        case "compute", {**faults} if list(faults) == [COMPUTE_NAMES.get(status, "computeFault")]:
            (fault,) = faults.values()
            told, message = (fault.get("code"), reason(status)), fault.get("message")
    return message if told == (status, reason(status)) else None
