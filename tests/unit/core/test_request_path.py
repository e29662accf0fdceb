"""The path of a request and of its work, on a service made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec import Struct

from andromede import ids
from andromede.http.access import ADMIN, PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import NotFound, network_shape
from andromede.http.operation import Operation, Reply, Service
from andromede.sovereignty.log.leaves import leaf
from andromede.work import Done, Hop, Lifecycle, Outcome, PermanentError, Step, intend
from tests.harness import TestCloud, caller
from tests.policies import set_allowed_sites

THINGS = sa.Table(
    "test_thing",
    sa.MetaData(),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String),
    sa.Column("name", sa.String),
    sa.Column("status", sa.String),
)


class NewThing(Struct, forbid_unknown_fields=True):
    name: str


class NewThingBody(Struct, forbid_unknown_fields=True):
    thing: NewThing


def create(context: Context) -> object:
    project = context.project_id
    context.admit(project)
    thing = {"id": ids.new(), "project_id": project, "name": context.body.thing.name}
    context.conn.execute(sa.insert(THINGS), {**thing, "status": "BUILD"})
    intend(
        context.conn, "thing", thing["id"], "make",
        project_id=project, request_id=context.request_id,
    )  # fmt: skip
    context.concerns(thing["id"])
    return {"thing": thing}


def show(context: Context) -> object:
    row = context.conn.execute(
        sa.select(THINGS).where(
            THINGS.c.id == context.params["id"], THINGS.c.project_id == context.project_id
        )
    ).first()
    if row is None:
        raise NotFound(f"Thing {context.params['id']} could not be found.", type="ThingNotFound")
    return {"thing": row._asdict()}


def lose(context: Context) -> object:
    context.conn.execute(sa.delete(THINGS))
    raise RuntimeError("broken on purpose")


def purge(context: Context) -> Reply:
    return Reply(204)


def make(step: Step) -> Outcome:
    if step.world.cloud.config.name == "broken":
        raise PermanentError("no thing can be made here")
    return Hop("finish")


def finish(step: Step) -> Outcome:
    return Done(
        lambda c: (
            c.execute(sa.update(THINGS).where(THINGS.c.id == step.id).values(status="ACTIVE"))
            and None
        )
    )


def fail(step: Step, message: str):  # type: ignore[no-untyped-def]
    return lambda c: c.execute(
        sa.update(THINGS).where(THINGS.c.id == step.id).values(status=f"ERROR {message}")
    )


THING = Lifecycle(kind="thing", steps={"make": make, "finish": finish}, fail=fail)
SERVICE = Service(
    name="things",
    type="thing",
    mount="/things",
    error_shape=network_shape,
    operations=[
        Operation(
            method="POST", path="/v1/things", handler=create, action="things:thing:create",
            allow=PROJECT_MEMBER, body=NewThingBody, status=202,
        ),
        Operation(
            method="GET", path="/v1/things/{id}", handler=show, action="things:thing:show",
            allow=PROJECT_READER,
        ),
        Operation(
            method="POST", path="/v1/things/{id}/lose", handler=lose, action="things:thing:lose",
            allow=PROJECT_MEMBER,
        ),
        Operation(
            method="DELETE", path="/v1/things", handler=purge, action="things:thing:purge",
            allow=ADMIN,
        ),
    ],
)  # fmt: skip


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE], [THING])
    THINGS.metadata.create_all(cloud.database.engine)
    yield cloud
    cloud.close()


def test_accepted_work_is_done_and_logged(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    answer = member.post("/things/v1/things", {"thing": {"name": "a"}})
    thing = answer.expect(202)["thing"]
    assert member.get(f"/things/v1/things/{thing['id']}").expect(200)["thing"]["status"] == "BUILD"
    cloud.settle()
    shown = member.get(f"/things/v1/things/{thing['id']}").expect(200)["thing"]
    assert shown["status"] == "ACTIVE"
    with cloud.database.read() as connection:
        leaves = connection.execute(sa.select(leaf)).all()
    assert [(each.action, each.subject, each.status) for each in leaves] == [
        ("things:thing:create", thing["id"], 202)
    ]
    assert leaves[0].request_id == answer.headers["x-openstack-request-id"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, "needs a JSON body"),
        ({"thing": {}}, "name"),
        ({"thing": {"name": 3}}, "$.thing.name"),
        ({"thing": {"name": "a", "colour": "b"}}, "colour"),
        ([], "object"),
    ],
)
def test_bad_bodies_are_refused_and_change_nothing(
    cloud: TestCloud, body: object, says: str
) -> None:
    answer = cloud.as_(caller()).post("/things/v1/things", body)
    assert says in answer.expect(400)["NeutronError"]["message"]
    with cloud.database.read() as connection:
        assert connection.execute(sa.select(THINGS)).all() == []
        assert connection.execute(sa.select(leaf)).all() == []


def test_refusals_have_the_right_code(cloud: TestCloud) -> None:
    assert cloud.as_().get("/things/v1/things/x").status == 401
    assert (
        cloud.as_(caller("reader")).post("/things/v1/things", {"thing": {"name": "a"}}).status
        == 403
    )
    assert cloud.as_(caller()).get("/things/v1/things/x").status == 404
    assert cloud.as_(caller()).call("PUT", "/things/v1/things").status == 405
    assert cloud.as_(caller()).get("/things/v9").status == 404
    assert cloud.as_(caller()).get("/nothing").status == 404
    assert cloud.as_(caller()).delete("/things/v1/things").status == 403
    assert cloud.as_(caller()).post("/things/v1/things", raw=b"{").status == 400
    assert cloud.as_(caller()).post("/things/v1/things", raw=b"x" * 2_000_000).status == 413


def test_the_null_character_is_refused_wherever_it_stands(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    for answer in (
        member.get("/things/v1/things/a%00b"),
        member.get("/things/v1/things/a?name=%00"),
        member.post("/things/v1/things", raw=b'{"thing": {"name": "a\\u0000"}}'),
        member.post("/things/v1/things", raw=b'{"thing": {"\\u0000": [1]}}'),
    ):
        assert "U+0000" in answer.expect(400)["NeutronError"]["message"]
    literal = member.post("/things/v1/things", raw=b'{"thing": {"name": "a\\\\u0000"}}')
    assert literal.expect(202)["thing"]["name"] == "a\\u0000"


def test_a_broken_handler_is_a_500_that_changes_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    thing = member.post("/things/v1/things", {"thing": {"name": "a"}}).expect(202)["thing"]
    answer = member.post(f"/things/v1/things/{thing['id']}/lose")
    assert answer.headers["x-openstack-request-id"] in answer.expect(500)["NeutronError"]["message"]
    assert member.get(f"/things/v1/things/{thing['id']}").status == 200


def test_another_project_sees_nothing(cloud: TestCloud) -> None:
    thing = cloud.as_(caller()).post("/things/v1/things", {"thing": {"name": "a"}}).expect(202)
    other = cloud.as_(caller(project="p2"))
    assert other.get(f"/things/v1/things/{thing['thing']['id']}").status == 404


def test_a_refused_place_is_a_403_and_a_leaf(cloud: TestCloud) -> None:
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    answer = cloud.as_(caller()).post("/things/v1/things", {"thing": {"name": "a"}})
    message = answer.expect(403)["NeutronError"]["message"]
    assert "allowed_sites" in message
    assert "no site of this cloud" in message
    with cloud.database.read() as connection:
        leaves = connection.execute(sa.select(leaf)).all()
        assert connection.execute(sa.select(THINGS)).all() == []
    assert [(each.action, each.status) for each in leaves] == [("things:thing:create", 403)]


def test_a_permanent_failure_shows_on_the_resource(cloud: TestCloud) -> None:
    import msgspec

    cloud.cloud.config = msgspec.structs.replace(cloud.config, name="broken")
    member = cloud.as_(caller())
    thing = member.post("/things/v1/things", {"thing": {"name": "a"}}).expect(202)["thing"]
    cloud.settle()
    status = member.get(f"/things/v1/things/{thing['id']}").expect(200)["thing"]["status"]
    assert status == "ERROR no thing can be made here"
