"""The handler of the image list."""

from __future__ import annotations

from urllib.parse import urlencode

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.services.image import access, protection, view
from andromede.services.image.listing import query, store

PATH = "/v2/images"


def index(context: Context) -> object:
    """A page of the images the caller sees, newest first unless asked otherwise.

    Errors: BadRequest for a faulty parameter or a marker that is no image.
    """
    listing = query.read(context.query)
    marker = None
    if listing.marker is not None:
        try:
            marker = access.find(context.conn, context.caller, listing.marker)
        except NotFound as error:
            raise BadRequest(f"marker {listing.marker!r} is not valid: {error.message}.") from error
    hidden = [
        name for name in listing.filters.properties if not protection.allowed(context, "read", name)
    ]  # asking for one is no way to learn it
    found = [] if hidden else store.page(context.conn, context.caller, listing, marker)
    images = found[: listing.limit]
    for image in images:
        access.touch(context, image)
    pairs = [pair for pair in context.query if pair[0] != "marker"]
    body = {
        "images": [view.show(context, image) for image in images],
        "first": _link(pairs),
        "schema": "/v2/schemas/images",
    }
    if images and len(found) > listing.limit:
        body["next"] = _link([*pairs, ("marker", images[-1].id)])
    return body


def _link(pairs: list[tuple[str, str]]) -> str:
    return f"{PATH}?{urlencode(pairs)}" if pairs else PATH
