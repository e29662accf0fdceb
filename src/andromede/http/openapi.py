"""A service's routing table as an OpenAPI 3.1 document: paths, schemas of bodies and answers, who may.

Pure: it reads the rows and their structs. An operation without a body or answer struct has none here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec

from andromede.http.errors import reason
from andromede.http.operation import Operation, Service

VERSION: Final = "3.1.0"
TOKEN: Final = "token"  # noqa: S105 (its name)
REFERENCE: Final = "#/components/schemas/{name}"
FAILURES: Final = (400, 401, 403, 404, 409)
PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Failure(msgspec.Struct, frozen=True):
    """What was tried, why it failed, what would be accepted."""

    message: str
    code: int
    title: str


def document(service: Service, title: str, version: str, about: str = "") -> dict[str, Any]:
    """The whole document, JSON-able. Paths begin at the listener's root."""
    rows = sorted(service.operations, key=lambda row: (row.path, row.method))
    schemas = _Schemas(rows)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        path = service.mount + row.path
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": version, "description": about},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {TOKEN: {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        },
    }


class _Schemas:
    """The schemas of every struct that the rows name."""

    def __init__(self, rows: Iterable[Operation]) -> None:
        wanted: dict[Any, None] = {Failure: None}
        for row in rows:
            wanted |= dict.fromkeys(each for each in (row.body, row.answer) if each is not None)
        found, self.components = msgspec.json.schema_components(
            list(wanted), ref_template=REFERENCE
        )
        self._of = list(zip(wanted, found, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:
        return next(schema for known, schema in self._of if known is kind)


def _operation(row: Operation, schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": _name(row), "summary": _first_sentence(row)}
    who = "everyone" if row.allow is None else row.allow.name
    told["description"] = f"Who may: {who}. Action: {row.action}."
    told["security"] = [] if row.allow is None else [{TOKEN: []}]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in PARAMETER.findall(row.path)
    ]
    if parameters:
        told["parameters"] = parameters
    if row.body is not None:
        told["requestBody"] = {
            "required": not row.optional_body,
            "content": {"application/json": {"schema": schemas.of(row.body)}},
        }
    told["responses"] = _responses(row, schemas)
    return told


def _name(row: Operation) -> str:
    """A name of its own: rows may share an action."""
    return re.sub(r"[^a-z0-9.]+", "-", f"{row.method}{row.path}".lower()).strip("-")


def _responses(row: Operation, schemas: _Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": reason(row.status)}
    if row.answer is not None:
        answer["content"] = {"application/json": {"schema": schemas.of(row.answer)}}
    failure = {"application/json": {"schema": schemas.of(Failure)}}
    responses: dict[str, Any] = {str(row.status): answer}
    for status in FAILURES:
        if status == 401 and row.allow is None:
            continue
        responses[str(status)] = {"description": reason(status), "content": failure}
    return responses


def _first_sentence(row: Operation) -> str:
    """What the handler's docstring begins with, or the action in words."""
    handler = row.handler.func if isinstance(row.handler, partial) else row.handler
    told = (inspect.getdoc(handler) or "").partition("\n\n")[0].replace("\n", " ")
    if not told or told.startswith("Errors:"):
        return row.action.rpartition(":")[2].capitalize() + " " + row.action.split(":")[1]
    return told.partition(" Errors:")[0]
