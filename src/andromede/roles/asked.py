"""What `up` was asked to have in the database, handed to the start that it makes: beside the cloud's
settings, for root alone. The start applies it in the transaction of its first rows."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from andromede import ids
from andromede.config import Paths
from andromede.db import Connection
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.policy import model, store


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Fields of the cloud's policy to set; the others stay as they are."""

    policy: dict[str, Any] = {}


def write(paths: Paths, asked: Asked) -> None:
    """Leave the wishes for the next start."""
    paths.asked.parent.mkdir(parents=True, exist_ok=True)
    paths.asked.touch(mode=0o600)
    paths.asked.write_bytes(msgspec.json.encode(asked))


def read(paths: Paths) -> Asked:
    """The wishes of this start.

    Errors: msgspec.DecodeError when the file is damaged.
    """
    try:
        return msgspec.json.decode(paths.asked.read_bytes(), type=Asked)
    except FileNotFoundError:
        return Asked()


def forget(paths: Paths) -> None:
    """They are fulfilled: the transaction that held them stands."""
    paths.asked.unlink(missing_ok=True)


def apply(connection: Connection, asked: Asked) -> None:
    """Have the cloud as it was asked for; a policy that changes is a leaf.

    Errors: ValueError for a faulty policy.
    """
    if not asked.policy:
        return
    before = store.get(connection, model.CLOUD)
    document = model.plain(before or model.EMPTY)
    ownership = {**document.get("ownership", {}), **asked.policy.get("ownership", {})}
    document |= asked.policy
    if ownership:
        document["ownership"] = ownership
    after = model.read(document, lax=True)
    if after == before:
        return
    store.put(connection, model.CLOUD, after)
    append(
        connection,
        Leaf(
            action="sovereignty:policy:replace",
            subject=model.CLOUD,
            request_id=f"req-{ids.new()}",
            status=200,
            project_id=EVERYONE,
            detail={
                "before": None if before is None else model.plain(before),
                "after": model.plain(after),
                "by": "andromede up",
            },
        ),
    )
