"""Endpoint filters: what a project's catalog holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, make, me, member
from tests.harness import Client, unknown_id

PATH = f"{V3}/OS-EP-FILTER"


def group(admin: Client, **filters: Any) -> dict[str, Any]:
    body = {"endpoint_group": {"name": "g", "filters": filters}}
    made: dict[str, Any] = admin.post(f"{PATH}/endpoint_groups", body).expect(201)["endpoint_group"]
    return made


def types(client: Client) -> set[str]:
    return {each["type"] for each in me(client)["catalog"]}


def test_the_life_of_an_endpoint_group(world: World) -> None:
    admin = world.admin()
    made = group(admin, interface="public")
    assert set(made) == {"id", "name", "description", "filters", "links"}
    one = f"{PATH}/endpoint_groups/{made['id']}"
    assert admin.get(one).expect(200)["endpoint_group"] == made
    assert admin.call("HEAD", one).status == 200
    assert admin.get(f"{PATH}/endpoint_groups?name=g").json["endpoint_groups"] == [made]
    assert admin.get(f"{PATH}/endpoint_groups").json["endpoint_groups"] == [made]
    found = admin.get(f"{one}/endpoints").expect(200)["endpoints"]
    assert {each["interface"] for each in found} == {"public"}
    change = {"endpoint_group": {"name": "h", "filters": {"region_id": None}}}
    changed = admin.patch(one, change).expect(200)["endpoint_group"]
    assert (changed["name"], changed["filters"]) == ("h", {"region_id": None})
    assert admin.patch(one, {"endpoint_group": {"description": "d"}}).status == 200
    assert admin.get(f"{one}/endpoints").json["endpoints"] == []
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404


def test_a_projects_catalog_holds_what_it_is_associated_with(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    project = me(ada)["project"]["id"]
    assert types(ada) == {"identity", "compute"}
    (compute,) = admin.get(f"{V3}/services?type=compute").json["services"]
    made = group(admin, service_id=compute["id"])
    link = f"{PATH}/endpoint_groups/{made['id']}/projects/{project}"
    assert admin.get(link).status == 404
    for _ in range(2):
        assert admin.put(link).status == 204
    shown = admin.get(link).expect(200)["project_endpoint_group"]
    assert (shown["project_id"], shown["endpoint_group_id"]) == (project, made["id"])
    assert types(ada) == {"compute"}
    groups = admin.get(f"{PATH}/projects/{project}/endpoint_groups").expect(200)
    assert groups["endpoint_groups"] == [made]
    under = f"{PATH}/endpoint_groups/{made['id']}/projects"
    assert [x["id"] for x in admin.get(under).expect(200)["projects"]] == [project]
    assert len(admin.get(f"{PATH}/projects/{project}/endpoints").json["endpoints"]) == 3
    assert admin.delete(link).status == 204
    assert admin.delete(link).status == 404
    assert types(ada) == {"identity", "compute"}
    (identity,) = admin.get(f"{V3}/services?type=identity").json["services"]
    query = f"service_id={identity['id']}&interface=public"
    (door,) = admin.get(f"{V3}/endpoints?{query}").json["endpoints"]
    own = f"{PATH}/projects/{project}/endpoints/{door['id']}"
    assert admin.get(own).status == 404
    for _ in range(2):
        assert admin.put(own).status == 204
    assert admin.get(own).status == 204
    assert types(ada) == {"identity"}
    there = admin.get(f"{PATH}/endpoints/{door['id']}/projects").expect(200)["projects"]
    assert [each["id"] for each in there] == [project]
    assert admin.delete(own).status == 204
    assert admin.delete(own).status == 404
    assert types(ada) == {"identity", "compute"}


def test_a_group_that_changes_keeps_its_projects(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    project = me(ada)["project"]["id"]
    one = f"{PATH}/endpoint_groups/{group(admin, interface='public')['id']}"
    assert admin.put(f"{one}/projects/{project}").status == 204
    for change in ({"name": "h"}, {"description": "d"}):
        assert admin.patch(one, {"endpoint_group": change}).status == 200
    assert [each["id"] for each in admin.get(f"{one}/projects").json["projects"]] == [project]


def test_an_endpoint_takes_its_associations_along(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    project = me(ada)["project"]["id"]
    swift = make(admin, "service", type="object-store")
    body = {"service_id": swift["id"], "interface": "public", "url": "https://s.test"}
    made = make(admin, "endpoint", **body)
    assert admin.put(f"{PATH}/projects/{project}/endpoints/{made['id']}").status == 204
    assert types(ada) == {"object-store"}
    assert admin.delete(f"{V3}/endpoints/{made['id']}").status == 204
    assert types(ada) == {"identity", "compute", "object-store"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bad_groups(world: World) -> None:
    admin = world.admin()
    for fault in (
        {"name": "g"}, {"filters": {"interface": "public"}}, {"name": "g", "filters": {}},
        {"name": "g", "filters": {"interface": "own"}}, {"name": "g", "filters": {"url": "x"}},
        {"name": "g", "filters": {"interface": "public"}, "more": 1},
    ):  # fmt: skip
        assert admin.post(f"{PATH}/endpoint_groups", {"endpoint_group": fault}).status == 400
    made = group(admin, interface="public")["id"]
    for path in (
        f"endpoint_groups/{unknown_id()}", f"endpoint_groups/{made}/projects/{unknown_id()}",
        f"projects/{unknown_id()}/endpoints", f"endpoints/{unknown_id()}/projects",
    ):  # fmt: skip
        assert admin.get(f"{PATH}/{path}").status == 404
    assert member(world, "ada").get(f"{PATH}/endpoint_groups").status == 403
