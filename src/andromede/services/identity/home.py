"""The domain a new resource belongs to when the client names none."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest
from andromede.services.identity.first_start import DEFAULT_DOMAIN
from andromede.services.identity.projects import store
from andromede.services.identity.rows import Row


def home_domain(context: Context) -> str:
    """The domain of the caller's scope; the default domain for the system's."""
    caller = context.caller
    return caller.domain_id or caller.project_domain_id or DEFAULT_DOMAIN


def require_domain(context: Context, domain_id: str, refusal: type[ApiError] = BadRequest) -> Row:
    """The domain named in a body.

    Errors: BadRequest when there is none, or another refusal as upstream has it.
    """
    row = store.get_domain(context.conn, domain_id)
    if row is None:
        raise refusal(f"Could not find domain: {domain_id}.")
    return row
