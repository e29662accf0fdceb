"""Handlers of imports: POST …/import, the tasks of an image, and an operator's look at all tasks.

Source: the Image service API v2, "Interoperable image import" and "Tasks".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from andromede import clock, ids
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Reply
from andromede.services.image import access, info
from andromede.services.image import store as images
from andromede.services.image.imports import sources, store
from andromede.services.image.imports.store import Task
from andromede.services.image.store import Image
from andromede.sovereignty.policy.model import AT_REST
from andromede.work import intend

SECONDS = 3600  # of an import of staged data, its inspection included
STATUSES = ("pending", "processing", "success", "failure")
BEFORE = {"glance-direct": "uploading", "web-download": "queued"}
DEFAULT_LIMIT, MOST = 25, 1000


def create(context: Context) -> Reply:
    """Begin to make an image's data of what was staged, or of what a URL gives.

    Errors: NotFound; Forbidden; BadRequest for a faulty body or URL; Conflict for an image that is
    not in the status the method needs, or has no formats.
    """
    method = _method(context.body)
    image = access.find_own(context.conn, context)
    name = method["name"]
    _check_image(image, name)
    uri = checked(context, method.get("uri")) if name == "web-download" else None
    context.admit(image.project_id, image.site, keys=AT_REST)
    asked = {"image_id": image.id, "import_req": context.body, "backend": [info.STORE]}
    start(context, image, TYPE, asked, uri)
    context.notes = {"method": name, **({"uri": uri} if uri else {})}
    return Reply(202)


def start(
    context: Context, image: Image, kind: str, asked: dict[str, Any], uri: str | None
) -> Task:
    """The task that fills an image, with what is staged or with what a URL gives; it has begun."""
    now = clock.now()
    task = Task(
        id=ids.new(), image_id=image.id, owner=image.project_id, user_id=context.caller.user_id,
        request_id=context.request_id, type=kind, status="pending", message="", uri=uri,
        input=asked, created_at=now, updated_at=now,
    )  # fmt: skip
    store.insert(context.conn, task)
    images.set_status(context.conn, image.id, image.status, "importing")
    images.set_marks(context.conn, image.id, marks(importing=info.STORE))
    if uri is None:
        begin(context.conn, task)
    return task


def begin(connection: Any, task: Task) -> None:
    """Have the worker import what is staged."""
    intend(
        connection, "image", task.image_id, "import", project_id=task.owner,
        request_id=task.request_id, args={"task": task.id}, seconds=SECONDS,
    )  # fmt: skip


def marks(*, importing: str = "", failed: str = "") -> dict[str, str]:
    """How an image tells of its import."""
    return {"os_glance_importing_to_stores": importing, "os_glance_failed_import": failed}


def _method(body: Any) -> dict[str, Any]:
    """The method of a request, checked with what stands beside it.

    Errors: BadRequest.
    """
    method = body.get("method")
    if not isinstance(method, dict):
        raise BadRequest("Import request requires a 'method' field, an object.")
    if "name" not in method:
        raise BadRequest("Import request requires a 'name' field.")
    if method["name"] not in info.METHODS:
        raise BadRequest(
            f"Unknown import method name {str(method['name'])[:40]!r}: "
            f"{' and '.join(info.METHODS)} are accepted. There is one store, so nothing to copy to."
        )
    for name in ("all_stores", "all_stores_must_succeed"):
        if not isinstance(body.get(name, True), bool):
            raise BadRequest(f"'{name}' must be boolean value only.")
    wanted = body.get("stores", [])
    if not isinstance(wanted, list) or any(each != info.STORE for each in wanted):
        raise BadRequest(f"'stores' is {str(wanted)[:80]}: a list of {info.STORE} is accepted.")
    if wanted and body.get("all_stores"):
        raise BadRequest("'stores' and 'all_stores' are accepted one without the other.")
    return method


def _check_image(image: Image, name: str) -> None:
    if image.status != BEFORE[name] or image.upload is not None:
        raise Conflict(
            f"Image {image.id} is {image.status}: an import by {name} needs it to be "
            f"{BEFORE[name]}{', with its data staged' if name == 'glance-direct' else ''}."
        )
    for attribute in ("container_format", "disk_format"):
        if getattr(image, attribute) is None:
            raise Conflict(f"'{attribute}' needs to be set before import")


def checked(context: Context, uri: object) -> str:
    """A URL that images may be fetched from.

    Errors: BadRequest.
    """
    try:
        sources.check(sources.parse(uri), context.cloud.config.image_sources)
    except sources.SourceError as error:
        raise BadRequest(
            f"URI for web-download does not pass filtering: {str(uri)[:200]}: {error}."
        ) from error
    return str(uri)


def of_image(context: Context) -> object:
    """The tasks of an image, the oldest first."""
    image = access.find_shown(context)
    return {"tasks": [show_task(context, each) for each in store.of(context.conn, image.id)]}


def index(context: Context) -> object:
    """A page of all projects' tasks, the newest first.

    Errors: BadRequest for a faulty parameter or marker.
    """
    query = dict(context.query)
    for name in query:
        if name not in ("limit", "marker", "status", "type"):
            raise BadRequest(f"Tasks are not filtered by {name}: limit, marker, status and type "
                             f"are accepted.")  # fmt: skip
    for name, accepted in (("status", STATUSES), ("type", store.TYPES)):
        if query.get(name, accepted[0]) not in accepted:
            raise BadRequest(f"Invalid {name} value: {query[name]}; one of {', '.join(accepted)}.")
    raw = query.get("limit", str(DEFAULT_LIMIT))
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise BadRequest(f"limit {raw!r} is not valid: a whole number from 0 is accepted.")
    limit = min(int(raw), MOST)
    wanted: dict[str, str] = {name: query[name] for name in ("status", "type") if name in query}
    found = store.page(context.conn, wanted, limit + 1, _marker(context, query))
    shown = found[:limit]
    for each in shown:
        context.touches(each.image_id, each.owner)
    pairs = [pair for pair in context.query if pair[0] != "marker"]
    body: dict[str, Any] = {
        "tasks": [_stub(each) for each in shown],
        "first": _link(pairs),
        "schema": "/v2/schemas/tasks",
    }
    if len(found) > limit and shown:
        body["next"] = _link([*pairs, ("marker", shown[-1].id)])
    return body


def _marker(context: Context, query: dict[str, str]) -> Task | None:
    name = query.get("marker")
    if not name:
        return None
    found = store.get(context.conn, name)
    if found is None:
        raise BadRequest(f"marker {name!r} is not valid: the id of a task is accepted.")
    return found


def _link(pairs: list[tuple[str, str]]) -> str:
    return f"/v2/tasks?{urlencode(pairs)}" if pairs else "/v2/tasks"


def show(context: Context) -> object:
    """Errors: NotFound."""
    found = store.get(context.conn, context.params["id"])
    if found is None:
        raise NotFound(f"No task found with ID {context.params['id']}.")
    context.touches(found.image_id, found.owner)
    return show_task(context, found)


TYPE = "api_image_import"


def _stub(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "type": task.type,
        "status": task.status,
        "owner": task.owner,
        "image_id": task.image_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
        "created_at": clock.iso(task.created_at),
        "updated_at": clock.iso(task.updated_at),
        "self": f"/v2/tasks/{task.id}",
        "schema": "/v2/schemas/task",
    }


def show_task(context: Context, task: Task) -> dict[str, Any]:
    """The whole of a task. What was asked is kept from an operator without consent: a URL may be all
    that somebody needs to read what is behind it."""
    result = {"image_id": task.image_id} if task.status == "success" else None
    asked: dict[str, Any] | None = task.input
    message = task.message
    if not context.may_reveal("disk", task.owner, task.image_id):
        asked, message = None, message.replace(_source(task), "…")
    return {**_stub(task), "input": asked, "message": message, "result": result}


def _source(task: Task) -> str:
    """The URL that a task's data come from, or what no message holds."""
    method = task.input.get("import_req", {}).get("method", {})
    return str(task.input.get("import_from") or method.get("uri") or "\0")
