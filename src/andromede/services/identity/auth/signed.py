"""Rows of /v3/ec2tokens and /v3/s3tokens: a token for who signed a request with an EC2 credential,
asked for by the service that got it. Source: the identity API's extensions OS-EC2 and s3tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from andromede import clock
from andromede.http.access import Rule
from andromede.http.context import Context
from andromede.http.errors import NotFound, Unauthorized
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.identity.auth.login import conclude, judged
from andromede.services.identity.auth.prove import Claim, find_user
from andromede.services.identity.auth.schema import ProjectRef, Scope, UserRef
from andromede.services.identity.rows import Row
from andromede.services.identity.user_credentials import signing, store
from andromede.services.identity.user_credentials.ec2 import pair_of
from andromede.services.identity.user_credentials.signing import Request, Unsigned
from andromede.services.identity.users import compliance

METHOD = "ec2credential"
ADMIN_OR_SERVICE = Rule("admin or service", lambda c: c.admin or "service" in c.roles)


class SignedBody(Struct):
    """The request, under whichever of three names a client uses."""

    credentials: Request | UnsetType = UNSET
    credential: Request | UnsetType = UNSET
    ec2Credentials: Request | UnsetType = UNSET  # noqa: N815 (the API's word)

    def request(self) -> Request:
        """Errors: Unauthorized when there is none."""
        for each in (self.credentials, self.credential, self.ec2Credentials):
            if not isinstance(each, UnsetType):
                return each
        raise Unauthorized("EC2 Signature not supplied: the member credentials holds the request.")


def _check(request: Request, secret: str, sign: Callable[[Request, str], str]) -> None:
    """Errors: Unauthorized for a signature by another secret, or of another time."""
    try:
        good = signing.fits(request, sign(request, secret))
        if not good and ":" in request.host:  # some clients sign the host without its port
            request.host = request.host.rpartition(":")[0]
            good = signing.fits(request, sign(request, secret))
        late = signing.late(request, clock.now() / clock.SECOND)
    except Unsigned as error:
        raise Unauthorized(f"Invalid EC2 signature: {error}.") from error
    if not good:
        raise Unauthorized("Invalid EC2 signature.")
    if late:
        raise Unauthorized("Credential is expired: the request was signed at another time.")


def _missing() -> NotFound:
    return NotFound("EC2 access key not found.")


def _token(context: Context, sign: Callable[[Request, str], str]) -> Reply:
    """The token of the user and the project of the credential that signed the request.

    Errors: NotFound for an unknown access key; Unauthorized.
    """
    request = context.body.request()
    with context.cloud.database.read() as connection:
        row: Row | None = store.by_access(connection, request.access)
        if row is None:
            raise _missing()
        claim = Claim(methods=[METHOD])
        claim.name(find_user(connection, UserRef(id=row.user_id)), "its domain is disabled")
        rules = context.cloud.config.security_compliance
        if claim.user is not None and not compliance.enabled(claim.user, rules):
            claim.deny("the user is disabled")
        attempt = judged(connection, context, claim, Scope(project=ProjectRef(id=row.project_id)))
    secret = str(pair_of(context, row).get("secret"))
    return conclude(context, attempt, lambda: _check(request, secret, sign), status=200)


def ec2(context: Context) -> Reply:
    return _token(context, signing.ec2)


def s3(context: Context) -> Reply:
    """As `ec2`; the token itself is not handed out, which a signed URL alone would be good for."""
    reply = _token(context, signing.s3)
    return Reply(200, reply.body)


def _row(path: str, handler: Any) -> Operation:
    return Operation(
        method="POST", path=f"/v3/{path}", handler=handler, action=f"identity:{path}:validate",
        allow=ADMIN_OR_SERVICE, body=SignedBody, transaction=Transaction.NONE,
    )  # fmt: skip


OPERATIONS = [_row("ec2tokens", ec2), _row("s3tokens", s3)]
