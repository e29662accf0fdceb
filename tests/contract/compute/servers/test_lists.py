"""Lists of servers: what is seen, filtered, sorted and paged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.services.compute.servers.store import server
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.image.helpers import active
from tests.harness import Client


@dataclass
class Fleet:
    site: Site
    ids: dict[str, str]


def build(site: Site) -> dict[str, str]:
    """Servers by name, each made a second after the one before; the last is stopped."""
    made: dict[str, str] = {}
    start = clock.now() - 100 * clock.SECOND
    tags = {"web-1": ["a", "b"], "web-2": ["a"], "db-1": ["b", "c"], "db.2": []}
    for at, (name, wanted) in enumerate(tags.items()):
        clock.set_source(lambda at=at: start + at * clock.SECOND)  # type: ignore[misc]
        network = {"uuid": site.network, "fixed_ip": f"10.0.0.{20 + at}"}
        answer = site.create(name=name, description=f"number {at}", tags=wanted, networks=[network])
        made[name] = answer.expect(202)["server"]["id"]
    clock.set_source(None)
    site.cloud.settle()
    site.act(made["db.2"], "os-stop")
    site.cloud.settle()
    return made


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A fleet that tests only look at, once on each kind of database."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").empty()
    cloud = open_cloud(tmp_path_factory.mktemp("fleet"), url)
    site = open_site(cloud)
    yield Fleet(site, build(site))
    cloud.close()


def names(client: Client, query: str = "", **headers: str) -> list[str]:
    body = client.get(f"{ROOT}/servers?{query}", headers=headers).expect(200)
    return [each["name"] for each in body["servers"]]


NEWEST_FIRST = ["db.2", "db-1", "web-2", "web-1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", NEWEST_FIRST),
        ("name=web", ["web-2", "web-1"]),
        ("name=^WEB-1$", ["web-1"]),
        ("name=db.2", ["db.2"]),
        ("name=db.*", ["db.2", "db-1"]),
        ("name=db%5C.", ["db.2"]),
        ("name=web-1%7C^db-1", ["db-1", "web-1"]),
        ("name=^[a-z]%2B-[2-9]$", ["web-2"]),
        ("name=e[ab]-", ["web-2", "web-1"]),
        ("name=e[^b]-", []),
        ("name=^web.?1%7Cdbx?[.-]2", ["db.2", "web-1"]),
        ("name=%25", []),
        ("name=_", []),
        ("status=ACTIVE", ["db-1", "web-2", "web-1"]),
        ("status=shutoff", ["db.2"]),
        ("status=SHUTOFF&status=ACTIVE", NEWEST_FIRST),
        ("status=PAUSED", []),
        ("status=REBOOT", []),
        ("tags=a,b", ["web-1"]),
        ("tags-any=a,c", ["db-1", "web-2", "web-1"]),
        ("not-tags=a,b", ["db.2", "db-1", "web-2"]),
        ("not-tags-any=a,c", ["db.2"]),
        ("ip=10.0.0.21", ["web-2"]),
        ("ip=10.0.0.2", NEWEST_FIRST),
        ("ip=0.0.20&ip6=::", []),
        ("locked=false", NEWEST_FIRST),
        ("locked=true", []),
        ("power_state=4", ["db.2"]),
        ("config_drive=false&key_name=none", []),
        ("availability_zone=nova", NEWEST_FIRST),
        ("flavor=t1.tiny", NEWEST_FIRST),
        ("image=http://images/none", []),
        ("sort_key=display_name&sort_dir=asc", ["db-1", "db.2", "web-1", "web-2"]),
        ("sort_key=power_state&sort_dir=desc", ["db.2", "db-1", "web-2", "web-1"]),
        ("sort_key=root_device_name&sort_dir=asc", ["web-1", "web-2", "db-1", "db.2"]),
        ("sort_key=task_state&sort_key=created_at&sort_dir=asc&sort_dir=asc",
         ["web-1", "web-2", "db-1", "db.2"]),
        ("sort_dir=asc", ["web-1", "web-2", "db-1", "db.2"]),
        ("limit=0", []),
        ("limit=2", ["db.2", "db-1"]),
    ],
)  # fmt: skip
def test_filters_and_order(fleet: Fleet, query: str, found: list[str]) -> None:
    site = fleet.site
    assert names(site.member, query) == found
    assert names(site.admin, f"{query}&all_tenants=1") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("description=number 1", ["web-2"]),
        ("hostname=^web", ["web-2", "web-1"]),
        ("vm_state=stopped", ["db.2"]),
        ("user_id=u1", NEWEST_FIRST),
        ("user_id=u2", []),
        ("project_id=p1", NEWEST_FIRST),
        ("tenant_id=p2", []),
        ("launch_index=0", NEWEST_FIRST),
        ("root_device_name=vda", NEWEST_FIRST),
        ("kernel_id=x", []),
        ("deleted=true", []),
        ("auto_disk_config=AUTO", []),
    ],
)
def test_operators_filter_by_more(fleet: Fleet, query: str, found: list[str]) -> None:
    site = fleet.site
    assert names(site.admin, f"{query}&all_tenants=1") == found
    ignored = {"description", "hostname", "launch_index", "root_device_name", "kernel_id",
               "deleted", "auto_disk_config", "project_id", "tenant_id"}  # fmt: skip
    if query.partition("=")[0] in ignored:
        assert names(site.member, query) == NEWEST_FIRST


def test_every_sort_key_pages_stably(fleet: Fleet) -> None:
    site = fleet.site
    keys = ["created_at", "display_name", "display_description", "hostname", "image_ref",
            "instance_type_id", "key_name", "launch_index", "launched_at", "power_state",
            "progress", "project_id", "task_state", "terminated_at", "updated_at", "user_id",
            "vm_state", "availability_zone", "config_drive", "access_ip_v4", "access_ip_v6",
            "auto_disk_config", "locked", "locked_by", "uuid", "host", "node"]  # fmt: skip
    for key in keys:
        for way in ("asc", "desc"):
            whole = names(site.admin, f"sort_key={key}&sort_dir={way}&all_tenants=1")
            paged, link = [], f"{ROOT}/servers?limit=1&sort_key={key}&sort_dir={way}&all_tenants=1"
            while link:
                body = site.admin.get(link).expect(200)
                paged += [each["name"] for each in body["servers"]]
                links = body.get("servers_links")
                link = "/compute" + links[0]["href"].partition("/compute")[2] if links else ""
            assert paged == whole
            assert sorted(paged) == sorted(fleet.ids)


def test_a_page_holds_still_while_servers_come_and_go(site: Site) -> None:
    build(site)
    first = site.member.get(f"{ROOT}/servers?limit=2").expect(200)
    marker = first["servers"][-1]["id"]
    site.create(name="new")
    site.member.delete(f"{ROOT}/servers/{marker}")
    site.cloud.settle()
    assert names(site.member, f"limit=2&marker={marker}") == ["web-2", "web-1"]


def test_changes_since_shows_what_was_deleted(site: Site) -> None:
    fleet = build(site)
    old = sa.update(server).values(updated_at=server.c.updated_at - 1000 * clock.SECOND)
    site.cloud.database.transact(lambda conn: conn.execute(old) and None)
    moment = clock.iso(clock.now() - 500 * clock.SECOND)
    assert names(site.member, f"changes-since={moment}") == []
    assert names(site.member, f"changes-before={moment}") == NEWEST_FIRST
    site.member.delete(f"{ROOT}/servers/{fleet['db-1']}")
    site.cloud.settle()
    assert names(site.member, f"changes-since={moment}") == ["db-1"]
    assert "db-1" not in names(site.member)
    [gone] = site.admin.get(f"{ROOT}/servers/detail?deleted=true&all_tenants=1").json["servers"]
    assert (gone["name"], gone["status"], gone["addresses"]) == ("db-1", "DELETED", {})
    assert gone["OS-SRV-USG:terminated_at"] is not None
    assert names(site.admin, "status=deleted&all_tenants=1") == ["db-1"]
    assert site.member.get(f"{ROOT}/servers?status=DELETED").status == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=x", 400),
        ("limit=-1", 400),
        ("marker=none", 400),
        ("sort_key=colour", 400),
        ("sort_dir=up", 400),
        ("sort_key=uuid&sort_dir=asc&sort_dir=asc", 400),
        ("sort_key=host", 403),
        ("status=strange", 400),
        ("changes-since=yesterday", 400),
        ("changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-01T00:00:00Z", 400),
        ("created_at=soon", 400),
        ("locked=perhaps", 400),
        ("colour=red", 400),
        ("metadata=a", 400),
        ("all_tenants=1", 403),
        ("all_tenants=perhaps", 400),
        ("all_tenants=0", 200),
        ("created_at=2026-01-01T00:00:00Z", 200),
    ],
)
def test_queries_that_are_refused(fleet: Fleet, query: str, status: int) -> None:
    assert fleet.site.member.get(f"{ROOT}/servers?{query}").status == status


def test_older_clients_have_unknown_parameters_ignored(fleet: Fleet) -> None:
    site = fleet.site
    old = {"OpenStack-API-Version": "compute 2.1"}
    for query in ("colour=red", "tags=a", "locked=true", "sort_key=vcpus", "changes-before=x"):
        assert sorted(names(site.member, query, **old)) == sorted(fleet.ids)
    assert names(site.member, "status=strange", **old) == []
    assert site.member.get(f"{ROOT}/servers?sort_key=locked", headers=old).status == 200
    assert site.member.get(f"{ROOT}/servers?_x=1", headers=old).status == 400


def test_projects_see_their_own(site: Site) -> None:
    build(site)
    assert names(site.other) == []
    image = active(site.other)["id"]
    site.create(site.other, imageRef=image, networks="none", name="theirs").expect(202)
    assert names(site.other) == ["theirs"]
    assert "theirs" not in names(site.member)
    assert len(names(site.admin, "all_tenants")) == 5
    assert names(site.admin) == []
    assert names(site.admin, f"all_tenants=1&image={image}") == ["theirs"]


def test_details_cost_the_same_however_many(fleet: Fleet) -> None:
    site = fleet.site
    server = f"{ROOT}/servers/{fleet.ids['db-1']}"
    # An operator's look is a leaf, and asks whether policies in force still are those it knows.
    for client, more in ((site.member, 0), (site.admin, 2)):
        client.get(server).expect(200)
        with site.cloud.statements() as statements:
            client.get(server).expect(200)
        assert len(statements) == 2 + more
    with site.cloud.statements() as for_one:
        site.member.get(f"{ROOT}/servers/detail?limit=1").expect(200)
    with site.cloud.statements() as for_all:
        assert len(site.member.get(f"{ROOT}/servers/detail").expect(200)["servers"]) == 4
    assert len(for_all) == len(for_one)
