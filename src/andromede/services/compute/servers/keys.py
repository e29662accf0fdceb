"""The key pair a server is made with: its owner's, copied, so that deleting it changes nothing."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.services.compute.keypairs import store
from andromede.services.compute.keypairs.store import Keypair


def find(context: Context, name: str | None) -> Keypair | None:
    """The caller's key pair of that name.

    Errors: BadRequest when there is none.
    """
    if name is None:
        return None
    try:
        return store.get(context.conn, context.caller.user_id, name)
    except NotFound as error:
        raise BadRequest("Invalid key_name provided.") from error
