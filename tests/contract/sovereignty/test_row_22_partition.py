"""Row 22: partition between tenants: 404 in compute, image and network, 403 in identity. (That no
packet crosses is shown on real guests by the host tests of isolation.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.http.access import Caller
from andromede.http.operation import Operation
from andromede.services.compute import api as compute
from andromede.services.identity import passwords
from andromede.services.image import api as image
from andromede.services.network import api as network
from andromede.sovereignty.consent.reach import Locate, Reach, about
from andromede.sovereignty.log.leaves import leaf
from tests.contract.identity.conftest import CHEAP, open_world
from tests.contract.identity.making import V3, grant, make
from tests.contract.identity.test_second_factor import local
from tests.contract.image.helpers import PATCH
from tests.contract.sovereignty.customers import CONSENTS, LEAVES, Customers, customers
from tests.harness import caller

BODIES: dict[str, Any] = {  # by action: what passes the operation's own checks of its body
    "compute:server:update": {"server": {"name": "n"}},
    "compute:server:reboot": {"reboot": {"type": "HARD"}},
    "compute:server:rebuild": {"rebuild": {"imageRef": "70a599e0-31e7-49b7-b260-868f441e862b"}},
    "compute:server:resize": {"resize": {"flavorRef": "1"}},
    "compute:server:create-image": {"createImage": {"name": "n"}},
    "compute:server:create-backup": {
        "createBackup": {"name": "n", "backup_type": "daily", "rotation": 1}
    },
    "compute:server:migrate": {"migrate": None},
    "compute:server:live-migrate": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
    "compute:server:change-password": {"changePassword": {"adminPass": "p"}},
    "compute:server:add-address": {
        "addFixedIp": {"networkId": "70a599e0-31e7-49b7-b260-868f441e862b"}
    },
    "compute:server:remove-address": {"removeFixedIp": {"address": "10.0.0.9"}},
    "compute:server:add-floating-ip": {"addFloatingIp": {"address": "198.18.0.9"}},
    "compute:server:remove-floating-ip": {"removeFloatingIp": {"address": "198.18.0.9"}},
    "compute:server:add-group": {"addSecurityGroup": {"name": "default"}},
    "compute:server:remove-group": {"removeSecurityGroup": {"name": "default"}},
    "compute:server:console-output": {"os-getConsoleOutput": {}},
    "compute:console:create": {"remote_console": {"protocol": "vnc", "type": "novnc"}},
    "compute:console:get-vnc": {"os-getVNCConsole": {"type": "novnc"}},
    "compute:console:get-spice": {"os-getSPICEConsole": {"type": "spice-html5"}},
    "compute:console:get-serial": {"os-getSerialConsole": {"type": "serial"}},
    "compute:server-metadata:create": {"metadata": {"a": "b"}},
    "compute:server-metadata:replace": {"metadata": {"a": "b"}},
    "compute:server-metadata:update": {"meta": {"a": "b"}},
    "compute:server-tag:replace": {"tags": ["t"]},
    "compute:server-interface:create": {"interfaceAttachment": {}},
    "image:data:import": {"method": {"name": "glance-direct"}},
    "image:member:create": {"member": "p2"},
    "image:member:update": {"status": "accepted"},
    "image:image:update": [{"op": "replace", "path": "/name", "value": "n"}],
    "network:network:update": {"network": {"name": "n"}},
    "network:subnet:update": {"subnet": {"name": "n"}},
    "network:port:update": {"port": {"name": "n"}},
    "network:security_group:update": {"security_group": {"name": "n"}},
    "network:tag:replace": {"tags": ["t"]},
}
PARTS = {"key": "a", "tag": "t", "label": "net"}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def everything(world: Customers) -> Iterator[Reach]:
    """What project p1 has, of every kind there is."""
    server = world.site.build()["id"]
    kinds: list[tuple[Locate, str]] = [(compute.reach, server), (image.reach, world.site.image)]
    for noun in ("networks", "subnets", "ports", "security-groups"):
        listed = world.member.get(f"/network/v2.0/{noun}").expect(200)[noun.replace("-", "_")]
        kinds.append((network.reach, listed[0]["id"]))
    stranger: Caller = caller(project="p2")
    for locate, key in kinds:
        with world.cloud.database.read() as connection:
            found = locate(connection, stranger, key)
        assert found is not None
        assert not found.see
        assert not found.change
        yield found


def body_of(row: Operation) -> Any:
    return BODIES.get(row.action, {row.key: None} if row.key else None)


def path_of(service: str, row: Operation, reach: Reach) -> str:
    path = re.sub(r"\{(id|server_id)\}", reach.id, row.path)
    path = re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], "x"), path)
    return f"{service}{path}"


def test_what_is_anothers_is_not_there(world: Customers) -> None:
    """Every operation on every kind of resource answers 404 to another project's manager."""
    stranger = world.cloud.as_(caller("manager", "p2"), **world.other.headers)
    tried = 0
    for reach in everything(world):
        for row in about(world.cloud.cloud.catalog, reach):
            if row.allow is not None and not row.allow.allows(caller("manager", "p2")):
                continue
            headers = PATCH if row.method == "PATCH" else {}
            if row.until is not None:
                headers = {"OpenStack-API-Version": "compute {}.{}".format(*row.until)}
            raw = b"x" if row.stream else None
            if row.stream:
                headers = {"content-type": "application/octet-stream"}
            path = path_of(f"/{reach.service}", row, reach)
            answer = stranger.call(row.method, path, body_of(row), headers=headers, raw=raw)
            assert answer.status == 404, (row.method, path, row.action, answer.body)
            tried += 1
    assert tried > 60


def test_lists_show_nothing_of_anothers(world: Customers) -> None:
    world.site.build()
    for path, noun in {
        "/compute/v2.1/servers": "servers", "/compute/v2.1/servers/detail": "servers",
        "/image/v2/images": "images", "/network/v2.0/networks": "networks",
        "/network/v2.0/subnets": "subnets", "/network/v2.0/ports": "ports",
    }.items():  # fmt: skip
        assert world.member.get(path).expect(200)[noun], path
        assert world.other.get(path).expect(200)[noun] == [], path
    for query in ("all_tenants=1", "project_id=p1&all_tenants=1"):
        assert world.other.get(f"/compute/v2.1/servers?{query}").status == 403
    assert world.other.get("/network/v2.0/ports?project_id=p1").expect(200)["ports"] == []


def test_logs_and_consents_are_the_projects_own(world: Customers) -> None:
    given = world.give("disk")["id"]
    assert world.other.get(f"{LEAVES}?project_id=p1").status == 403
    assert {each["project_id"] for each in world.leaves(client=world.other)} <= {"p2", "*"}
    assert world.other.get(f"{CONSENTS}/{given}").status == 404
    with world.cloud.database.read() as connection:
        actors = connection.execute(sa.select(leaf.c.actor).where(leaf.c.project_id == "p1"))
        assert set(actors.scalars()) == {"u1"}


def test_identity_answers_403_across_tenants(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    closed = open_world(tmp_path, database_url, closed=True)
    admin = local(closed)
    people = {}
    for name in ("ada", "bob"):
        user = make(admin, "user", name=name, password="pw")["id"]
        project = make(admin, "project", name=f"of {name}")["id"]
        grant(admin, "project", project, "user", user, closed.first.roles["manager"])
        people[name] = (user, project)
    user, project = people["bob"]
    ada = closed.login("ada", {"project": {"id": people["ada"][1]}}, password="pw", private=False)
    for path in (f"users/{user}", f"projects/{project}", f"users/{user}/projects",
                 f"users/{user}/application_credentials", f"credentials/{user}",
                 f"role_assignments?user.id={user}"):  # fmt: skip
        assert ada.get(f"{V3}/{path}").status == 403, path
    assert ada.patch(f"{V3}/users/{user}", {"user": {"password": "x"}}).status == 403
    assert ada.delete(f"{V3}/projects/{project}").status == 403
    closed.cloud.close()
