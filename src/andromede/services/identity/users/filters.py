"""Which users a list wants."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import sqlalchemy as sa

from andromede import clock
from andromede.http.errors import BadRequest
from andromede.services.identity.bodies import truth
from andromede.services.identity.users.store import user

OPERATORS = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
FEDERATED = ("idp_id", "protocol_id", "unique_id")  # no user here comes from elsewhere


def conditions(query: Sequence[tuple[str, str]]) -> list[sa.ColumnElement[bool]]:
    """From the query of `GET /v3/users`.

    Errors: BadRequest for a moment that is none.
    """
    values = dict(query)
    where = [user.c[name] == values[name] for name in ("domain_id", "name") if name in values]
    if "enabled" in values:
        where.append(user.c.enabled == truth(values["enabled"]))
    if "password_expires_at" in values:
        where.append(_expiring(values["password_expires_at"]))
    if any(name in values for name in FEDERATED):
        where.append(sa.false())
    return where


def _expiring(text: str) -> sa.ColumnElement[bool]:
    name, colon, moment = text.partition(":")
    if not colon or name not in OPERATORS:
        raise BadRequest(
            f"The given operator {name} is not valid. It must be one of the following: "
            "'eq', 'neq', 'lt', 'lte', 'gt', or 'gte', followed by a colon and a timestamp."
        )
    try:
        at = clock.parse(moment)
    except ValueError as error:
        raise BadRequest(
            f"password_expires_at {moment!r} is not a timestamp: YYYY-MM-DDTHH:MM:SSZ is accepted."
        ) from error
    found: sa.ColumnElement[bool] = OPERATORS[name](user.c.password_expires_at, at)
    return found
