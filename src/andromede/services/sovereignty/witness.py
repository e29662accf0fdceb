"""This cloud as a witness of other logs: `POST /witness/add-checkpoint` (C2SP tlog-witness).

Nothing is asked of the caller but that the log itself signed what is submitted. A cosignature is no
leaf: two clouds that are each other's witness would never come to rest.
"""

from __future__ import annotations

import structlog

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Forbidden, NotFound, plain_shape
from andromede.http.operation import Operation, Reply, Service, Transaction
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log import witnessing
from andromede.sovereignty.log.witnessing import Submission

log = structlog.get_logger("witness")
SIZE = "text/x.tlog.size"
NOTE = "text/plain; charset=utf-8"


def add_checkpoint(context: Context) -> Reply:
    """Cosign a checkpoint that continues the last one of its log.

    Errors: BadRequest for a malformed body; NotFound for a log that is not witnessed; Forbidden
    when the log did not sign it. Answers 409 with the last size for another one, 409 for a split
    view, 422 for a proof that does not hold.
    """
    database = context.cloud.database
    try:
        given = witnessing.read_submission(context.raw_body)
        with database.read() as connection:
            witnessing.vet(connection, given)
        database.transact(lambda connection: witnessing.record(connection, given))
    except witnessing.UnknownLog as error:
        raise NotFound(f"{error}.") from error
    except witnessing.NotItsLog as error:
        raise Forbidden(f"The checkpoint is refused: {error}.") from error
    except witnessing.Inconsistent as error:
        log.warning("inconsistent", origin=given.head.origin, reason=str(error))
        raise ApiError(f"The checkpoint is refused: {error}.", status=422) from error
    except witnessing.Stale as error:
        return Reply(409, f"{error.size}\n".encode(), media_type=SIZE)
    except witnessing.SplitView as error:
        return _accuse(context, given, error.text)
    except ValueError as error:
        raise BadRequest(f"The submission is not valid: {error}.") from error
    return Reply(200, _cosign(context, given), media_type=NOTE)


def _cosign(context: Context, given: Submission) -> bytes:
    keys = context.cloud.keys
    assert keys is not None
    name = notes.verifier(keys.witness_verifier()).name
    payload = keys.cosign_checkpoint(given.note.text.encode())
    return notes.signature_line(name, payload).encode()


def _accuse(context: Context, given: Submission, text: str) -> Reply:
    news = context.cloud.database.transact(
        lambda connection: witnessing.accuse(connection, given, text)
    )
    if news:
        log.error("split view", origin=given.head.origin, reason=text, note=given.signed)
    raise ApiError(f"The checkpoint is refused: {text}.", status=409)


SERVICE = Service(
    name="witness",
    type="witness",
    mount="/witness",
    error_shape=plain_shape,
    operations=[
        Operation(
            method="POST", path="/add-checkpoint", handler=add_checkpoint,
            action="witness:checkpoint:add", allow=None, plain=True, transaction=Transaction.OWN,
        )
    ],
)  # fmt: skip
