"""What the real image service says: the routes that its API connects, what its deserializers make of
a request, and the schemas that it publishes for what is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import jsonschema
import routes
import webob.exc
from glance import context
from glance.api.v2 import router, schemas
from glance.common import config, exception, wsgi

from tests.oracle.upstream.rule import Check, Rule, Wrong, by_schema

PREFIX = "/image/v2"
ONE, MANY = ("GET", "POST", "PUT", "PATCH"), ("GET",)
SPACE = "/metadefs/namespaces"
ANSWERS: Mapping[str, tuple[str, Iterable[str]]] = {
    "/images/{image_id}": ("image_schema", ONE),
    "/images/{image_id}/members": ("member_collection_schema", MANY),
    "/images/{image_id}/members/{member_id}": ("member_schema", ONE),
    "/tasks": ("task_collection_schema", MANY),
    "/tasks/{task_id}": ("task_schema", ONE),
    f"{SPACE}/{{namespace}}": ("metadef_namespace_schema", ONE),
    f"{SPACE}/{{namespace}}/objects": ("metadef_object_collection_schema", MANY),
    f"{SPACE}/{{namespace}}/objects/{{object_name}}": ("metadef_object_schema", ONE),
    f"{SPACE}/{{namespace}}/properties": ("metadef_property_collection_schema", MANY),
    f"{SPACE}/{{namespace}}/properties/{{property_name}}": ("metadef_property_schema", ONE),
    f"{SPACE}/{{namespace}}/tags": ("metadef_tag_collection_schema", MANY),
    f"{SPACE}/{{namespace}}/tags/{{tag_name}}": ("metadef_tag_schema", ONE),
}
CREATED = {
    "/images": "image_schema", "/images/{image_id}/members": "member_schema",
    SPACE: "metadef_namespace_schema", f"{SPACE}/{{namespace}}/objects": "metadef_object_schema",
    f"{SPACE}/{{namespace}}/properties": "metadef_property_schema",
}  # fmt: skip
LISTED = {"/images": "image_collection_schema", SPACE: "metadef_namespace_collection_schema"}


def rules() -> Iterator[Rule]:
    config.parse_args(args=[], default_config_files=[])
    mapper = routes.Mapper()
    with mock.patch("glance.db.get_api"):
        router.API(mapper)
    published = schemas.Controller()
    for route in mapper.matchlist:
        for method in (route.conditions or {}).get("method", ()):
            action = route.defaults["action"]
            judge = _Requests(route.defaults, method, route.routepath)
            checks = [Check(part="request", wrong=judge, whole=True)]
            schema = _schema(published, method, route.routepath, action)
            if schema is not None:
                checks.append(Check(part="response", wrong=schema))
            yield Rule(method=method, template=route.routepath, checks=checks)


class _Requests:
    """Judges a whole exchange, body and query, by what the deserializer makes of it."""

    def __init__(self, defaults: Mapping[str, Any], method: str, template: str) -> None:
        self.resource, self.action = defaults["controller"], defaults["action"]
        self.empty = bool(defaults.get("body_reject"))
        self.method, self.template = method, template

    def __call__(self, exchange: Mapping[str, Any]) -> Iterator[Wrong]:
        document = exchange["request"]
        body = b"" if document is None else json.dumps(document).encode()
        if self.empty and body:
            yield "", "no body is expected"
            return
        query = urlencode(exchange["query"], doseq=True)
        request = wsgi.Request.blank(
            f"/v2{self.template}?{query}", method=self.method, body=body,
            headers={"Content-Type": _kind(self.action, document)},
        )  # fmt: skip
        values = zip(self.template.split("/")[1:], exchange["path"].split("/")[3:], strict=True)
        request.urlvars = {name.strip("{}"): value for name, value in values}
        request.context = context.RequestContext(roles=["admin"], project_id="p", is_admin=True)
        try:
            self.resource.dispatch(self.resource.deserializer, self.action, request)
        except (webob.exc.HTTPException, exception.GlanceException) as error:
            yield "", str(error).splitlines()[0][:120]


def _kind(action: str, document: Any) -> str:
    """The media type that a request came with."""
    if action in ("upload", "stage"):
        return "application/octet-stream"
    if action == "update" and isinstance(document, list):
        new = any(isinstance(each, dict) and "op" in each for each in document)
        return f"application/openstack-images-v2.{int(new)}-json-patch"
    return "application/json"


def _schema(
    published: Any, method: str, template: str, action: str
) -> Callable[[Any], Iterable[Wrong]] | None:
    if template.startswith("/schemas/"):
        return _same_properties(getattr(published, action)(None))
    name, methods = ANSWERS.get(template, ("", ()))
    if method not in methods:
        name = {"POST": CREATED, "GET": LISTED}.get(method, {}).get(template, "")
    return by_schema(_validator(getattr(published, name))) if name else None


def _validator(schema: Any) -> Any:
    return jsonschema.Draft4Validator(schema.raw())


def _same_properties(theirs: Any) -> Callable[[Any], Iterator[Wrong]]:
    """Judges a schema that we publish by the names of what it describes."""

    def wrong(ours: Any) -> Iterator[Wrong]:
        for name in sorted(theirs["properties"].keys() ^ ours["properties"].keys()):
            kind = "is not described" if name in theirs["properties"] else "is described besides"
            yield f"properties/{name}", kind

    return wrong
