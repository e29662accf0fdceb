"""Rows of /v3/regions that change something, and their handlers."""

from __future__ import annotations

from andromede import ids
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound
from andromede.http.operation import Reply
from andromede.services.identity.bodies import check_change, extras, given, known_query
from andromede.services.identity.catalog import store
from andromede.services.identity.catalog.entries import Item
from andromede.services.identity.catalog.nouns import REGION
from andromede.services.identity.catalog.schema import NewRegion, RegionChange
from andromede.services.identity.limits import store as limits


def list_all(context: Context) -> Item:
    known_query(context, "parent_region_id")
    return REGION.list_all(context)


def create(context: Context) -> Item:
    body: NewRegion = context.body.region
    return _make(context, body.id or ids.new_hex())


def create_at(context: Context) -> Item:
    """`PUT /v3/regions/{id}`: a region whose id the client chose."""
    body: NewRegion = context.body.region
    identifier = context.params["id"]
    if body.id not in (None, identifier):
        raise BadRequest(f'Conflicting region IDs specified: "{identifier}" != "{body.id}"')
    return _make(context, identifier)


def _make(context: Context, identifier: str) -> Item:
    body: NewRegion = context.body.region
    if len(identifier) > 255:
        raise BadRequest("Invalid input for field 'region/id': at most 255 characters.")
    if REGION.find(context, identifier) is not None:
        raise Conflict(
            f"Conflict occurred attempting to store region - Duplicate ID, {identifier}."
        )
    _require_parent(context, body.parent_region_id)
    values = {
        "id": identifier,
        "description": body.description or "",
        "parent_region_id": body.parent_region_id,
        "extra": extras(context, "region", NewRegion),
    }
    return REGION.make(context, values)


def _require_parent(context: Context, parent_id: str | None) -> None:
    if parent_id is not None and REGION.find(context, parent_id) is None:
        raise NotFound(f"Could not find region: {parent_id}.")


def update(context: Context) -> Item:
    """Errors: BadRequest for a circle of regions; NotFound for an unknown parent."""
    item = REGION.require(context)
    body: RegionChange = context.body.region
    check_change(context, "region", item["id"], "region")
    values = given(body, "description", "parent_region_id")
    if "description" in values:
        values["description"] = values["description"] or ""
    _require_parent(context, values.get("parent_region_id"))
    if values.get("parent_region_id") in store.regions_below(context.conn, item["id"]):
        raise BadRequest(
            f"The specified parent region {values['parent_region_id']} would create a circular "
            "region hierarchy."
        )
    return REGION.change(context, item, values, RegionChange)


def delete(context: Context) -> Reply:
    """Delete a region and those below it.

    Errors: Forbidden while an endpoint or a registered limit is in one of them, or one is this
    host's.
    """
    item = REGION.require(context)
    below = store.regions_below(context.conn, item["id"])
    REGION.refuse_own(context, below)
    if store.region_in_use(context.conn, below):
        raise Forbidden(
            f"Unable to delete region {item['id']} because it or its child regions have "
            "associated endpoints."
        )
    if limits.named_by(context.conn, "region_id", below):
        raise Forbidden(f"Region {item['id']}, or one below, has registered limits.")
    store.delete(context.conn, store.region, below)
    return Reply(204)
