"""Every row of the routing tables that a real service has too, asked at each microversion where
something changes there, on a cloud with one of everything; what it does is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from andromede.http.microversion import Version, text
from andromede.http.operation import Operation, Service
from andromede.roles.apidoc import path_of
from tests.contract import authz
from tests.contract.whole import examples
from tests.contract.whole.world import PRIVATE, PUBLIC, Whole, rows
from tests.oracle import oracle, stock
from tests.oracle.bodies import at
from tests.oracle.exchanges import SERVICES, exchange
from tests.rehearsal import rehearsed


@dataclass
class Walked:
    """A row, what the oracle knows of it, and what was exchanged; `unanswered` versions are those
    where nobody got a 2xx."""

    service: Service
    row: Operation
    rule: dict[str, Any] | None
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    versions: list[Version | None] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        key = f" {self.row.key}" if self.row.key else ""
        since = f" from {text(self.row.since)}" if self.row.since else ""
        until = f" to {text(self.row.until)}" if self.row.until else ""
        return f"{self.row.method} {path_of(self.service, self.row)}{key}{since}{until}"

    def __str__(self) -> str:
        """A line of `rows.txt`."""
        parts = " ".join(self.rule["parts"]) if self.rule else "no such operation"
        missing = f"  but not at {', '.join(self.unanswered)}" if self.unanswered else ""
        return f"{parts or 'no schema':<24}{len(self.versions):>3}  {self.name}{missing}"


def judged() -> Iterator[tuple[Service, Operation]]:
    """The rows of the services that the oracle knows."""
    return ((service, row) for service, row in rows() if service.name in SERVICES)


def walk(made: Whole) -> Iterator[Walked]:
    """All of them, in the order of the API's page."""
    asked = [
        {"service": service.name, "method": row.method, "path": path_of(service, row),
         "key": row.key}
        for service, row in judged()
    ]  # fmt: skip
    who = personas()
    stock.fill(made)
    for (service, row), rule in zip(judged(), oracle.ask(asked), strict=True):
        walked = Walked(service, row, rule)
        if rule is not None:
            _ask(made, walked, who[id(row)])
        yield walked


def personas() -> dict[int, list[str]]:
    """By the row's identity: a customer and an operator whom the authorization matrix lets through."""
    found = {}
    for (codes, _), (_, row) in zip(authz.cells(), rows(), strict=True):
        let = [who for who, code in zip(authz.COLUMNS, codes, strict=True) if code[0] == "2"]
        found[id(row)] = [
            next(who for who in order if who in let)
            for order in (PUBLIC[2:] + PUBLIC[:2], PRIVATE[::-1])
            if set(order) & set(let)
        ] or ["member", "sysadm", "none"]
    return found


def _ask(made: Whole, walked: Walked, who: list[str]) -> None:
    for version in _versions(walked):
        walked.versions.append(version)
        found = [
            each
            for persona in who
            for query in _queries(made, walked.row)
            if (each := _exchange(made, walked, persona, version, query))
        ]
        walked.exchanges += found
        if not found:
            walked.unanswered.append(text(version) if version else "all")


def _versions(walked: Walked) -> list[Version | None]:
    """Where the row's own range and the rule's begin, and the row's last."""
    served = walked.service.microversions
    if served is None or walked.rule is None:
        return [None]
    since, until = walked.row.since or served.lowest, walked.row.until or served.latest
    changes = (tuple(each) for each in walked.rule["versions"])
    return sorted({since, until, *(each for each in changes if since <= each <= until)})


def _queries(made: Whole, row: Operation) -> list[str]:
    query = examples.query(made, row)
    paged = row.method == "GET" and not row.path.endswith("}")
    return [query, f"{query}{'&' if query else '?'}limit=1"] if paged else [query]


def _exchange(
    made: Whole, walked: Walked, persona: str, version: Version | None, query: str
) -> dict[str, Any] | None:
    """One request, whose effect is undone; None when it was refused."""
    row, service = walked.row, walked.service
    client = made.client(persona, private=persona in PRIVATE)
    asked = {"OpenStack-API-Version": f"{service.type} {text(version)}"} if version else {}
    path = made.path(service, row) + query
    body = at(made, row, version)
    raw = b"data" if row.stream else None
    with rehearsed(made.cloud.database):
        answer = client.call(
            row.method, path, body, raw=raw, headers={**asked, **examples.headers(made, row)}
        )
    content = b"" if body is None else oracle.encode(body)
    return exchange(row.method, path, content, answer.status, answer.headers, answer.body)
