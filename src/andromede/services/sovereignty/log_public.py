"""Handlers of the log as everybody reads it, without a token: C2SP tlog-tiles, and its keys.

The tree holds commitments only, so nothing here tells of customers.
"""

from __future__ import annotations

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Reply
from andromede.sovereignty.log import gather, tiles
from andromede.sovereignty.log.bundle import Link, to_text
from andromede.sovereignty.log.mirror import as_bundle
from andromede.sovereignty.log.paths import TilePath, read_path
from andromede.sovereignty.log.sequencer import latest
from andromede.sovereignty.log.tree import HASH, WIDTH

NOTE = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}
DEEPEST = 5  # segments of a tile's path after its level: enough for 256 * 1000**4 leaves


class Keys(Struct, kw_only=True):
    """The verifier keys of this cloud's log and of its witness, as C2SP signed notes write them."""

    log: str
    witness: str


def signed_size(context: Context) -> int:
    """How many leaves the newest checkpoint covers.

    Errors: NotFound while the log is empty.
    """
    newest = latest(context.conn)
    if newest is None:
        raise NotFound("The log has no checkpoint yet: it is empty.")
    return int(newest.size)


def number(context: Context, name: str, default: int) -> int:
    """A count of leaves from the query.

    Errors: BadRequest.
    """
    text = context.first(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(f"{name} {text!r} is not valid: a whole number from 0 is accepted.")
    return int(text)


def checkpoint(context: Context) -> Reply:
    """The newest checkpoint, a C2SP signed note, with the cosignatures it has.

    Errors: NotFound while the log is empty.
    """
    signed_size(context)
    note = gather.signed_note(context.conn)
    assert note is not None
    return Reply(200, note.encode(), FRESH, media_type=NOTE)


def tile(context: Context) -> Reply:
    """A tile of hashes or a bundle of entries.

    Errors: BadRequest for a malformed path; NotFound for a tile that the newest checkpoint does not
    cover.
    """
    try:
        path = read_path(list(context.params.values()))
    except ValueError as error:
        raise BadRequest(f"{error}.") from error
    size = signed_size(context)
    level = path.level or 0
    there = size >> 8 * level
    if path.number * WIDTH + path.width > there:
        raise NotFound(f"{path} is not there: the newest checkpoint covers {size} leaves.")
    return Reply(200, _content(context, path), FOREVER, media_type=BYTES)


def _content(context: Context, path: TilePath) -> bytes:
    if path.level is None:
        return as_bundle(tiles.entries(context.conn, path.number)[: path.width * HASH])
    return tiles.hashes(context.conn)(path.level, path.number)[: path.width * HASH]


def consistency(context: Context) -> Link:
    """The proof that the first leaves are the beginning of a later tree, of the newest by default.

    Errors: BadRequest for sizes that are none of this log's.
    """
    size = signed_size(context)
    second = number(context, "second", size)
    first = number(context, "first", 0)
    if not 0 < first <= second <= size:
        raise BadRequest(
            f"first {first} and second {second} are not valid: 1 <= first <= second <= {size} is "
            f"accepted."
        )
    proof = to_text(gather.tree(context.conn, second).consistency(first))
    return Link(first=first, second=second, proof=proof)


def keys(context: Context) -> Keys:
    """The verifier keys, for those who have no safer way to get them."""
    held = context.cloud.keys
    assert held is not None
    return Keys(log=held.log_verifier(), witness=held.witness_verifier())
