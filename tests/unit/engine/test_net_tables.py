"""The text that turns one table into another, read back by a small model of nftables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from andromede.engine.embedded.net.table import Chain, Set, Table, changing, removing, replacing

NAMES = st.sampled_from(["a", "b", "c", "d"])
SETS = st.dictionaries(
    NAMES,
    st.builds(
        Set,
        declaration=st.just("type mark;"),
        elements=st.lists(st.sampled_from("1234"), unique=True).map(tuple),
    ),
)
CHAINS = st.dictionaries(
    NAMES.map(lambda name: f"chain_{name}"),
    st.builds(Chain, rules=st.lists(st.sampled_from(["accept", "drop", "return"])).map(tuple)),
)
TABLES = st.builds(Table, family=st.just("inet"), name=st.just("t"), sets=SETS, chains=CHAINS)
World = dict[str, dict[str, list[str]]]


def world(table: Table) -> World:
    return {
        "set": {name: sorted(each.elements) for name, each in table.sets.items()},
        "chain": {name: list(each.rules) for name, each in table.chains.items()},
    }


def applied(text: str, state: World) -> World:
    """What nftables would hold after the text; a step that it would refuse fails."""
    for line in text.splitlines():
        match line.split():
            case ["add" | "delete", "table", "inet", "t"]:
                if line.startswith("delete"):
                    state = {"set": {}, "chain": {}}
            case ["flush", ("set" | "chain") as kind, "inet", "t", name]:
                state[kind][name].clear()
            case ["add", ("set" | "chain") as kind, "inet", "t", name, *_]:
                assert name not in state[kind]
                state[kind][name] = []
            case ["add", "element", "inet", "t", name, "{", *elements, "}"]:
                state["set"][name] += [each.strip(",") for each in elements]
                state["set"][name].sort()
            case ["add", "rule", "inet", "t", name, *rule]:
                state["chain"][name].append(" ".join(rule))
            case ["delete", ("set" | "chain") as kind, "inet", "t", name]:
                assert state[kind].pop(name) == []
            case _:
                raise AssertionError(line)
    return state


@given(TABLES, TABLES)
def test_a_change_gives_exactly_the_new_table(old: Table, new: Table) -> None:
    assert applied(changing(old, new), world(old)) == world(new)


@given(TABLES, TABLES)
def test_a_replacement_gives_it_whatever_was_there(old: Table, new: Table) -> None:
    assert applied(replacing(new), world(old)) == world(new)


@given(TABLES)
def test_no_difference_is_no_text(table: Table) -> None:
    assert changing(table, table) == ""


def test_removing_works_on_an_absent_table_too() -> None:
    table = Table(family="inet", name="t")
    assert removing(table) == "add table inet t\ndelete table inet t\n"
