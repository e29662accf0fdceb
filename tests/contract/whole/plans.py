"""How SQLite would run a statement on a large cloud, and what of that costs more than a page.

The planner sees the product's tables and indexes alone, empty: without statistics, as the product
keeps none, and with those of large tables.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

ROWS, OWNED, SAME, FEW = 200_000, 20_000, 50_000, 5  # of a table; an owner's; of a kind; else
OWNERS = ("project_id", "network_project", "domain_id", "user_id", "network_id")
KINDS = re.compile(r"(kind|status|state|type|deleted|enabled|shared|external.*|visibility|is_.*"
                   r"|host|site|direction|ethertype|device_owner|action|lease|run_at)$")  # fmt: skip
READ = re.compile(
    r"(SEARCH|SCAN) (\S+)(?: USING (AUTOMATIC|INTEGER PRIMARY KEY)?[A-Z ]*?"
    r"(?:INDEX (?!\()(\S+))?[A-Z ]*)?(?: \((.*)\))?(?: LEFT-JOIN)?$"
)
LIMITED = re.compile(r"LIMIT \d+( OFFSET \d+)?\s*$|^SELECT (max|min)\([^()]+\)[^()]*$")
NAMED = re.compile(r"""(?:FROM|JOIN|,|UPDATE|INTO) \s*"?(\w+)"? (?:AS )?"?(\w+)"?""")


Few = Mapping[str, Collection[str]]
"""By table, the columns of which a value is in few rows; "*" for a table of few rows."""


@dataclass
class Node:
    """A line of EXPLAIN QUERY PLAN and what is below it."""

    says: str
    below: list[Node] = field(default_factory=list)


class Planner:
    """SQLite with the tables of a cloud, and no rows. `schema`: the statements that made them."""

    def __init__(self, schema: list[str], *, large: bool) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.used: set[tuple[str, str]] = set()  # what was taken for few
        for statement in schema:
            self.connection.execute(statement)
        rows = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        self.tables = {str(name) for (name,) in rows if not name.startswith("sqlite_")}
        self.keys = {table: list(self._keys(table)) for table in self.tables}
        if large:
            self._note_statistics()

    def close(self) -> None:
        self.connection.close()

    def _keys(self, table: str) -> Iterator[tuple[str, list[str], bool]]:
        """(index, its columns, whether it is unique) of a table."""
        for _, name, unique, *_ in self.connection.execute(f'PRAGMA index_list("{table}")'):
            columns = self.connection.execute(f'PRAGMA index_info("{name}")').fetchall()
            yield name, [str(column) for *_, column in columns], bool(unique)

    def _note_statistics(self) -> None:
        self.connection.execute("ANALYZE")
        self.connection.execute("DELETE FROM sqlite_stat1")
        for table, keys in self.keys.items():
            for name, columns, unique in keys:
                numbers, least = [ROWS], ROWS
                for column in columns:
                    least = min(least, _equal(column))
                    numbers.append(least)
                if unique:
                    numbers[-1] = 1
                values = (table, name, " ".join(map(str, numbers)))
                self.connection.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", values)
        self.connection.commit()
        self.connection.execute("ANALYZE sqlite_schema")

    def problems(self, statement: str, few: Few, *, operator: bool, ordered: bool) -> list[str]:
        """What of a statement costs more than its page. `operator`: it is for somebody who sees
        every row; `ordered`: for an order of the caller's own."""
        tree = self._tree(statement)
        judge = _Judge(self, statement, few, operator=operator, ordered=ordered)
        judge.level(tree, limited=bool(LIMITED.search(statement)))
        return [f"{each}\n    {statement}\n{_text(tree)}" for each in judge.found]

    def _tree(self, statement: str) -> list[Node]:
        nodes = {0: Node("")}
        for key, parent, _, says in self.connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            nodes[key] = Node(says)
            nodes[parent].below.append(nodes[key])
        return nodes[0].below


def _equal(column: str) -> int:
    """How many rows have the same value in a column."""
    if column in OWNERS:
        return OWNED
    return SAME if KINDS.fullmatch(column) else FEW


def _text(tree: list[Node], depth: int = 1) -> str:
    return "\n".join(
        "\n".join(filter(None, ["    " * depth + "| " + each.says, _text(each.below, depth + 1)]))
        for each in tree
    )


class _Judge:
    """Goes down one plan."""

    def __init__(
        self, planner: Planner, statement: str, few: Few, *, operator: bool, ordered: bool
    ) -> None:
        self.planner, self.few, self.operator, self.ordered = planner, few, operator, ordered
        self.found: list[str] = []
        self.names = {alias: table for table, alias in NAMED.findall(statement)}

    def level(self, nodes: list[Node], *, limited: bool) -> None:
        """What stands side by side: loops in loops, subqueries, and what is done with all rows."""
        collects = [each.says for each in nodes if each.says.startswith("USE TEMP B-TREE")]
        for each in nodes:
            self._read(each, limited=limited, collects=collects)
            if each.below:
                self.level(each.below, limited=" page_" in each.says or (limited and _row(each)))

    def _read(self, node: Node, *, limited: bool, collects: list[str]) -> None:
        match = READ.match(node.says)
        if match is None:
            read = node.says.startswith(("SEARCH", "SCAN")) and node.says != "SCAN CONSTANT ROW"
            assert not read, f"not understood: {node.says}"
            return
        how, alias, special, index, terms = match.groups()
        table = self.names.get(alias, alias)
        if table not in self.planner.tables or self._few(table, special, index, terms or ""):
            return
        walked = limited and not collects  # in the index's order, to the page's end
        if self.ordered and self.operator:
            return
        if special == "AUTOMATIC" or (how == "SCAN" and not (self.operator and walked)):
            self.found.append(f"reads all of {table}")
        elif collects and not self.ordered:
            self.found.append(f"collects more than a page of {table}")
        elif not limited:
            self.found.append(f"reads of {table} without a limit")

    def _few(self, table: str, special: str | None, index: str | None, terms: str) -> bool:
        """Whether few rows are read: a unique key's one, or a value's that few have."""
        few = self.few.get(table, ())
        equal = {each.partition("=")[0] for each in terms.split(" AND ") if each.endswith("=?")}
        keys = {name: set(columns) for name, columns, unique in self.planner.keys[table] if unique}
        if special == "INTEGER PRIMARY KEY" or (index in keys and keys[index] <= equal):
            return True
        known = set(few) & {*equal, "*"}
        self.planner.used |= {(table, each) for each in known}
        return bool(known)


def _row(node: Node) -> bool:
    """Whether a part of a plan walks in its statement's own order, as the branches of a merge."""
    return node.says.startswith(("MERGE", "LEFT", "RIGHT"))
