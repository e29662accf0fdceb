"""The list of images: who sees what, filters, order and pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from andromede import clock
from tests.contract.image.helpers import active, create, names
from tests.harness import Client, TestCloud, caller, unknown_id

START = 1_700_000_000 * clock.SECOND


@pytest.fixture
def member(cloud: TestCloud) -> Iterator[Client]:
    """A member whose images were made ten seconds apart, the first at 22:13:20."""
    member = cloud.as_(caller())
    made = (
        ("c", {"tags": ["x", "y"], "min_ram": 64}, b"333"),
        ("a", {"tags": ["x"], "os_distro": "debian"}, b"1"),
        ("b", {"disk_format": "qcow2", "protected": True}, None),
        ("d", {"visibility": "private"}, None),
    )
    for at, (name, attributes, data) in enumerate(made):
        clock.set_source(lambda at=at: START + 10 * at * clock.SECOND + 500_000)
        if data is None:
            create(member, name=name, **attributes)
        else:
            active(member, data, name=name, **attributes)
    yield member
    clock.set_source(None)


FOUND = [
    ("", "dbac"),
    ("?name=a", "a"),
    ("?name=in:a,c", "ac"),
    ("?name=in:%22a%22,zzz", "a"),
    ("?name=none", ""),
    ("?status=active", "ac"),
    ("?status=in:queued,active", "dbac"),
    ("?disk_format=qcow2", "b"),
    ("?container_format=bare&disk_format=raw", "dac"),
    ("?visibility=private", "d"),
    ("?visibility=shared", "bac"),
    ("?visibility=public", ""),
    ("?visibility=all", "dbac"),
    ("?owner=p1", "dbac"),
    ("?owner=p2", ""),
    ("?protected=True", "b"),
    ("?protected=false", "dac"),
    ("?os_hidden=true", ""),
    ("?size_min=2", "c"),
    ("?size_max=2", "a"),
    ("?size_min=1&size_max=3", "ac"),
    ("?min_ram=64", "c"),
    ("?tag=x", "ac"),
    ("?tag=x&tag=y", "c"),
    ("?os_distro=debian", "a"),
    ("?os_distro=other", ""),
    ("?created_at=gt:2023-11-14T22:13:30Z", "db"),
    ("?created_at=gte:2023-11-14T22:13:30Z", "dba"),
    ("?created_at=lt:2023-11-14T22:13:30Z", "c"),
    ("?created_at=lte:2023-11-14T22:13:30Z", "ac"),
    ("?created_at=2023-11-14T22:13:30Z", "a"),
    ("?created_at=neq:2023-11-14T22:13:30Z", "dbc"),
    ("?created_at=gt:2023-11-14T22:13:20Z&created_at=lt:2023-11-14T22:13:50Z", "ba"),
    ("?updated_at=eq:2023-11-14T22:13:20Z", "c"),
    ("?sort_key=name", "dcba"),
    ("?sort_key=name&sort_dir=asc", "abcd"),
    ("?sort=name:asc", "abcd"),
    ("?sort=name", "dcba"),
    ("?sort_key=size&sort_dir=asc", "bdac"),
    ("?sort_key=size&sort_key=name&sort_dir=desc&sort_dir=asc", "cabd"),
    ("?sort=disk_format:asc,name:desc", "bdca"),
    ("?limit=0", ""),
    ("?limit=2", "db"),
    ("?limit=5000", "dbac"),
    ("?member_status=all", "dbac"),
]


def test_what_is_found(member: Client) -> None:
    for query, found in FOUND:
        assert ("".join(names(member, query)), query) == (found, query)


FAULTY = [
        "limit=x", "limit=-1", "marker=nothing", "visibility=none", "sort_key=owner", "sort=name:up",
        "sort_dir=up", "sort=name&sort_key=name", "sort_key=name&sort_dir=asc&sort_dir=asc",
        "sort_dir=asc&sort_dir=asc", "protected=maybe", "os_hidden=2", "size_min=-1", "size_max=x",
        "size=99999999999999999999", "created_at=yesterday", "created_at=gt:never",
        "changes-since=2023-01-01", "member_status=lost",
        f"marker={unknown_id()}",
    ]  # fmt: skip


def test_faulty_queries_are_refused(member: Client) -> None:
    for query in FAULTY:
        answer = member.get(f"/image/v2/images?{query}", headers={"accept": "application/json"})
        assert query[:4] in answer.expect(400)["message"].lower(), query


def pages(client: Client, path: str) -> Iterator[str]:
    """Every name, by following the links."""
    while path:
        body = client.get(f"/image{path}").expect(200)
        yield from (image["name"] for image in body["images"])
        assert len(body["images"]) <= 1
        path = body.get("next", "")


def test_pages_hold_each_image_once_in_order(member: Client) -> None:
    for sort in ("created_at:desc", "name:asc", "size:asc,name:asc", "size:desc"):
        whole = names(member, f"?sort={quote(sort)}")
        assert list(pages(member, f"/v2/images?limit=1&sort={quote(sort)}")) == whole
        assert len(whole) == 4


def test_links_keep_the_query(member: Client) -> None:
    body = member.get("/image/v2/images?limit=1&tag=x&tag=y&marker=").expect(200)
    assert body["first"] == "/v2/images?limit=1&tag=x&tag=y"
    assert body["schema"] == "/v2/schemas/images"
    assert "next" not in body
    body = member.get("/image/v2/images?limit=1&tag=x").expect(200)
    assert body["next"] == f"/v2/images?limit=1&tag=x&marker={body['images'][0]['id']}"


def test_who_sees_what(cloud: TestCloud) -> None:
    operator = cloud.as_(caller("admin", "ops"))
    mine, other = cloud.as_(caller()), cloud.as_(caller("reader", "p2"))
    for visibility in ("private", "shared", "community"):
        create(mine, name=f"1-{visibility}", visibility=visibility)
    create(operator, name="o-public", visibility="public")
    create(operator, name="o-private", visibility="private")
    create(mine, name="1-hidden", os_hidden=True)
    seen = {
        "": ["o-public"],
        "?visibility=public": ["o-public"],
        "?visibility=community": ["1-community"],
        "?visibility=all": ["1-community", "o-public"],
        "?visibility=private": [],
        "?owner=p1&visibility=all": ["1-community"],
    }
    for query, expected in seen.items():
        assert sorted(names(other, query)) == expected
    own = ["1-community", "1-private", "1-shared", "o-public"]
    assert sorted(names(mine)) == own
    assert names(mine, "?os_hidden=true") == ["1-hidden"]
    assert sorted(names(operator)) == sorted([*own, "o-private"])
    assert names(operator, "?visibility=community") == ["1-community"]
    assert sorted(pages(mine, "/v2/images?limit=1&sort=name:asc")) == own


def test_a_marker_must_be_visible(cloud: TestCloud) -> None:
    hidden = create(cloud.as_(caller()), visibility="private")["id"]
    other = cloud.as_(caller(project="p2"))
    assert other.get(f"/image/v2/images?marker={hidden}").status == 400


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_default_list_reads_an_index(cloud: TestCloud) -> None:
    import sqlalchemy as sa

    from andromede.services.image.listing import query, store

    listing = query.read([("limit", "5")])
    seen: list[str] = []
    with cloud.database.read() as connection:
        hook = lambda _, __, text, values, ___, ____: seen.append((text, values))  # noqa: E731
        sa.event.listen(connection, "before_cursor_execute", hook)
        store.page(connection, caller(), listing, None)
        text, values = seen[0]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
    told = " ".join(row[-1] for row in plan)
    assert "ix_image_project" in told
    assert "ix_image_visibility" in told
    assert "SCAN image" not in told
