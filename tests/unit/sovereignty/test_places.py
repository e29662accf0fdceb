"""Nothing is placed without admission: every mutating route says so or is on a reviewed list, and
the engine's verbs that make something are called where admission was asked before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.protocol import Engine
from andromede.http.context import Context
from andromede.http.operation import MUTATING, Operation, Service
from andromede.roles import assembly
from andromede.work import Lifecycle
from tests.harness import TestCloud, caller
from tests.policies import set_allowed_sites

SOURCE = Path(__file__).parents[3] / "src" / "andromede"
LISTED = (Path(__file__).parent / "places-nothing.txt").read_text().splitlines()
REVIEWED = [line for line in LISTED if not line.startswith("#")]
KINDS = {"create", "move", "copy", "share", "expose"}

# Who calls a verb that makes something: (module, function) -> what asked for admission before it.
CALLERS = {
    ("services/compute/servers/steps/machine.py", "run"): {
        "ensure_server": "compute/servers/scheduling.py:_why_not",
    },
    ("services/compute/servers/steps/cards.py", "plug"): {
        "ensure_cards": "compute/servers/scheduling.py:_why_not",  # of a machine that runs already
    },
    ("services/network/steps.py", "apply_network"): {
        "ensure_network": "network/steps.py:_network",
    },
    ("services/network/steps.py", "apply_firewall"): {
        "ensure_firewall": "network/steps.py:_network",  # it waits while the network is in BUILD
    },
    ("services/network/steps.py", "apply_port"): {
        "ensure_port": "network/steps.py:_network_missing",
    },
    ("services/network/routers/steps.py", "apply_router"): {
        "ensure_router": "network/routers/steps.py:converge",
    },
}


def rows() -> Iterator[tuple[str, Operation]]:
    for service in assembly.services():
        for each in service.operations:
            if each.method in MUTATING:
                key = f" {each.key}" if each.key else ""
                yield f"{each.method} {service.mount}{each.path}{key}", each


def test_every_mutating_route_is_declared_or_reviewed() -> None:
    silent = {name for name, row in rows() if row.places is None}
    declared = {name for name, row in rows() if row.places is not None}
    assert silent - set(REVIEWED) == set(), "declare what it places, or review that it does not"
    assert set(REVIEWED) - silent == set(), "no such route, or it declares: the list only shrinks"
    assert {row.places for _, row in rows() if row.places} <= KINDS
    assert sorted(set(REVIEWED)) == REVIEWED
    assert "POST /compute/v2.1/servers" in declared


def calls() -> dict[tuple[str, str], set[str]]:
    """Where the engine's `ensure_…` verbs are called outside of engines."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith("engine/"):
            continue
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr in VERBS:
                    found.setdefault((place, function.name), set()).add(node.attr)
    return found


VERBS = {name for name in vars(Engine) if name.startswith("ensure_")}


def test_every_verb_that_makes_something_is_called_where_admission_was_asked() -> None:
    assert {key: set(verbs) for key, verbs in CALLERS.items()} == calls()
    assert {verb for verbs in CALLERS.values() for verb in verbs} == VERBS
    for verbs in CALLERS.values():
        for admitted in verbs.values():
            file, _, name = admitted.partition(":")
            tree = ast.parse((SOURCE / "services" / file).read_text())
            (function,) = (
                each for each in ast.walk(tree)
                if isinstance(each, ast.FunctionDef) and each.name == name
            )  # fmt: skip
            text = ast.unparse(function)
            assert "admit.admit(" in text or "admission.require(" in text, admitted


def test_a_handler_that_forgets_to_ask_changes_nothing(tmp_path: Path) -> None:
    def forgetful(context: Context) -> object:
        set_allowed_sites(context.conn, "p1", ["elsewhere"])
        return {}

    def examined(context: Context) -> object:
        context.places_nothing()
        return {}

    operations = [
        Operation(method="POST", path=f"/{name}", handler=handler, action=f"things:{name}:make",
                  allow=None, places="create")
        for name, handler in (("forgetful", forgetful), ("examined", examined))
    ]  # fmt: skip
    service = Service(name="things", type="things", mount="/things", operations=operations,
                      error_shape=lambda error: {"message": error.message})  # fmt: skip
    cloud = TestCloud(tmp_path, [service])
    assert cloud.as_().post("/things/forgetful").status == 500
    assert cloud.as_().post("/things/examined").status == 200
    from andromede.sovereignty.policy import store

    with cloud.database.read() as connection:
        assert store.get(connection, "project/p1") is None
    cloud.close()


def lifecycles() -> list[Lifecycle]:
    return list(assembly.lifecycles().values())


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/network/v2.0/networks", {"network": {"name": "n"}}, 201),
        ("/network/v2.0/routers", {"router": {"name": "r"}}, 201),
    ],
)
def test_what_a_policy_refuses_meanwhile_never_comes_to_be(
    tmp_path: Path, path: str, body: dict[str, object], status: int
) -> None:
    cloud = TestCloud(tmp_path, assembly.services(), lifecycles())
    member = cloud.as_(caller())
    (made,) = member.post(path, body).expect(status).values()
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    cloud.settle()
    assert not [verb for verb in cloud.engine.calls if verb.startswith("ensure_")]
    (shown,) = member.get(f"{path}/{made['id']}").expect(200).values()
    assert shown["status"] == "ERROR"
    cloud.close()
