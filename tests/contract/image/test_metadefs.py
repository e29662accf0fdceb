"""Metadata definitions: namespaces and what they hold; who sees and writes them; what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.image.metadefs import access
from tests.harness import Client, TestCloud, caller

ROOT = "/image/v2/metadefs"
NAMESPACES = f"{ROOT}/namespaces"
COLOUR: dict[str, Any] = {"title": "Colour", "type": "string", "enum": ["red", "blue"]}


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True, accept="application/json")


@pytest.fixture
def reader(cloud: TestCloud) -> Client:
    return cloud.as_(caller("reader"), accept="application/json")


def make(admin: Client, name: str = "ns", **more: Any) -> dict[str, Any]:
    body = {"namespace": name, "visibility": "public", **more}
    made: dict[str, Any] = admin.post(NAMESPACES, body).expect(201)
    return made


def listed(client: Client, query: str = "") -> list[str]:
    body = client.get(f"{NAMESPACES}{query}").expect(200)
    return [each["namespace"] for each in body["namespaces"]]


def test_a_namespace_holds_what_it_was_made_with(admin: Client, reader: Client) -> None:
    made = make(
        admin, "whole", display_name="Whole", description="All of it", protected=True,
        objects=[{"name": "o", "required": ["colour"], "properties": {"colour": COLOUR}}],
        properties={"size": {"title": "Size", "type": "integer", "minimum": 1}},
        tags=[{"name": "t1"}, {"name": "t2"}],
        resource_type_associations=[{"name": "OS::Glance::Image", "prefix": "hw_"}],
    )  # fmt: skip
    assert (made["display_name"], made["owner"], made["protected"]) == ("Whole", "ops", True)
    assert made["self"] == "/v2/metadefs/namespaces/whole"
    assert made["tags"] == [{"name": "t1"}, {"name": "t2"}]
    assert made["objects"][0]["properties"]["colour"] == COLOUR
    assert made["properties"]["size"]["minimum"] == 1
    assert made["resource_type_associations"][0]["prefix"] == "hw_"
    assert reader.get(f"{NAMESPACES}/whole").expect(200) == made
    prefixed = reader.get(f"{NAMESPACES}/whole?resource_type=OS::Glance::Image").expect(200)
    assert list(prefixed["properties"]) == ["hw_size"]
    other = reader.get(f"{NAMESPACES}/whole?resource_type=OS::Nova::Flavor").expect(200)
    assert list(other["properties"]) == ["size"]
    row = reader.get(NAMESPACES).expect(200)["namespaces"][0]
    assert row["resource_type_associations"] == made["resource_type_associations"]
    assert "objects" not in row


def test_update_replaces_what_a_namespace_is(admin: Client, reader: Client) -> None:
    make(admin, "before", description="old", tags=[{"name": "t"}])
    make(admin, "taken")
    path = f"{NAMESPACES}/before"
    assert admin.put(path, {"namespace": "taken"}).status == 409
    changed = admin.put(path, {"namespace": "after", "protected": True}).expect(200)
    assert (changed["visibility"], changed["protected"]) == ("private", True)
    assert "description" not in changed
    assert admin.get(path).status == 404
    path = f"{NAMESPACES}/after"
    assert admin.get(path).expect(200)["tags"] == [{"name": "t"}]
    assert reader.get(path).status == 404
    for gone in ("", "/tags", "/tags/t"):
        assert admin.delete(path + gone).status == 403
    body = {"namespace": "after", "owner": "p1"}
    assert admin.put(path, body).expect(200)["owner"] == "p1"
    assert reader.get(path).status == 200
    assert admin.delete(path).status == 204
    assert admin.delete(path).status == 404
    assert admin.put(path, body).status == 404


def test_projects_read_what_is_public_or_theirs(
    cloud: TestCloud, admin: Client, reader: Client
) -> None:
    make(admin, "open")
    make(admin, "closed", visibility="private")
    make(admin, "theirs", visibility="private", owner="p1")
    assert listed(admin) == ["theirs", "closed", "open"]
    assert listed(reader) == ["theirs", "open"]
    assert listed(reader, "?visibility=private") == ["theirs"]
    assert reader.get(f"{NAMESPACES}/closed").status == 404
    assert reader.get(f"{NAMESPACES}/closed/objects").status == 404
    member = cloud.as_(caller("manager"))
    assert member.post(NAMESPACES, {"namespace": "n"}).status == 403
    assert member.put(f"{NAMESPACES}/theirs", {"namespace": "n"}).status == 403
    assert member.post(f"{NAMESPACES}/theirs/tags/t").status == 403
    assert member.delete(f"{NAMESPACES}/theirs").status == 403
    assert cloud.as_().get(NAMESPACES).status == 401


def test_pages_sorts_and_filters(admin: Client) -> None:
    for name in ("b", "a", "c"):
        make(admin, name)
    make(admin, "d", resource_type_associations=[{"name": "OS::Nova::Flavor"}])
    assert listed(admin, "?sort_key=namespace&sort_dir=asc") == ["a", "b", "c", "d"]
    assert listed(admin, "?sort_dir=asc") == ["b", "a", "c", "d"]
    assert listed(admin, "?sort_key=namespace&sort_dir=asc&marker=b") == ["c", "d"]
    assert listed(admin, "?resource_types=OS::Nova::Flavor,X") == ["d"]
    assert listed(admin, "?limit=0") == []
    body = admin.get(f"{NAMESPACES}?limit=2").expect(200)
    assert body["first"] == "/v2/metadefs/namespaces?limit=2"
    assert body["next"] == "/v2/metadefs/namespaces?limit=2&marker=c"
    assert listed(admin, "?limit=2&marker=c") == ["a", "b"]
    assert "next" not in admin.get(f"{NAMESPACES}?limit=2&marker=c").expect(200)


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=-1", "marker=nobody", "sort_key=owner", "sort_dir=up", "visibility=shared",
     "colour=red"],
)  # fmt: skip
def test_faulty_queries(admin: Client, query: str) -> None:
    assert admin.get(f"{NAMESPACES}?{query}").status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"namespace": ""}, 400), ({"namespace": "n" * 81}, 400),
        ({"namespace": "a/b"}, 400), ({"namespace": " a"}, 400), ({"namespace": 3}, 400),
        ({"namespace": "n", "visibility": "shared"}, 400),
        ({"namespace": "n", "protected": "yes"}, 400),
        ({"namespace": "n", "description": "d" * 501}, 400),
        ({"namespace": "n", "colour": "red"}, 400),
        ({"namespace": "n", "created_at": "now"}, 403), ({"namespace": "n", "self": "x"}, 403),
        ({"namespace": "n", "objects": [{"name": "o", "properties": {"p": {}}}]}, 400),
        ({"namespace": "n", "properties": {"p": {**COLOUR, "maxLength": -1}}}, 400),
        ({"namespace": "n", "properties": {"a/b": COLOUR}}, 400),
        ({"namespace": "n", "tags": [{"name": "t"}, {"name": "t"}]}, 409),
        ({"namespace": "ns"}, 409),
    ],
)  # fmt: skip
def test_faulty_namespaces_change_nothing(admin: Client, body: Any, status: int) -> None:
    make(admin)
    assert admin.post(NAMESPACES, body).status == status
    assert listed(admin) == ["ns"]


def test_a_namespace_needs_an_owner(cloud: TestCloud) -> None:
    system = cloud.as_(caller("admin", None, system=True), private=True)
    assert system.post(NAMESPACES, {"namespace": "n"}).status == 400
    made = system.post(NAMESPACES, {"namespace": "n", "owner": "p1"}).expect(201)
    assert (made["owner"], made["visibility"]) == ("p1", "private")


def test_objects(admin: Client, reader: Client) -> None:
    make(admin)
    path = f"{NAMESPACES}/ns/objects"
    made = admin.post(path, {"name": "o", "properties": {"colour": COLOUR}}).expect(201)
    assert (made["name"], made["required"], made["description"]) == ("o", [], "")
    assert made["self"] == "/v2/metadefs/namespaces/ns/objects/o"
    assert reader.get(f"{path}/o").expect(200) == made
    assert admin.post(path, {"name": "o"}).status == 409
    assert admin.post(path, {"name": "p", "updated_at": "x"}).status == 403
    admin.post(path, {"name": "p"}).expect(201)
    assert admin.put(f"{path}/o", {"name": "p"}).status == 409
    assert admin.put(f"{path}/o", {"name": "q", "description": "d"}).expect(200)["name"] == "q"
    assert admin.put(f"{path}/o", {"name": "q"}).status == 404
    body = reader.get(path).expect(200)
    assert [each["name"] for each in body["objects"]] == ["q", "p"]
    assert reader.get(f"{path}?limit=1").expect(200)["objects"][0]["name"] == "q"
    assert [e["name"] for e in reader.get(f"{path}?marker=q").expect(200)["objects"]] == ["p"]
    names = reader.get(f"{path}?sort_key=name&sort_dir=asc&visibility=public").expect(200)
    assert [each["name"] for each in names["objects"]] == ["p", "q"]
    faulty = ("limit=x", "limit=0", "marker=z", "sort_dir=up", "sort_key=colour", "visibility=x")
    for query in faulty:
        assert reader.get(f"{path}?{query}").status == 400
    assert reader.get(f"{NAMESPACES}/ns?visibility=shared").status == 400
    assert admin.delete(f"{path}/q").status == 204
    assert admin.delete(f"{path}/q").status == 404
    assert admin.delete(path).status == 204
    assert reader.get(path).expect(200)["objects"] == []


def test_properties(admin: Client, reader: Client) -> None:
    make(admin, resource_type_associations=[{"name": "OS::Glance::Image", "prefix": "hw_"}])
    path = f"{NAMESPACES}/ns/properties"
    assert admin.post(path, COLOUR).status == 400
    made = admin.post(path, {**COLOUR, "name": "colour"}).expect(201)
    assert made == {**COLOUR, "name": "colour"}
    assert reader.get(f"{path}/colour").expect(200) == made
    typed = reader.get(f"{path}/hw_colour?resource_type=OS::Glance::Image").expect(200)
    assert typed == {**made, "name": "hw_colour"}
    for wrong in ("colour?resource_type=OS::Glance::Image", "hw_colour?resource_type=X", "size"):
        assert reader.get(f"{path}/{wrong}").status == 404
    changed = {"name": "colour", "title": "C", "type": "array", "items": {"type": "string"},
               "default": None, "uniqueItems": True}  # fmt: skip
    assert admin.put(f"{path}/colour", changed).expect(200) == changed
    assert reader.get(path).expect(200)["properties"] == {"colour": changed}
    assert admin.delete(f"{path}/colour").status == 204
    assert reader.get(path).expect(200)["properties"] == {}


def test_tags(admin: Client, reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make(admin)
    path = f"{NAMESPACES}/ns/tags"

    def there() -> list[str]:
        return [each["name"] for each in reader.get(path).expect(200)["tags"]]

    admin.post(path, {"tags": [{"name": "a"}, {"name": "b"}]}).expect(201)
    assert there() == ["b", "a"]
    admin.post(path, {"tags": [{"name": "c"}]}, headers={"x-openstack-append": "True"}).expect(201)
    assert there() == ["c", "b", "a"]
    admin.post(path, {"tags": [{"name": "d"}]}).expect(201)
    assert there() == ["d"]
    assert admin.post(f"{path}/e").expect(201)["name"] == "e"
    assert admin.post(f"{path}/e").status == 409
    assert admin.put(f"{path}/e", {"name": "f"}).expect(200)["name"] == "f"
    assert reader.get(f"{path}/f").expect(200)["name"] == "f"
    assert reader.get(f"{path}/e").status == 404
    monkeypatch.setattr(access, "MOST", 2)
    assert admin.post(f"{path}/g").status == 413
    assert there() == ["f", "d"]
    assert admin.delete(path).status == 204
    assert there() == []


def test_a_body_where_none_is_taken_is_refused(admin: Client, reader: Client) -> None:
    make(admin)
    assert reader.call("GET", f"{NAMESPACES}/ns", {}).status == 400
    refused = admin.call("DELETE", f"{NAMESPACES}/ns", {"namespace": "ns"})
    assert (refused.status, refused.json["message"]) == (
        400, "DELETE /v2/metadefs/namespaces/{namespace} takes no body, and got one.",
    )  # fmt: skip
    assert listed(admin) == ["ns"]


def test_types(admin: Client, reader: Client) -> None:
    make(admin)
    path = f"{NAMESPACES}/ns/resource_types"
    known = [each["name"] for each in reader.get(f"{ROOT}/resource_types").expect(200)[
        "resource_types"]]  # fmt: skip
    assert "OS::Glance::Image" in known
    made = admin.post(path, {"name": "Ours", "prefix": "o_"}).expect(201)
    assert (made["name"], made["prefix"]) == ("Ours", "o_")
    assert admin.post(path, {"name": "Ours"}).status == 409
    assert reader.get(path).expect(200)["resource_type_associations"] == [made]
    types = reader.get(f"{ROOT}/resource_types").expect(200)["resource_types"]
    assert [each["name"] for each in types] == sorted([*known, "Ours"])
    assert admin.delete(f"{path}/Ours").status == 204
    assert admin.delete(f"{path}/Ours").status == 404
    assert reader.get(path).expect(200)["resource_type_associations"] == []


@pytest.mark.parametrize(
    ("path", "name"),
    [("resource_type", "resource_type_association"),
     ("resource_types", "resource_type_associations"),
     *((each, each) for each in ("namespace", "namespaces", "property", "properties", "object",
                                 "objects", "tag", "tags"))],
)  # fmt: skip
def test_schemas(reader: Client, path: str, name: str) -> None:
    body = reader.get(f"/image/v2/schemas/metadefs/{path}").expect(200)
    assert body["name"] == name
    assert body["properties"]
