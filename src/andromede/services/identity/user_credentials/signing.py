"""Signatures of requests by an access key and its secret. Pure.

Source: "Signature Version 2" and "AWS Signature Version 4" of the Amazon EC2 and S3 references, and
the identity API's OS-EC2 and S3 extensions for the shape of what is signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import Struct

V4 = "AWS4-HMAC-SHA256"
WINDOW = 15 * 60  # seconds around its moment in which a request is accepted
S3_SERVICES = {"s3", "iam", "sts"}


class Unsigned(ValueError):
    """What was given is no signed request of a kind that is known, and says why."""


class Request(Struct, kw_only=True):
    """A signed request as the service that got it passes it on."""

    access: str
    signature: str = ""
    verb: str = "GET"
    host: str = ""
    path: str = "/"
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    body_hash: str = ""
    token: str = ""  # of S3: the text that was signed, in base64


def _mac(key: bytes, text: str | bytes, method: str = "sha256") -> bytes:
    return hmac.digest(key, text.encode() if isinstance(text, str) else text, method)


def _query(params: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(key, safe='-_.~')}={quote(params[key], safe='-_.~')}" for key in sorted(params)
    )


def _scope_key(secret: str, scope: list[str]) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = _mac(key, part)
    return key


def version2(request: Request, secret: str) -> str:
    """The signature, by HMAC-SHA-256 unless the request says HMAC-SHA-1."""
    method = request.params.get("SignatureMethod", "HmacSHA256")
    if method not in ("HmacSHA256", "HmacSHA1"):
        raise Unsigned(f"the signature method {method} is not known: HmacSHA256 or HmacSHA1")
    params = {key: value for key, value in request.params.items() if key != "Signature"}
    text = f"{request.verb}\n{request.host}\n{request.path}\n{_query(params)}"
    digest = _mac(secret.encode(), text, "sha1" if method == "HmacSHA1" else "sha256")
    return base64.b64encode(digest).decode()


def _field(request: Request, name: str) -> str:
    """A part of what was signed, from the header Authorization or from the query."""
    told = _header(request, "authorization")
    found = request.params.get(f"X-Amz-{name}", "")
    if told:
        found = told.partition(f"{name}=")[2].partition(",")[0].strip()
    if not found:
        raise Unsigned(f"{name} is missing")
    return found


def _header(request: Request, name: str) -> str:
    return next((v for k, v in request.headers.items() if k.lower().strip() == name), "")


def version4(request: Request, secret: str) -> str:
    signed = _field(request, "SignedHeaders")
    credential = _field(request, "Credential").split("/")
    moment = _header(request, "x-amz-date") or request.params.get("X-Amz-Date", "")
    if len(credential) != 5 or credential[4] != "aws4_request":
        raise Unsigned("the credential scope is not ACCESS/DAY/REGION/SERVICE/aws4_request")
    if credential[0] != request.access or not moment.startswith(credential[1]):
        raise Unsigned("the credential scope is of another access key or day")
    params = {k: v for k, v in request.params.items() if k != "X-Amz-Signature"}
    headers = "".join(f"{each}:{_header(request, each).strip()}\n" for each in signed.split(";"))
    query = "" if request.verb.upper() == "POST" else _query(params)
    parts = [request.verb.upper(), request.path, query, headers, signed, request.body_hash]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    text = f"{V4}\n{moment}\n{'/'.join(credential[1:])}\n{digest}"
    return _mac(_scope_key(secret, credential[1:]), text).hex()


def ec2(request: Request, secret: str) -> str:
    """The signature that a request to EC2 ought to bear. Errors: Unsigned."""
    version = request.params.get("SignatureVersion")
    if version == "2":
        return version2(request, secret)
    algorithm = request.params.get("X-Amz-Algorithm")
    if algorithm == V4 or _header(request, "authorization").startswith(V4):
        return version4(request, secret)
    raise Unsigned(f"the signature version {version} is not known: 2, or {V4}")


def s3(request: Request, secret: str) -> str:
    """The signature of the text that a request to S3 amounts to. Errors: Unsigned."""
    try:
        text = base64.urlsafe_b64decode(request.token)
    except (binascii.Error, ValueError) as error:
        raise Unsigned("the token is not base64url") from error
    if not text.startswith(b"AWS4"):
        return base64.b64encode(_mac(secret.encode(), text, "sha1")).decode()
    parts = text.decode("utf-8", "replace").split("\n")
    scope = parts[2].split("/") if len(parts) == 4 and parts[0] == V4 else []
    if len(scope) != 4 or scope[3] != "aws4_request" or scope[2] not in S3_SERVICES:
        raise Unsigned(f"the text that was signed is none of {V4} for S3")
    return _mac(_scope_key(secret, scope), text).hex()


def fits(request: Request, expected: str) -> bool:
    return hmac.compare_digest(expected.encode(), request.signature.encode())


def late(request: Request, now: float) -> bool:
    """Whether the request's moment is too far from `now` (seconds since the epoch), or over.

    Errors: Unsigned when the moment is none.
    """
    expires = request.params.get("Expires")
    if expires is not None and request.params.get("SignatureVersion") == "2":
        return now > _seconds(expires)
    moment = request.params.get("Timestamp") or _header(request, "x-amz-date")
    moment = moment or request.params.get("X-Amz-Date", "")
    return bool(moment) and abs(now - _seconds(moment)) > WINDOW


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unsigned(f"{text!r} is no timestamp") from error
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
