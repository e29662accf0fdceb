"""Every contradiction that is planted is found, and a cloud in order has none."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.engine.networks import NetworkSpec
from andromede.engine.protocol import Power, ServerFacts
from andromede.findings import Finding
from andromede.services.image.data import files
from andromede.work import intend
from tests.contract.image.helpers import active
from tests.crash.world import World

NETWORK, COMPUTE = "/network/v2.0", "/compute/v2.1"


class Furnished(World):
    """A cloud with a network, a subnet, a port, an image and a running server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, random.Random(1))
        member = self.members[0]
        made = member.post(f"{NETWORK}/networks", {"network": {"name": "n"}}).expect(201)
        self.network: str = made["network"]["id"]
        subnet = {"network_id": self.network, "cidr": "10.0.0.0/24", "ip_version": 4}
        self.subnet = member.post(f"{NETWORK}/subnets", {"subnet": subnet}).expect(201)["subnet"]
        port = {"port": {"network_id": self.network}}
        self.port: str = member.post(f"{NETWORK}/ports", port).expect(201)["port"]["id"]
        self.image: str = active(member, b"x" * 512)["id"]
        flavors = member.get(f"{COMPUTE}/flavors").expect(200)["flavors"]
        body = {
            "name": "vm", "imageRef": self.image, "flavorRef": flavors[0]["id"],
            "networks": [{"port": self.port}],
        }  # fmt: skip
        answer = member.post(f"{COMPUTE}/servers", {"server": body}).expect(202)
        self.server: str = answer["server"]["id"]
        self.settle()

    def sql(self, text: str) -> None:
        """Damage a row, without the database's own checks."""
        path = self.cloud.paths.database_url(self.cloud.config).removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(text.format(**self.__dict__))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Furnished]:
    world = Furnished(tmp_path)
    yield world
    world.close()


def found(world: World) -> list[tuple[str, str]]:
    return [(each.kind, each.problem) for each in world.audit()]


def test_a_cloud_in_order_has_no_findings(world: Furnished) -> None:
    assert world.audit() == []


ROWS = {
    "DELETE FROM network WHERE id = '{network}'": [
        ("port", "names network"), ("subnet", "names network"),
    ],
    "UPDATE network SET status = 'BUILD' WHERE id = '{network}'": [("network", "nobody builds it")],
    "DELETE FROM port WHERE id = '{port}'": [
        ("address", "names port"), ("server", "which is not bound to it"),
        ("port number", "neither in use nor free"), ("security group member", "names port"),
        ("port", "on the host and nobody owns it"),
    ],
    "UPDATE port SET device_id = 'nobody' WHERE id = '{port}'": [
        ("port", "held by server nobody"), ("server", "which is not bound to it"),
    ],
    "DELETE FROM network_free_range WHERE scope = 'number:port'": [
        ("port number", "neither in use nor free"),
    ],
    "UPDATE network_free_range SET first = '00000000000000000000000000000001'"
    " WHERE scope = 'number:port' AND first < '1'": [("port number", "in use and free too")],
    "DELETE FROM network_ip_allocation WHERE port_id = '{port}'": [
        ("address", "neither in use nor free of subnet"),
    ],
    "INSERT INTO network_free_range VALUES ('gone', '1', '2')": [
        ("address", "free addresses of a subnet that is not there"),
    ],
    "INSERT INTO network_tag VALUES ('gone', 'word')": [("tag", "tags of a resource")],
    "INSERT INTO network_removal VALUES ('router', 'gone', 'p1', NULL, 1)": [
        ("router", "nobody takes it off the host"), ("router number", "neither"),
    ],
    "DELETE FROM security_group": [
        ("default security group", "names security_group"),
        ("security group member", "names security_group"),
        ("security group rule", "names security_group"),
    ],
    "INSERT INTO role_grant VALUES ('user', 'gone', 'project', 'gone', 'r', 0)": [
        ("role assignment", "holds role r"), ("database", "names a row of role"),
    ],
    "UPDATE server SET task_state = 'powering-off' WHERE id = '{server}'": [
        ("server", "is powering-off, and nobody works on it"),
    ],
    "UPDATE server SET vm_state = 'stopped' WHERE id = '{server}'": [
        ("server", "is SHUTOFF and its machine is on"),
    ],
    "UPDATE server SET deleted = 1 WHERE id = '{server}'": [
        ("port", "held by server"), ("server", "machine on the host and nobody owns it"),
    ],
    "DELETE FROM image WHERE id = '{image}'": [("image", "is data of no image")],
    "UPDATE image SET size = 7 WHERE id = '{image}'": [("image", "512 bytes of data in place of 7")],
    "UPDATE image SET status = 'saving' WHERE id = '{image}'": [
        ("image", "nobody fills it"), ("image", "is data of no image"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("damage", ROWS)
def test_a_damaged_row_is_found(world: Furnished, damage: str) -> None:
    world.sql(damage)
    seen = found(world)
    for kind, problem in ROWS[damage]:
        assert any(k == kind and problem in p for k, p in seen), (kind, problem, seen)


def leaked_network(world: Furnished) -> None:
    world.engine.networks["gone"] = NetworkSpec(
        id="gone", number=9, project_id="p", mtu=1500, external=False, subnets=(),
        dns_domain="", dhcp_mac="",
    )  # fmt: skip


def vanished_machine(world: Furnished) -> None:
    world.engine.power[world.server] = ServerFacts(id=world.server, power=Power.VANISHED)


def no_work_kind(world: Furnished) -> None:
    intend_(world, "unheard", "converge")


def no_work_step(world: Furnished) -> None:
    intend_(world, "network", "unheard")


def overdue(world: Furnished) -> None:
    intend_(world, "network", "converge")
    world.sql("UPDATE work SET deadline = 1, run_at = 1")


def failing(world: Furnished) -> None:
    intend_(world, "network", "converge")
    world.sql("UPDATE work SET attempts = 9, error = 'no luck'")


def intend_(world: Furnished, kind: str, label: str) -> None:
    world.cloud.database.transact(
        lambda c: intend(c, kind, "x", label, project_id="p", request_id="r")
    )


def no_data(world: Furnished) -> None:
    files.whole(world.cloud.paths.images, world.image).unlink()


def left_part(world: Furnished) -> None:
    files.part(world.cloud.paths.images, world.image).write_bytes(b"x")


HOST: dict[Callable[[Furnished], None], str] = {
    leaked_network: "is on the host and nobody owns it",
    lambda w: w.engine.networks.pop(w.network) and None: "is ACTIVE and not on the host",
    lambda w: w.engine.ports.clear(): "is a server's and not on the host",
    lambda w: w.engine.disks.add("gone"): "has files on the host and nobody owns them",
    vanished_machine: "is ACTIVE and its machine is vanished",
    no_work_kind: "no lifecycle is called unheard",
    no_work_step: "network has no step unheard",
    overdue: "past its deadline",
    failing: "failed 9 times: no luck",
    no_data: "has no data in",
    left_part: "an upload that nobody fills",
}


@pytest.mark.parametrize("damage", HOST, ids=HOST.values())
def test_a_difference_is_found(world: Furnished, damage: Callable[[Furnished], None]) -> None:
    damage(world)
    assert any(HOST[damage] in problem for _, problem in found(world)), found(world)


def test_an_upload_under_way_is_no_finding(world: Furnished) -> None:
    image = world.members[0].post("/image/v2/images", {}).expect(201)["id"]
    descriptor = files.claim(world.cloud.paths.images, image)
    world.sql(f"UPDATE image SET status = 'saving' WHERE id = '{image}'")
    assert world.audit() == []
    os.close(descriptor)
    assert {each.kind for each in world.audit()} == {"image"}


LOG = {
    "UPDATE leaf SET subject = 'forged' WHERE position = 1": "not what was committed to",
    "UPDATE leaf SET salt = x'00' WHERE position = 1": "not what was committed to",
    "DELETE FROM leaf WHERE position = 1": "is not there any more",
    "UPDATE leaf SET position = 300 WHERE position = 1": "where the log has no entry",
    "UPDATE leaf SET position = 9000 WHERE position = 1": "where the log has no entry",
    "UPDATE checkpoint SET root = x'00'": "its root is not that of the leaves",
    "UPDATE checkpoint SET note = replace(note, char(10) || size, char(10) || 7)": "another size",
    "UPDATE checkpoint SET note = 'a'": "no signed note",
}


@pytest.mark.parametrize("damage", LOG)
def test_a_forged_log_is_found(world: Furnished, damage: str) -> None:
    assert world.audit() == []
    world.sql(damage)
    seen = found(world)
    assert any(kind == "log" and LOG[damage] in problem for kind, problem in seen), seen


def test_a_leaf_that_waits_for_its_number_is_found_while_the_cloud_runs(world: Furnished) -> None:
    from andromede.sovereignty.log import audit

    def look(*, running: bool) -> list[Finding]:
        with world.cloud.database.read() as connection:
            return audit.audit(connection, running=running)

    with world.cloud.database.read() as connection:
        assert connection.execute(sa.text("SELECT COUNT(*) FROM leaf")).scalar()
    assert look(running=True) == []
    try:
        clock.set_source(lambda: time.time_ns() // 1_000 + 61 * clock.SECOND)
        assert [each.subject for each in look(running=True)] == ["leaves"]
        assert look(running=False) == []
    finally:
        clock.set_source(None)
