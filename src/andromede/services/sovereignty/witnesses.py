"""Handlers of who is whose witness: the witnesses of this log, and the logs witnessed here."""

from __future__ import annotations

import re
import ssl
from typing import Annotated, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from msgspec import Meta, Struct

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Reply
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log import witnesses, witnessing
from andromede.sovereignty.log.leaves import EVERYONE

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Key = Annotated[str, Meta(min_length=1, max_length=512)]


class WitnessBody(Struct, forbid_unknown_fields=True):
    """A witness to submit checkpoints to: its submission prefix (https), its verifier key, and the
    PEM of who signed its server's certificate, where no public authority did."""

    url: Annotated[str, Meta(min_length=1, max_length=1024)]
    verifier: Key
    certificate: Annotated[str, Meta(max_length=65536)] | None = None


class LogBody(Struct, forbid_unknown_fields=True):
    """The verifier key of a log to be a witness of."""

    verifier: Key


class WitnessView(Struct, kw_only=True):
    """A witness of this log. `size` is the last tree it cosigned, `seen` when, `problem` why it did
    not since; `conflict` says that it saw another log than this one."""

    name: str
    url: str
    verifier: str
    size: int
    seen: str | None
    problem: str | None
    conflict: bool


class WitnessedLog(Struct, kw_only=True):
    """A log that this cloud is a witness of. `conflict` is a signed note that contradicts the
    checkpoint of `size` leaves: the evidence of a split view."""

    origin: str
    verifier: str
    size: int
    time: str | None
    conflict: str | None


class WitnessList(Struct, kw_only=True):
    witnesses: list[WitnessView]


class WitnessedList(Struct, kw_only=True):
    logs: list[WitnessedLog]


def _key(text: str, kind: int, what: str) -> notes.Verifier:
    """Errors: BadRequest."""
    try:
        key = notes.verifier(text)
    except notes.NoteError as error:
        raise BadRequest(f"verifier is not valid: {error}.") from error
    if key.kind != kind:
        raise BadRequest(f"verifier is not valid: the key of a {what} (type {kind}) is accepted.")
    return key


def _moment(time: int | None) -> str | None:
    return None if time is None else clock.iso(time)


def index(context: Context) -> WitnessList:
    """The witnesses of this cloud's log."""
    return WitnessList(witnesses=[_view(row) for row in witnesses.all_of(context.conn)])


def _view(row: sa.RowMapping) -> WitnessView:
    same: dict[str, Any] = {
        key: row[key] for key in ("name", "url", "verifier", "size", "problem", "conflict")
    }
    return WitnessView(**same, seen=_moment(row["seen"]))


def put(context: Context) -> WitnessView:
    """Submit the log's checkpoints to a witness from now on. Errors: BadRequest."""
    name, body = context.params["name"], context.body
    if not NAME.fullmatch(name):
        raise BadRequest(
            f"name {name!r} is not valid: up to 64 lower-case letters, digits, dots, hyphens and "
            f"underscores are accepted."
        )
    where = urlsplit(body.url)
    if where.scheme != "https" or not where.hostname or where.query or where.fragment:
        raise BadRequest(f"url {body.url!r} is not valid: https://HOST[:PORT][/PATH] is accepted.")
    _key(body.verifier, notes.COSIGNATURE, "witness")
    if body.certificate is not None:
        _require_certificate(body.certificate)
    witnesses.put(context.conn, name, body.url.rstrip("/"), body.verifier, body.certificate)
    context.concerns(name, EVERYONE)
    context.notes = {"url": body.url, "verifier": body.verifier}
    return _view(next(row for row in witnesses.all_of(context.conn) if row["name"] == name))


def _require_certificate(pem: str) -> None:
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, TypeError, ValueError) as error:  # TypeError: beyond ASCII
        raise BadRequest(f"certificate is not valid: PEM is accepted ({error}).") from error


def delete(context: Context) -> Reply:
    """Submit nothing to a witness any more. Errors: NotFound."""
    name = context.params["name"]
    if not witnesses.remove(context.conn, name):
        raise NotFound(f"Witness {name} could not be found.")
    context.concerns(name, EVERYONE)
    return Reply(204)


def logs(context: Context) -> WitnessedList:
    """The logs that this cloud is a witness of."""
    return WitnessedList(logs=[_log(row) for row in witnessing.watched(context.conn)])


def _log(row: sa.RowMapping) -> WitnessedLog:
    return WitnessedLog(
        origin=row["origin"],
        verifier=row["verifier"],
        size=row["size"],
        time=_moment(row["time"]),
        conflict=row["conflict"],
    )


def _found(context: Context) -> sa.RowMapping:
    """Errors: NotFound."""
    origin = context.params["origin"]
    found = witnessing.watched(context.conn, origin)
    if not found:
        raise NotFound(f"This cloud is no witness of {origin}.")
    return found[0]


def show_log(context: Context) -> WitnessedLog:
    """Errors: NotFound."""
    return _log(_found(context))


def put_log(context: Context) -> WitnessedLog:
    """Be a witness of a log, from its beginning. Errors: BadRequest."""
    origin = context.params["origin"]
    key = _key(context.body.verifier, notes.ED25519, "log")
    if key.name != origin:
        raise BadRequest(f"verifier is not valid: it is the key of {key.name}, not of {origin}.")
    witnessing.watch(context.conn, origin, str(key))
    context.concerns(origin, EVERYONE)
    context.notes = {"verifier": str(key)}
    return show_log(context)


def delete_log(context: Context) -> Reply:
    """Be no witness of a log any more; what was seen of it is forgotten. Errors: NotFound."""
    _found(context)
    witnessing.forget(context.conn, context.params["origin"])
    context.concerns(context.params["origin"], EVERYONE)
    return Reply(204)
