"""What a request can be refused with, and each service's native way of saying so."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """A refusal: an HTTP status, a message for people, and a type name where the service has one.

    The message says what was tried, on what, why it failed and what would be accepted.
    """

    status = 500

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str | None = None,  # noqa: A002 (the network API's word)
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status or type_status(self)
        self.type = type
        self.headers = dict(headers or {})


def type_status(error: ApiError) -> int:
    return error.__class__.status


class BadRequest(ApiError):
    status = 400


class Unauthorized(ApiError):
    status = 401


class Forbidden(ApiError):
    status = 403


class NotFound(ApiError):
    status = 404


class MethodNotAllowed(ApiError):
    status = 405


class NotAcceptable(ApiError):
    status = 406


class Conflict(ApiError):
    status = 409


class TooLarge(ApiError):
    status = 413


class UnsupportedMediaType(ApiError):
    status = 415


class OverLimit(Forbidden):
    """A quota would be exceeded."""


class Unavailable(ApiError):
    status = 503


COMPUTE_NAMES = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
NETWORK_NAMES = {
    400: "HTTPBadRequest",
    403: "HTTPForbidden",
    404: "HTTPNotFound",
    405: "HTTPMethodNotAllowed",
    406: "HTTPNotAcceptable",
    408: "HTTPRequestTimeout",
    409: "HTTPConflict",
    412: "HTTPPreconditionFailed",
    413: "HTTPRequestEntityTooLarge",
    415: "HTTPUnsupportedMediaType",
    501: "HTTPNotImplemented",
    503: "HTTPServiceUnavailable",
}


def reason(status: int) -> str:
    """The standard phrase of a status, `Not Found` for 404."""
    return HTTPStatus(status).phrase


def identity_shape(error: ApiError) -> Any:
    """Identity's own; and that of each service whose tokens identity's middleware validates, where it
    refuses one."""
    return {
        "error": {"code": error.status, "title": reason(error.status), "message": error.message}
    }


def compute_shape(error: ApiError) -> Any:
    if error.status == 401:
        return identity_shape(error)
    name = COMPUTE_NAMES.get(error.status, "computeFault")
    return {name: {"code": error.status, "message": error.message}}


def network_shape(error: ApiError) -> Any:
    if error.status == 401:
        return identity_shape(error)
    name = error.type or NETWORK_NAMES.get(error.status, "HTTPInternalServerError")
    return {"NeutronError": {"type": name, "message": error.message, "detail": ""}}


def plain_shape(error: ApiError) -> Any:
    """The shape of services that answer `{"message", "code", "title"}` (image, sovereignty)."""
    return {"message": error.message, "code": error.status, "title": reason(error.status)}
