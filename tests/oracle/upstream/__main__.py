"""`python -m tests.oracle.upstream < lines > lines`: JSON lines both ways.

A row (service, method, path, key) is answered by its rule: the name, the parts that it judges and the
versions where something changes; an exchange by what is wrong with it besides; null where there is no
rule.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from tests.oracle.upstream.rule import Table

SERVICES = ("compute", "identity", "image", "network")


class Services:
    """The rules of each service, read when they are first asked for."""

    def __init__(self) -> None:
        self.tables: dict[str, tuple[str, Table]] = {}

    def of(self, name: str) -> tuple[str, Table]:
        if name not in self.tables:
            module = importlib.import_module(f"tests.oracle.upstream.{name}")
            self.tables[name] = (module.PREFIX, Table(module.rules()))
        return self.tables[name]

    def tell(self, asked: Mapping[str, Any]) -> Any:
        """The rule of a row, or the verdict on an exchange; None where the service has none."""
        if asked["service"] not in SERVICES:
            return None
        prefix, table = self.of(asked["service"])
        path = str(asked["path"]).removeprefix(prefix) or "/"
        rule = table.find(asked["method"], path, asked.get("key"))
        if rule is None:
            return None
        known = {"rule": rule.name, "parts": rule.parts, "versions": rule.versions}
        if "status" in asked:
            known["wrong"] = list(rule.judge(asked))
        return known


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    services = Services()
    answers, sys.stdout = sys.stdout, sys.stderr  # what is said besides is no answer
    for line in sys.stdin:
        answers.write(json.dumps(services.tell(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
