"""Handlers of image members: an owner offers a shared image to a project, which accepts or rejects it.

Source: the Image service API v2, "Sharing"; "Image sharing" for who may do what.
"""

from __future__ import annotations

from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from andromede.http.operation import Reply
from andromede.services.image import access
from andromede.services.image.members import store
from andromede.services.image.members.store import Member
from andromede.services.image.store import Image
from andromede.sovereignty.policy.model import AT_REST

STATUSES = ("pending", "accepted", "rejected")
MOST = 128  # members of one image
LONGEST = 64  # characters of a project's id


def index(context: Context) -> object:
    """All members for the image's owner; for a member, its own membership.

    Errors: NotFound; Forbidden when the image is not shared.
    """
    image = _shared(access.find_shown(context))
    found = store.of(context.conn, image.id)
    if not access.owns(context.caller, image):
        found = [each for each in found if each.member_id == context.caller.project_id]
    return {"members": [show_member(each) for each in found], "schema": "/v2/schemas/members"}


def show(context: Context) -> object:
    """Errors: NotFound, also when the image is not shared or the member is not the caller."""
    image = access.find_shown(context)
    return show_member(_find(context, image))


def create(context: Context) -> object:
    """Offer the image to a project: anyone there may see and boot it, and list it once accepted.

    Errors: NotFound; Forbidden when the image is not the caller's or not shared; BadRequest for a
    faulty body; Conflict for a member that is one already; TooLarge past 128 members.
    """
    wanted = _text(context.body, "member")
    if not 0 < len(wanted) <= LONGEST:
        raise BadRequest(
            f"The member {wanted[:40]!r} is not valid: the id of a project, of 1 to {LONGEST} "
            f"characters, is accepted."
        )
    image = _shared(access.find_own(context.conn, context))
    access.require_data(context, image)
    context.admit(image.project_id, image.site, keys=AT_REST)
    if store.get(context.conn, image.id, wanted) is not None:
        raise Conflict(f"Member {wanted} is duplicated for image {image.id}.")
    if store.count(context.conn, image.id) >= MOST:
        raise TooLarge(
            f"The limit has been exceeded on the number of allowed image members for image "
            f"{image.id}. Attempted: {MOST + 1}, Maximum: {MOST}"
        )
    now = clock.now()
    new = Member(
        image_id=image.id, member_id=wanted, status="pending", created_at=now, updated_at=now
    )
    store.insert(context.conn, new)
    context.notes = {"member": wanted}
    return show_member(new)


def update(context: Context) -> object:
    """A member accepts or rejects what it was offered.

    Errors: NotFound; Forbidden when the caller is not the member; BadRequest for another status.
    """
    status = _text(context.body, "status")
    image = _shared(access.find_shown(context))
    context.concerns(image.id, image.project_id)
    found = _find(context, image)
    if not context.caller.admin and found.member_id != context.caller.project_id:
        raise Forbidden(
            f"You are not permitted to modify 'status' on this image member: only project "
            f"{found.member_id} answers for itself."
        )
    if status not in STATUSES:
        raise BadRequest(f"Incorrect request: Status must be one of {', '.join(STATUSES)}.")
    if status != found.status:
        found.status = status
        store.update(context.conn, found)
    context.notes = {"member": found.member_id, "status": status}
    return show_member(found)


def delete(context: Context) -> Reply:
    """Take the image back from a project. Servers that were made from it stay.

    Errors: NotFound; Forbidden when the image is not the caller's, or not shared.
    """
    image = _shared(access.find_own(context.conn, context))
    found = _find(context, image)
    store.delete(context.conn, image.id, found.member_id)
    context.notes = {"member": found.member_id}
    return Reply(204)


def show_member(each: Member) -> dict[str, Any]:
    return {
        "member_id": each.member_id,
        "image_id": each.image_id,
        "status": each.status,
        "created_at": clock.iso(each.created_at),
        "updated_at": clock.iso(each.updated_at),
        "schema": "/v2/schemas/member",
    }


def _shared(image: Image) -> Image:
    if image.visibility != "shared":
        raise Forbidden(f"Only shared images have members: image {image.id} is {image.visibility}.")
    return image


def _find(context: Context, image: Image) -> Member:
    """The member of the path, if the caller may know of it."""
    wanted = context.params["member"]
    mine = access.owns(context.caller, image) or wanted == context.caller.project_id
    found = store.get(context.conn, image.id, wanted) if mine else None
    if found is None or image.visibility != "shared":
        raise NotFound(f"{wanted} not found in the member list of the image {image.id}.")
    return found


def _text(body: Any, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(f'Expected a {name} in the form: {{"{name}": "…"}}.')
    return value
