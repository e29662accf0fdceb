"""The image API's routing table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import AUTHENTICATED, PROJECT_MEMBER, PROJECT_READER, Rule
from andromede.http.operation import Operation, Transaction
from andromede.services.image import documents, images, info, patch, versions
from andromede.services.image.data import routes as data
from andromede.services.image.listing import routes as listing

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
    _row("GET", "/schemas/image", documents.image, "schema:show", AUTHENTICATED),
    _row("GET", "/schemas/images", documents.images, "schema:list", AUTHENTICATED),
    _row("GET", "/info/import", info.imports, "info:import", AUTHENTICATED),
    _row("GET", "/info/stores", info.stores, "info:stores", AUTHENTICATED),
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
    _row("GET", "/images/{id}/file", data.download, "data:download", PROJECT_MEMBER,
         reveals="disk"),
    _row(
        "PUT", "/images/{id}/file", data.upload, "data:upload", PROJECT_MEMBER, status=204,
        stream=True, transaction=Transaction.OWN, places="create",
    ),
]  # fmt: skip
