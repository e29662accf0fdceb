"""No GET costs more than its page: every statement that the routing tables' rows run, with each of
a list's filters and orders, is one that SQLite answers by walking an index as far as the page goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from andromede.http.microversion import text
from andromede.http.operation import Operation, Service, Transaction
from andromede.services.compute.servers.listing.query import ADMINS, SORT_KEYS
from tests.contract.whole import examples
from tests.contract.whole.few import EXCEPTIONS, FEW
from tests.contract.whole.plans import Planner
from tests.contract.whole.world import Whole, rows, whole
from tests.harness import Client
from tests.rehearsal import rehearsed

PERSONAS = {"member": False, "admin": True}  # and whether it sees everything
SERVERS = ("compute:server:list", "compute:server:detail")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as made:
        yield made


@pytest.fixture(scope="module")
def planners(made: Whole) -> Iterator[list[Planner]]:
    with made.cloud.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " ORDER BY type DESC"
        )
        schema = [str(row[0]) for row in found]
    both = [Planner(schema, large=large) for large in (False, True)]
    yield both
    for each in both:
        each.close()


def reads() -> list[tuple[Service, Operation]]:
    return [
        (service, row)
        for service, row in rows()
        if row.method == "GET" and row.mode is not Transaction.NONE and not row.stream
    ]


SERVICES = sorted({service.name for service, _ in reads()})
VALUE = re.compile(r"'[^']*'|\b\d+\b")  # of a statement: others make no other plan
Found = dict[tuple[str, str, str], str]


@pytest.fixture(scope="module")
def found(made: Whole, planners: list[Planner]) -> Found:
    """What costs more than a page, by service, action and what it is, each once."""
    found: Found = {}
    for service, row in reads():
        for persona, operator in PERSONAS.items():
            seen: set[str] = set()
            for query, statement in statements(made, service, row, persona):
                alike = VALUE.sub("?", statement)
                if alike in seen:
                    continue
                seen.add(alike)
                for planner in planners:
                    for problem in planner.problems(
                        statement, FEW, operator=operator, ordered="sort" in query
                    ):
                        key = (service.name, row.action, problem.partition("\n")[0])
                        found.setdefault(key, f"{persona}: {row.action}{query} {problem}")
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_no_read_costs_more_than_its_page(found: Found, name: str) -> None:
    told = [
        text
        for (service, action, what), text in found.items()
        if service == name and (action, what) not in EXCEPTIONS
    ]
    assert not told, "\n\n".join(told)


def test_no_exception_outlives_what_it_excuses(found: Found, planners: list[Planner]) -> None:
    assert set(EXCEPTIONS) - {(action, what) for _, action, what in found} == set()
    used = {each for planner in planners for each in planner.used}
    assert {(table, each) for table, few in FEW.items() for each in few} - used == set()


THINGS = [
    "CREATE TABLE thing (id TEXT PRIMARY KEY, project_id TEXT, name TEXT)",
    "CREATE INDEX ix_thing ON thing (project_id, id)",
]
OWN = "SELECT id FROM thing WHERE project_id = 'p'"


@pytest.mark.parametrize(
    ("statement", "operator", "what"),
    [
        (f"{OWN} ORDER BY id LIMIT 3", False, []),
        (f"{OWN} ORDER BY id", False, ["reads of thing without a limit"]),
        (f"{OWN} ORDER BY name LIMIT 3", False, ["collects more than a page of thing"]),
        ("SELECT id FROM thing ORDER BY id LIMIT 3", True, []),
        ("SELECT id FROM thing ORDER BY id LIMIT 3", False, ["reads all of thing"]),
        ("SELECT id FROM thing ORDER BY name LIMIT 3", True, ["reads all of thing"]),
        ("SELECT name FROM thing WHERE id = 'x'", False, []),
        ("SELECT max(id) FROM thing", True, []),
        (f"SELECT * FROM thing WHERE id IN (SELECT id FROM ({OWN} ORDER BY id LIMIT 3) AS page_0"
         f" UNION ALL SELECT id FROM ({OWN} LIMIT 3) AS page_1) ORDER BY name", False, []),
        (f"SELECT * FROM thing WHERE id IN ({OWN})", False, ["reads of thing without a limit"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("large", [False, True])
def test_the_planner_tells_what_costs_more(
    statement: str, operator: bool, what: list[str], large: bool
) -> None:
    planner = Planner(THINGS, large=large)
    told = planner.problems(statement, {}, operator=operator, ordered=False)
    planner.close()
    assert [each.partition("\n")[0] for each in told] == what


def statements(
    made: Whole, service: Service, row: Operation, persona: str
) -> Iterator[tuple[str, str]]:
    """What a row asks the database, and with which query, each statement once."""
    client = made.client(persona, private=persona == "admin")
    version = f"{service.type} {text(row.until) if row.until else 'latest'}"
    headers = {"OpenStack-API-Version": version, **examples.headers(made, row)}
    path = made.path(service, row) + examples.query(made, row)
    seen: dict[str, str] = {}
    with rehearsed(made.cloud.database) as connection:
        driver: Any = connection.connection.driver_connection
        for query in queries(client, path, headers, row):
            ran: list[str] = []
            driver.set_trace_callback(ran.append)
            client.get(f"{path}{query}", headers=headers)
            driver.set_trace_callback(None)
            for each in ran:
                if each.lstrip().upper().startswith(("SELECT", "WITH")):
                    seen.setdefault(each, query)
    for statement, query in seen.items():
        yield query, statement


def queries(client: Client, path: str, headers: Mapping[str, str], row: Operation) -> list[str]:
    """Nothing; and of a list, paging, each attribute as a filter and as the order."""
    answer = client.get(path, headers=headers)
    json = "json" in answer.headers.get("content-type", "") and answer.status == 200
    entries = first_list(answer.json) if json and "?" not in path else []
    if not entries:
        return [""]
    one = entries[0]
    fields = {
        name: str(value)
        for each in reversed(entries)  # what one entry has not, another may
        for name, value in each.items()
        if isinstance(value, (str, int)) and name != "links"
    }
    if row.action in SERVERS:
        fields = {**dict.fromkeys(ADMINS, "1"), **dict.fromkeys(SORT_KEYS, "1"), **fields}
    marker = one.get("id", one.get("name", ""))
    pages = ["", "?limit=2", f"?limit=2&marker={marker}"]
    if row.action.startswith("network:"):
        pages.append(f"?marker={marker}&page_reverse=true")
    return [
        *pages,
        *(f"?{name}={quote(value)}" for name, value in fields.items()),
        *(f"?sort_key={name}&sort_dir=asc" for name in fields),
        *(f"?sort_key={name}&sort_dir=desc&limit=2&marker={marker}" for name in fields),
    ]


def first_list(body: Any) -> list[dict[str, Any]]:
    """The entries of a list's body."""
    values = body.values() if isinstance(body, dict) else []
    found = [each for each in values if isinstance(each, list) and each]
    return found[0] if found and isinstance(found[0][0], dict) else []
