"""Images through compute: lists, one, and their removal."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.forward import ask
from andromede.http.operation import Reply
from andromede.http.paging import read_page
from andromede.services.compute import links, values
from andromede.services.compute.proxies.rows import row
from andromede.services.image.api import UUID, properties_of

STATES = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
PROGRESS = {"active": 100, "saving": 50, "queued": 25}
FILTERS = {
    "name": "name",
    "minRam": "min_ram",
    "minDisk": "min_disk",
    "type": "image_type",
    "server": "instance_uuid",
    "status": "status",
    "changes-since": "updated_at",
}
PROPERTY = "property-"


def brief(context: Context, image: dict[str, Any]) -> dict[str, Any]:
    alternate = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{context.base_url}/image/images/{image['id']}",
    }
    there = [*links.resource_links(context, "images", image["id"]), alternate]
    return {"id": image["id"], "name": image["name"], "links": there}


def full(context: Context, image: dict[str, Any]) -> dict[str, Any]:
    properties = properties_of(image)
    shown = {
        **brief(context, image),
        "status": STATES.get(image["status"], "UNKNOWN"),
        "progress": PROGRESS.get(image["status"], 0),
        "created": image["created_at"],
        "updated": image["updated_at"],
        "minDisk": image["min_disk"],
        "minRam": image["min_ram"],
        "metadata": properties,
        "OS-EXT-IMG-SIZE:size": image["size"] or 0,
    }
    server_id = properties.get("instance_uuid")
    if server_id:
        there = links.resource_links(context, "servers", server_id)
        shown["server"] = {"id": server_id, "links": there}
    if "auto_disk_config" in properties:
        automatic = values.boolean(properties["auto_disk_config"], "auto_disk_config")
        shown["OS-DCF:diskConfig"] = "AUTO" if automatic else "MANUAL"
    return shown


def find(context: Context) -> dict[str, Any]:
    """The image of the path, as the image service shows it. Errors: NotFound."""
    image_id = context.params["id"]
    if not UUID.fullmatch(image_id):
        raise NotFound("Image not found.")
    found: dict[str, Any] = ask(context, "image", "GET", f"/v2/images/{image_id}")
    return found


def _query(context: Context) -> list[tuple[str, str]]:
    """A list's filters in the image service's words; what it does not know filters nothing."""
    asked = []
    for name, value in context.query:
        if name.startswith(PROPERTY):
            asked.append((name.removeprefix(PROPERTY), value))
        elif name in FILTERS:
            asked.append((FILTERS[name], _filter(name, value)))
    return asked


def _filter(name: str, value: str) -> str:
    if name == "server":
        return value.rstrip("/").rpartition("/")[2]
    if name == "status":
        found = [state for state, shown in STATES.items() if shown == value.upper()]
        return f"in:{','.join(found or [value.lower()])}"
    return f"gte:{value}" if name == "changes-since" else value


def _page(context: Context, path: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    page = read_page(context.query)
    if page.limit == 0:
        raise BadRequest("Invalid input for query parameters limit: a number from 1 is accepted.")
    asked = [*_query(context), ("limit", str(page.size(values.MOST_LISTED)))]
    if page.marker is not None:
        if not UUID.fullmatch(page.marker):
            raise BadRequest(f"marker [{page.marker}] not found")
        asked.append(("marker", page.marker))
    found = ask(context, "image", "GET", "/v2/images", query=asked)["images"]
    following = links.next_page(
        context, path, page, values.MOST_LISTED, [each["id"] for each in found]
    )
    return found, {"images_links": following} if following else {}


def list_images(context: Context) -> dict[str, Any]:
    found, more = _page(context, "images")
    return {"images": [brief(context, each) for each in found], **more}


def list_details(context: Context) -> dict[str, Any]:
    found, more = _page(context, "images/detail")
    return {"images": [full(context, each) for each in found], **more}


def show(context: Context) -> dict[str, Any]:
    return {"image": full(context, find(context))}


def remove(context: Context) -> Reply:
    image = find(context)
    ask(context, "image", "DELETE", f"/v2/images/{image['id']}")
    return Reply(204)


OPERATIONS = [
    row("GET", "/images", list_images, "image:list"),
    row("GET", "/images/detail", list_details, "image:detail"),
    row("GET", "/images/{id}", show, "image:show"),
    row("DELETE", "/images/{id}", remove, "image:delete", status=204),
]
