"""Handlers of what a customer takes away of the log: proofs of inclusion, and bundles."""

from __future__ import annotations

import base64

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.paging import read_page
from andromede.services.sovereignty.log import project_of
from andromede.services.sovereignty.log_public import number, signed_size
from andromede.sovereignty.log import gather, leaves
from andromede.sovereignty.log.bundle import Bundle, to_text
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.log.sequencer import latest

MOST_EARLIER = 100


class Inclusion(Struct, kw_only=True):
    """Where a leaf is in the tree of `size` leaves. `commitment` is hexadecimal, `root` and the
    hashes of `proof`, from the leaf up, are base64."""

    leaf: str
    index: int
    size: int
    commitment: str
    root: str
    proof: list[str]


def inclusion(context: Context) -> Inclusion:
    """The inclusion proof of a leaf by its id, in the newest tree or in one of `size` leaves.

    Errors: BadRequest without a leaf, or for a size that does not hold it; NotFound for a leaf of
    others; Conflict while it waits for its number.
    """
    leaf_id = context.first("leaf")
    if not leaf_id:
        raise BadRequest("leaf is missing: the id of a leaf is accepted.")
    row = leaves.find(context.conn, leaf_id, project_of(context))
    if row is None:
        raise NotFound(f"Leaf {leaf_id} could not be found.")
    index = row["position"]
    newest = signed_size(context) if index is not None else 0
    if index is None or index >= newest:
        raise Conflict(f"Leaf {leaf_id} has no number under a checkpoint yet: ask in a second.")
    size = number(context, "size", newest)
    if not index < size <= newest:
        raise BadRequest(f"size {size} is not valid: {index + 1} to {newest} is accepted.")
    tree = gather.tree(context.conn, size)
    return Inclusion(
        leaf=leaf_id,
        index=index,
        size=size,
        commitment=leaves.commitment_of(row).hex(),
        root=base64.b64encode(tree.root()).decode(),
        proof=to_text(tree.inclusion(index)),
    )


def bundle(context: Context) -> Bundle:
    """A project's leaves with all that is needed to verify them offline.

    Errors: Forbidden for another project; BadRequest for a faulty parameter or an unscoped caller.
    """
    page = read_page(context.query)
    project = project_of(context)
    if project is None or project == EVERYONE:
        raise BadRequest("project_id is missing: the project whose leaves to take is accepted.")
    earlier = _earlier(context)
    held = context.cloud.keys
    assert held is not None
    log = held.log_verifier()
    with context.cloud.database.read() as connection:
        after = None
        if page.marker is not None:
            after = leaves.arrival(connection, page.marker, project)
            if after is None:
                raise BadRequest(f"marker {page.marker!r} is not valid: it is no leaf of yours.")
        newest = latest(connection)
        largest = 0 if newest is None else newest.size
        if any(size > largest for size in earlier):
            raise BadRequest(f"consistent_with: sizes from 1 to {largest} are accepted.")
        size = page.size(gather.MOST)
        return gather.bundle(connection, project, log, after=after, limit=size, earlier=earlier)


def _earlier(context: Context) -> list[int]:
    """The sizes of `consistent_with`, which may be repeated."""
    given = [value for name, value in context.query if name == "consistent_with"]
    if len(given) > MOST_EARLIER or not all(
        each.isascii() and each.isdigit() and len(each) < 19 and int(each) for each in given
    ):
        raise BadRequest(
            f"consistent_with is not valid: at most {MOST_EARLIER} sizes from 1 are accepted."
        )
    return [int(each) for each in given]
