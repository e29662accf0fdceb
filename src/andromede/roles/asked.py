"""What `up` was asked to have in the database, handed to the start that it makes: beside the cloud's
settings, for root alone. The start applies it in the transaction of its first rows."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from andromede import ids
from andromede.config import Paths, Place
from andromede.db import Connection
from andromede.services.sovereignty import placed
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.policy import model, store
from andromede.sovereignty.world.change import declare, differences
from andromede.sovereignty.world.document import Document


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Fields of the cloud's policy to set, the others stay as they are; and the world that is
    declared in place of the one before."""

    policy: dict[str, Any] = {}
    world: Document | None = None


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


def apply(connection: Connection, asked: Asked, place: Place) -> None:
    """Have the cloud as it was asked for; what changes is a leaf.

    Errors: ValueError for a faulty policy, or a world that does not hold together or leaves out a
    site that is in use.
    """
    if asked.world is not None:
        _declare(connection, asked.world, place)
    if asked.policy:
        _set_policy(connection, asked.policy)


def _declare(connection: Connection, world: Document, place: Place) -> None:
    before, after = declare(connection, world, place)
    placed.require_unused(connection, place, before, after)
    moved = differences(before, after)
    if moved:
        _log(connection, "sovereignty:world:declare", "world", dict(moved))


def _set_policy(connection: Connection, wanted: dict[str, Any]) -> None:
    before = store.get(connection, model.CLOUD)
    document = model.plain(before or model.EMPTY)
    ownership = {**document.get("ownership", {}), **wanted.get("ownership", {})}
    document |= wanted
    if ownership:
        document["ownership"] = ownership
    after = model.read(document, lax=True)
    if after == before:
        return
    store.put(connection, model.CLOUD, after)
    detail: dict[str, object] = {
        "before": None if before is None else model.plain(before),
        "after": model.plain(after),
    }
    _log(connection, "sovereignty:policy:replace", model.CLOUD, detail)


def _log(connection: Connection, action: str, subject: str, detail: dict[str, object]) -> None:
    append(
        connection,
        Leaf(
            action=action,
            subject=subject,
            request_id=f"req-{ids.new()}",
            status=200,
            project_id=EVERYONE,
            detail={**detail, "by": "andromede up"},
        ),
    )
