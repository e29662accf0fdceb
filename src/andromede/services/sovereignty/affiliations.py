"""Handlers of affiliations: which users act for which entity, as a supplier's staff do."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Reply
from andromede.http.paging import next_link, read_page
from andromede.services.identity import api as identity
from andromede.sovereignty import generation, suppliers
from andromede.sovereignty.world import facts

MOST = 1000


def index(context: Context) -> object:
    page = read_page(context.query)
    size = page.size(MOST)
    rows = suppliers.page(context.conn, page.marker, size + 1)
    body: dict[str, Any] = {
        "affiliations": [{"user_id": user, "entity": entity} for user, entity in rows[:size]]
    }
    if size and len(rows) > size:
        href = next_link(context.url("/v1/affiliations"), context.query, rows[size - 1][0])
        body["affiliations_links"] = [{"rel": "next", "href": href}]
    return body


def replace(context: Context) -> object:
    """Say for which entity a user acts.

    Errors: NotFound for the user; BadRequest for an entity that nobody declared; Forbidden when the
    user has a way already to data that the entity may not reach.
    """
    user_id, entity = context.params["id"], context.body.entity
    if identity.user(context.conn, user_id) is None:
        raise NotFound(f"User {user_id} could not be found.")
    if entity not in facts.current(context.conn).world.entities:
        raise BadRequest(f"Entity {entity} is not declared; a declared entity's id is accepted.")
    context.concerns(f"user/{user_id}")
    context.notes = {"before": suppliers.of(context.conn, [user_id]).get(user_id), "after": entity}
    suppliers.put(context.conn, user_id, entity)
    context.admit_users({user_id: identity.opened_to(context.conn, user_id)})
    generation.bump(context.conn)
    return {"user_id": user_id, "entity": entity}


def delete(context: Context) -> Reply:
    """Errors: NotFound when the user acts for nobody."""
    user_id = context.params["id"]
    entity = suppliers.of(context.conn, [user_id]).get(user_id)
    if entity is None:
        raise NotFound(f"User {user_id} has no affiliation.")
    suppliers.put(context.conn, user_id, None)
    context.concerns(f"user/{user_id}")
    context.notes = {"before": entity, "after": None}
    generation.bump(context.conn)
    return Reply(204)
