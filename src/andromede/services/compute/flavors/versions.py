"""How flavors changed: a description in 2.55, extra specs in 2.61, a plain swap in 2.75.

Source: the compute API's microversion history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.compute.versions import Conversion

SHOWN = frozenset({
    "compute:flavor:create", "compute:flavor:show", "compute:flavor:update",
    "compute:flavor:detail",
})  # fmt: skip
LISTED = frozenset({"compute:flavor:list"})


def _each(change: Callable[[dict[str, Any]], None]) -> Callable[[Any], Any]:
    def lower(body: Any) -> Any:
        for flavor in body["flavors"] if "flavors" in body else [body["flavor"]]:
            change(flavor)
        return body

    return lower


def _without(name: str) -> Callable[[Any], Any]:
    return _each(lambda flavor: flavor.pop(name, None) and None)


def _refuse_description(body: Any) -> Any:
    flavor = body.get("flavor") if isinstance(body, dict) else None
    if isinstance(flavor, dict) and "description" in flavor:
        raise BadRequest(
            "Additional properties are not allowed ('description' was unexpected): a flavor has "
            "a description from microversion 2.55 on."
        )
    return body


def _empty_swap(flavor: dict[str, Any]) -> None:
    flavor["swap"] = flavor["swap"] or ""


CONVERSIONS = [
    Conversion(since=(2, 55), actions=SHOWN | LISTED, lower=_without("description")),
    Conversion(
        since=(2, 55), actions=frozenset({"compute:flavor:create"}), lift=_refuse_description
    ),
    Conversion(since=(2, 61), actions=SHOWN, lower=_without("extra_specs")),
    Conversion(since=(2, 75), actions=SHOWN, lower=_each(_empty_swap)),
]
