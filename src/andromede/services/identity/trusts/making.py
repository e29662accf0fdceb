"""What a new trust may lend, and what one made from another may."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.services.identity.grants import store as grants
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row
from andromede.services.identity.trusts import store
from andromede.services.identity.trusts.schema import NewTrust

FORBIDDEN = "You are not authorized to perform the requested action"


def expiry(text: str | None) -> int | None:
    """Errors: BadRequest when it is no moment, or past."""
    if text is None:
        return None
    try:
        moment = clock.parse(text)
    except ValueError as error:
        raise BadRequest(
            f"Timestamp not in expected format: {text!r}; YYYY-MM-DDTHH:MM:SS.ffffffZ is accepted."
        ) from error
    if moment <= clock.now():
        raise BadRequest(f"The 'expires_at' must not be before now; {text} is.")
    return moment


def depth(body: NewTrust) -> int:
    """How often the trust may be lent on.

    Errors: BadRequest, Forbidden.
    """
    if not body.allow_redelegation or body.redelegation_count == 0:
        return 0
    if body.redelegation_count is not None and body.redelegation_count > store.MOST_REDELEGATIONS:
        raise Forbidden(
            f"Requested redelegation depth of {body.redelegation_count} is greater than allowed "
            f"{store.MOST_REDELEGATIONS}"
        )
    if body.remaining_uses is not None:
        raise BadRequest("remaining_uses must not be set if redelegation is allowed")
    return body.redelegation_count or store.MOST_REDELEGATIONS


def role_ids(context: Context, body: NewTrust, first_trustor: str) -> set[str]:
    """The roles to lend, which the first trustor holds.

    Errors: BadRequest, Forbidden, NotFound.
    """
    if body.project_id is not None and not body.roles:
        raise Forbidden(f"{FORBIDDEN}: At least one role should be specified.")
    held = set()
    if body.project_id is not None:
        target = grants.Target(kind="project", id=body.project_id)
        held = grants.reached(context.conn, first_trustor, target)
    wanted = set()
    for reference in body.roles:
        given = [each for each in (reference.id, reference.name) if each]
        if len(given) != 1:
            raise BadRequest("Invalid input for field 'trust/roles': an id or a name, one of them.")
        chosen = reference.id
        if isinstance(chosen, UnsetType):
            row = roles.by_name(context.conn, str(reference.name))
            chosen = row.id if row is not None else str(reference.name)
        if chosen not in held:
            raise NotFound(f"Could not find role: {chosen}, among those the trustor has.")
        wanted.add(chosen)
    return wanted


def from_another(context: Context, body: NewTrust, parent: Row, wanted: set[str]) -> dict[str, Any]:
    """What a trust takes over from the one it is made from.

    Errors: Forbidden when it would lend more, for longer, or once too often.
    """
    left = parent.redelegation_count - 1
    if body.allow_redelegation and body.redelegation_count not in (None, 0, left):
        raise Forbidden(
            'Modifying "redelegation_count" upon redelegation is forbidden. Omitting this '
            "parameter is advised."
        )
    if parent.redelegation_count <= 0:
        raise Forbidden(
            f"Remaining redelegation depth of {parent.redelegation_count} out of allowed range of "
            f"[0..{store.MOST_REDELEGATIONS}]"
        )
    if body.remaining_uses is not None:
        raise Forbidden(
            f'Field "remaining_uses" is set to {body.remaining_uses} while it must not be set in '
            "order to redelegate a trust"
        )
    wish = expiry(body.expires_at)
    if wish is not None and parent.expires_at is not None and wish > parent.expires_at:
        raise Forbidden("Requested expiration time is more than redelegated trust can provide")
    if not wanted <= set(store.role_ids(context.conn, parent.id)):
        raise Forbidden("Some of requested roles are not in redelegated trust")
    if body.project_id != parent.project_id:
        raise Forbidden(f"The trust {parent.id} is on project {parent.project_id} alone.")
    if body.impersonation and not parent.impersonation:
        raise Forbidden(
            "Impersonation is not allowed because redelegated trust does not specify "
            f"impersonation. Redelegated trust id: {parent.id}"
        )
    return {
        "redelegated_trust_id": parent.id,
        "expires_at": wish if wish is not None else parent.expires_at,
        "redelegation_count": left if body.allow_redelegation else 0,
    }
