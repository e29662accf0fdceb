"""The worker's side of routers: rows to document to engine."""

from __future__ import annotations

from andromede.db import Connection, Database
from andromede.engine.networks import RouterInterface, RouterSpec
from andromede.engine.protocol import Engine
from andromede.services.network import admission, intents
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.removals import store as removals
from andromede.services.network.routers import store as routers
from andromede.services.network.routers.spec import router_spec
from andromede.services.network.sharing import alone
from andromede.services.network.steps import SOON
from andromede.work import Done, Lifecycle, Nap, Outcome, Step
from andromede.work.lifecycle import Record


class NotYet(Exception):
    """Something that the router stands on is still being made."""


def apply_router(database: Database, engine: Engine, router_id: str) -> RouterSpec | None:
    """Make the host's router equal to its rows; its document, or None when there is no such row.

    Errors: NotYet while a network of its legs is not on the host.
    """
    with alone("router", router_id):
        with database.read() as connection:
            spec = router_spec(connection, router_id)
            needed = networks.by_ids(connection, (leg.network_id for leg in legs(spec)))
        if any(row["status"] == "BUILD" for row in needed.values()):
            raise NotYet
        if spec is not None:
            engine.ensure_router(spec)
    return spec


def legs(spec: RouterSpec | None) -> list[RouterInterface]:
    """A router's legs, its gateway included."""
    if spec is None:
        return []
    return [*spec.interfaces, *([spec.gateway] if spec.gateway else [])]


def converge(step: Step) -> Outcome:
    """Make the host's router equal to its rows, or absent."""
    with step.database.read() as connection:
        row = routers.by_id(connection, step.id)
        if row is not None and row["status"] == "BUILD":
            admission.require(step, connection, "router", row)
    try:
        spec = apply_router(step.database, step.world.engine, step.id)
    except NotYet:
        return Nap(SOON)
    if spec is None:
        step.world.engine.remove_router(step.id)
        return Done(lambda connection: removals.forget(connection, "router", step.id))
    made = spec
    status = "ACTIVE" if made.enabled else "DOWN"

    def record(connection: Connection) -> None:
        routers.set_status(connection, step.id, "ACTIVE")
        ports.set_status(connection, (leg.port_id for leg in legs(made)), "ACTIVE")
        carried = {each.id for each in made.floating}
        carried |= {each.id for each in made.forwards}
        floatings.set_status(connection, carried, status)

    return Done(record)


def fail(step: Step, _: str) -> Record:
    """What cannot be made shows on the router and on what it should carry."""

    def record(connection: Connection) -> None:
        routers.set_status(connection, step.id, "ERROR")
        rows = floatings.of_router(connection, step.id)
        floatings.set_status(connection, (row["id"] for row in rows), "ERROR")

    return record


LIFECYCLE = Lifecycle(
    kind=intents.ROUTER,
    steps={intents.CONVERGE: converge},
    fail=fail,
    doc="a router on the host, with its floating addresses",
)
