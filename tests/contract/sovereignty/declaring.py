"""Declaring a world over HTTP in few words."""

from __future__ import annotations

from typing import Any

from tests.harness import Answer, Client

V1 = "/sovereignty/v1"


class Declaring:
    """`operator` declares, `reader` is a customer who asks."""

    def __init__(self, operator: Client, reader: Client) -> None:
        self.operator = operator
        self.reader = reader

    def entity(self, key: str, country: str = "FR", kind: str = "company", **more: Any) -> None:
        body = {"entity": {"name": key, "country": country, "kind": kind, **more}}
        answer = self.operator.put(f"{V1}/entities/{key}", body)
        assert answer.status in (200, 201), answer.body

    def try_hold(self, holder: str, held: str, capital: Any = None, **more: Any) -> Answer:
        shares = {} if capital is None else {"capital": capital}
        body = {"holding": {"holder": holder, "held": held, **shares, **more}}
        return self.operator.post(f"{V1}/holdings", body)

    def hold(self, holder: str, held: str, capital: Any = None, **more: Any) -> str:
        """The new holding's id."""
        return str(self.try_hold(holder, held, capital, **more).expect(201)["holding"]["id"])

    def end(self, holding: str, until: str) -> None:
        self.operator.patch(f"{V1}/holdings/{holding}", {"holding": {"until": until}}).expect(200)

    def site(
        self, name: str, country: str = "FR", operator: str = "undeclared", **more: Any
    ) -> None:
        body = {"site": {"country": country, "operator": operator, **more}}
        answer = self.operator.put(f"{V1}/sites/{name}", body)
        assert answer.status in (200, 201), answer.body

    def contract(self, key: str, customer: str, supplier: str, **more: Any) -> None:
        body = {"contract": {"customer": customer, "supplier": supplier, "purpose": "x", **more}}
        answer = self.operator.put(f"{V1}/contracts/{key}", body)
        assert answer.status in (200, 201), answer.body

    def ownership(self, key: str, day: str | None = None) -> Any:
        query = f"?date={day}" if day else ""
        answer = self.reader.get(f"{V1}/entities/{key}/ownership{query}")
        return answer.expect(200)["ownership"]

    def verdict(self, key: str, day: str | None = None) -> str:
        return str(self.ownership(key, day)["verdict"]["outcome"])

    def codes(self, key: str, day: str | None = None) -> list[str]:
        return [each["code"] for each in self.ownership(key, day)["verdict"]["reasons"]]

    def exposures(self, key: str, day: str | None = None, noun: str = "entities") -> Any:
        query = f"?date={day}" if day else ""
        return self.reader.get(f"{V1}/{noun}/{key}/exposures{query}").expect(200)

    def laws(self, key: str, day: str | None = None, noun: str = "entities") -> set[str]:
        return {each["law"] for each in self.exposures(key, day, noun)["exposures"]}
