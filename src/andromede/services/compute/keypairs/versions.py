"""How key pairs changed: types in 2.2, other users' for operators in 2.10, paging in 2.35.

Source: the compute API's microversion history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.compute.versions import Conversion

CREATE = frozenset({"compute:keypair:create"})
SHOWN = frozenset({"compute:keypair:create", "compute:keypair:show"})
LISTED = frozenset({"compute:keypair:list"})


def _refuse(name: str, since: str) -> Callable[[Any], Any]:
    def lift(body: Any) -> Any:
        keypair = body.get("keypair") if isinstance(body, dict) else None
        if isinstance(keypair, dict) and name in keypair:
            raise BadRequest(
                f"Additional properties are not allowed ('{name}' was unexpected): it is accepted "
                f"from microversion {since} on."
            )
        return body

    return lift


def _untyped(body: Any) -> Any:
    for entry in body.get("keypairs", [body]):
        entry["keypair"].pop("type")
    return body


CONVERSIONS = [
    Conversion(since=(2, 2), actions=CREATE, lift=_refuse("type", "2.2")),
    Conversion(since=(2, 2), actions=SHOWN | LISTED, lower=_untyped),
    Conversion(since=(2, 10), actions=CREATE, lift=_refuse("user_id", "2.10")),
]
