"""What microversions changed in the requests that would move servers between hosts.

Source: the compute API's "REST API Version History": 2.14, 2.25, 2.29, 2.30, 2.56 and 2.68.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.compute import values
from andromede.services.compute.versions import Conversion

MIGRATE = frozenset({"compute:server:migrate"})
LIVE = frozenset({"compute:server:live-migrate"})
EVACUATE = frozenset({"compute:server:evacuate"})


def _asked(body: Any, key: str) -> dict[str, Any]:
    """What a request asks for, or nothing when it is of another shape: the schema says so."""
    asked = body.get(key) if isinstance(body, dict) else None
    return asked if isinstance(asked, dict) else {}


def _hostless(body: Any) -> Any:
    """Until 2.56 whatever stood under `migrate` meant nothing."""
    return {"migrate": None} if isinstance(body, dict) else body


def _refusing(key: str, since: str) -> Callable[[Any], Any]:
    def lift(body: Any) -> Any:
        if "force" in _asked(body, key):
            raise BadRequest(
                f"Additional properties are not allowed (force): microversion {since} accepts it."
            )
        return body

    return lift


def _forcing(key: str) -> Callable[[Any], Any]:
    """Until 2.68 a host could be forced, which had to be named."""

    def lift(body: Any) -> Any:
        asked = _asked(body, key)
        forced = "force" in asked and values.boolean(asked.pop("force"), "force")
        if forced and not asked.get("host"):
            raise BadRequest("Can't force to a non-provided destination")
        return body

    return lift


def _required(asked: dict[str, Any], name: str) -> bool:
    if name not in asked:
        raise BadRequest(f"Invalid input: {name} is required until it leaves the request.")
    return values.boolean(asked.pop(name), name)


def _over_commit(body: Any) -> Any:
    """Until 2.25 the disk's room was chosen by the request, and how it moves by no one else."""
    asked = _asked(body, "os-migrateLive")
    if asked:
        _required(asked, "disk_over_commit")
        values.boolean(asked.get("block_migration"), "block_migration")
    return body


def _shared_storage(body: Any) -> Any:
    """Until 2.14 the request told whether the disk is there already."""
    if not isinstance(body, dict) or not isinstance(body.get("evacuate"), dict):
        return body
    asked = body["evacuate"]
    if _required(asked, "onSharedStorage") and "adminPass" in asked:
        raise BadRequest("admin password can't be changed on existing disk")
    return body


CONVERSIONS = [
    Conversion(since=(2, 14), actions=EVACUATE, lift=_shared_storage),
    Conversion(since=(2, 25), actions=LIVE, lift=_over_commit),
    Conversion(since=(2, 29), actions=EVACUATE, lift=_refusing("evacuate", "2.29 to 2.67")),
    Conversion(since=(2, 30), actions=LIVE, lift=_refusing("os-migrateLive", "2.30 to 2.67")),
    Conversion(since=(2, 56), actions=MIGRATE, lift=_hostless),
    Conversion(since=(2, 68), actions=EVACUATE, lift=_forcing("evacuate")),
    Conversion(since=(2, 68), actions=LIVE, lift=_forcing("os-migrateLive")),
]
