"""A small service with a lifecycle of two steps each way, on which the crash tests prove themselves."""

from __future__ import annotations

import sqlalchemy as sa

from andromede import ids
from andromede.db import Connection
from andromede.engine.networks import NetworkSpec
from andromede.http.access import PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import NotFound, plain_shape
from andromede.http.operation import Operation, Reply, Service
from andromede.work import Done, Hop, Lifecycle, Outcome, Reconciler, Step, intend
from andromede.work.lifecycle import Record
from tests.harness import Client, TestCloud

TABLES = sa.MetaData()
SAMPLES = sa.Table(
    "sample",
    TABLES,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String),
    sa.Column("status", sa.String),
    sa.Column("fault", sa.String),
)


def _set(sample_id: str, status: str, fault: str = "") -> Record:
    return lambda c: c.execute(  # type: ignore[return-value]
        sa.update(SAMPLES).where(SAMPLES.c.id == sample_id).values(status=status, fault=fault)
    )


def _want(connection: Connection, context: Context, sample_id: str, label: str) -> None:
    intend(
        connection, "sample", sample_id, label, project_id=context.project_id,
        request_id=context.request_id, seconds=120,
    )  # fmt: skip


def create(context: Context) -> object:
    row = {"id": ids.new(), "project_id": context.project_id, "status": "BUILD", "fault": ""}
    context.conn.execute(sa.insert(SAMPLES), row)
    _want(context.conn, context, row["id"], "make")
    return row


def show(context: Context) -> object:
    wanted = sa.select(SAMPLES).where(SAMPLES.c.id == context.params["id"])
    row = context.conn.execute(wanted).first()
    if row is None:
        raise NotFound("There is no such sample.")
    return row._asdict()


def delete(context: Context) -> Reply:
    show(context)
    sample_id = context.params["id"]
    _set(sample_id, "DELETING")(context.conn)
    _want(context.conn, context, sample_id, "unmake")
    return Reply(202)


def make(step: Step) -> Outcome:
    spec = NetworkSpec(
        id=step.id, number=1, project_id="p1", mtu=1500, external=False, subnets=(),
        dns_domain="", dhcp_mac="",
    )  # fmt: skip
    step.world.engine.ensure_network(spec)
    return Hop("check")


def check(step: Step) -> Outcome:
    step.world.engine.observe_server(step.id)
    return Done(_set(step.id, "ACTIVE"))


def unmake(step: Step) -> Outcome:
    step.world.engine.remove_network(step.id)
    return Hop("forget")


def forget(step: Step) -> Outcome:
    return Done(
        lambda c: c.execute(  # type: ignore[arg-type, return-value]
            sa.delete(SAMPLES).where(SAMPLES.c.id == step.id)
        )
    )


def fail(step: Step, message: str) -> Record:
    return _set(step.id, "ERROR", message)


SAMPLE = Lifecycle(
    kind="sample",
    steps={"make": make, "check": check, "unmake": unmake, "forget": forget},
    fail=fail,
)


def reconcilers(world: object) -> list[Reconciler]:
    """Networks of samples that are gone from the host are made again."""

    def again() -> None:
        def work(connection: Connection) -> None:
            for row in connection.execute(sa.select(SAMPLES).where(SAMPLES.c.status == "ACTIVE")):
                if row.id not in world.engine.networks:  # type: ignore[attr-defined]
                    intend(
                        connection, "sample", row.id, "make", project_id=row.project_id,
                        request_id="req-again",
                    )  # fmt: skip

        world.cloud.database.transact(work)  # type: ignore[attr-defined]

    return [Reconciler(name="samples", every=1, run=again)]


def _row(method: str, path: str, handler: object, status: int) -> Operation:
    return Operation(
        method=method, path=path, handler=handler, action=f"sample:{method.lower()}",  # type: ignore[arg-type]
        allow=PROJECT_MEMBER, status=status,
    )  # fmt: skip


SERVICE = Service(
    name="sample",
    type="sample",
    mount="/sample",
    error_shape=plain_shape,
    operations=[
        _row("POST", "/", create, 202),
        _row("GET", "/{id}", show, 200),
        _row("DELETE", "/{id}", delete, 202),
    ],
)


def create_one(_: TestCloud, client: Client) -> str:
    return str(client.post("/sample/").expect(202)["id"])


def status_of(_: TestCloud, client: Client, sample_id: str) -> str:
    answer = client.get(f"/sample/{sample_id}")
    if answer.status == 404:
        return "gone"
    known = {"ACTIVE": "good", "ERROR": "error"}
    status = answer.expect(200)["status"]
    return known.get(status, status)


def fault_of(_: TestCloud, client: Client, sample_id: str) -> str:
    return str(client.get(f"/sample/{sample_id}").expect(200)["fault"])


def delete_one(_: TestCloud, client: Client, sample_id: str) -> None:
    client.delete(f"/sample/{sample_id}").expect(202)
