"""The image API's routing table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_MEMBER, PROJECT_READER, Rule
from andromede.http.operation import Operation, Transaction
from andromede.services.image import documents, images, info, patch, versions
from andromede.services.image.data import routes as data
from andromede.services.image.imports import routes as imports
from andromede.services.image.imports import tasks
from andromede.services.image.listing import routes as listing
from andromede.services.image.members import routes as members
from andromede.services.image.metadefs import routes as metadefs

Handler = Callable[..., Any]


def _public(path: str, handler: Handler, action: str) -> Operation:
    return Operation(
        method="GET", path=path, handler=handler, action=f"image:versions:{action}", allow=None,
        transaction=Transaction.NONE,
    )  # fmt: skip


def _row(
    method: str, path: str, handler: Handler, action: str, allow: Rule, *, status: int = 200,
    **more: Any,
) -> Operation:  # fmt: skip
    return Operation(
        method=method, path=f"/v2{path}", handler=handler, action=f"image:{action}", allow=allow,
        status=status, **more,
    )  # fmt: skip


OPERATIONS = [
    _public("/", versions.choices, "choices"),
    _public("/v2", versions.choices, "choices"),
    _public("/versions", versions.listing, "list"),
    *(
        _row("GET", f"/schemas/{name}", documents.handler(each), "schema:show", AUTHENTICATED)
        for name, each in documents.DOCUMENTS.items()
    ),
    _row("GET", "/info/import", info.imports, "info:import", AUTHENTICATED),
    _row("GET", "/info/stores", info.stores, "info:stores", AUTHENTICATED),
    _row("GET", "/info/stores/detail", info.stores_detail, "info:stores-detail", ADMIN),
    _row("GET", "/info/usage", info.usage, "info:usage", PROJECT_READER),
    _row("DELETE", "/stores/{store}/{id}", info.remove_from_store, "store:remove", PROJECT_MEMBER),
    _row("GET", "/tasks", imports.index, "task:list", ADMIN),
    _row("POST", "/tasks", tasks.create, "task:create", ADMIN, status=201, body=dict,
         places="create"),
    _row("GET", "/tasks/{id}", imports.show, "task:show", ADMIN),
    _row("GET", "/images/{id}/tasks", imports.of_image, "task:of-image", PROJECT_READER),
    _row("POST", "/images/{id}/import", imports.create, "data:import", PROJECT_MEMBER, status=202,
         body=dict, places="create"),
    _row(
        "PUT", "/images/{id}/stage", data.stage, "data:stage", PROJECT_MEMBER, status=204,
        stream=True, transaction=Transaction.OWN, places="create",
    ),
    _row("GET", "/images", listing.index, "image:list", PROJECT_READER),
    _row(
        "POST", "/images", images.create, "image:create", PROJECT_MEMBER, status=201, body=dict,
        places="create",
    ),
    _row("GET", "/images/{id}", images.show, "image:show", PROJECT_READER),
    _row("PATCH", "/images/{id}", patch.update, "image:update", PROJECT_MEMBER, body=list,
         places="share"),
    _row("DELETE", "/images/{id}", images.delete, "image:delete", PROJECT_MEMBER, status=204),
    _row("PUT", "/images/{id}/tags/{tag}", images.add_tag, "tag:add", PROJECT_MEMBER, status=204),
    _row(
        "DELETE", "/images/{id}/tags/{tag}", images.remove_tag, "tag:remove", PROJECT_MEMBER,
        status=204,
    ),
    _row(
        "POST", "/images/{id}/actions/deactivate", images.deactivate, "image:deactivate",
        PROJECT_MEMBER, status=204,
    ),
    _row(
        "POST", "/images/{id}/actions/reactivate", images.reactivate, "image:reactivate",
        PROJECT_MEMBER, status=204,
    ),
    _row("GET", "/images/{id}/members", members.index, "member:list", PROJECT_READER),
    _row("POST", "/images/{id}/members", members.create, "member:create", PROJECT_MEMBER, body=dict,
         places="share"),
    _row("GET", "/images/{id}/members/{member}", members.show, "member:show", PROJECT_READER),
    _row("PUT", "/images/{id}/members/{member}", members.update, "member:update", PROJECT_MEMBER,
         body=dict),
    _row("DELETE", "/images/{id}/members/{member}", members.delete, "member:delete",
         PROJECT_MEMBER, status=204),
    _row("GET", "/images/{id}/file", data.download, "data:download", PROJECT_MEMBER,
         reveals="disk"),
    _row(
        "PUT", "/images/{id}/file", data.upload, "data:upload", PROJECT_MEMBER, status=204,
        stream=True, transaction=Transaction.OWN, places="create",
    ),
    *metadefs.OPERATIONS,
]  # fmt: skip
