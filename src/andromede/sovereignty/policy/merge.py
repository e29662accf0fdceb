"""Several policies into the one in force: of every field the strictest value, and where it was set.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from andromede.sovereignty.policy.model import (
    CLOUD,
    DEFAULTS,
    FIELDS,
    RETENTION_LEAST,
    Keys,
    OperatorAccess,
    Ownership,
    Policy,
    SupplierAccess,
    Switch,
)
from andromede.sovereignty.words import AND, Text, join, text

FINDING_DAYS = 30
SCOPES = {
    CLOUD: text(CLOUD, "le cloud"),
    DEFAULTS: text(DEFAULTS, "les valeurs par défaut du cloud"),
}


class Layer(Struct, frozen=True, kw_only=True):
    """One scope's policy."""

    scope: str
    policy: Policy


class Effective(Struct, frozen=True, kw_only=True):
    """What is in force for a project. Lists that are None accept everything.

    `set_at` names for each field the scopes that gave its value; one that nobody set is missing.
    """

    allowed_countries: frozenset[str] | None = None
    allowed_sites: frozenset[str] | None = None
    refused_jurisdictions: frozenset[str] = frozenset()
    individual_percent: Decimal | None = None
    together_percent: Decimal | None = None
    shown_required: bool = False
    required_keys: Keys = Keys.NONE
    backup_elsewhere: bool = False
    operator_access: OperatorAccess = OperatorAccess.CONSENT
    second_factor: Switch = Switch.ON
    administration_from: tuple[str, ...] | None = None
    supplier_access: SupplierAccess = SupplierAccess.ANY
    retention_days: int = RETENTION_LEAST
    finding_days: int = FINDING_DAYS
    set_at: dict[str, tuple[str, ...]] = {}
    layers: tuple[Layer, ...] = ()

    def where(self, field: str) -> Text:
        """Where a field's value was set, in words for people."""
        return join(map(scope_text, self.set_at.get(field, (DEFAULTS,))), AND)

    def refusing(self, field: str, value: str) -> Text:
        """The scopes whose own list does not let a value pass."""
        scopes = [each.scope for each in self.layers if _refuses(each.policy, field, value)]
        return join(map(scope_text, scopes), AND) if scopes else self.where(field)


def scope_text(scope: str) -> Text:
    """A scope in words; domains and projects are named as they are."""
    return SCOPES.get(scope) or Text(scope, scope)


def _refuses(policy: Policy, field: str, value: str) -> bool:
    own = getattr(policy, field)
    if own is None:
        return False
    return (value in own) if field == "refused_jurisdictions" else (value not in own)


def merge(layers: Sequence[Layer]) -> Effective:
    """The strictest of every field, over the cloud, the domain, parents and the project."""
    values: dict[str, Any] = {}
    set_at: dict[str, tuple[str, ...]] = {}
    for field, pick in _PICKS.items():
        given = [(each.scope, value) for each in layers if (value := _of(each.policy, field)) is not
                 None]  # fmt: skip
        if given:
            values[field], set_at[field] = pick(given)
    return Effective(**values, set_at=set_at, layers=tuple(layers))


def _of(policy: Policy, field: str) -> Any:
    if field in Ownership.__struct_fields__:
        return getattr(policy.ownership, field, None)
    return getattr(policy, field)


Given = list[tuple[str, Any]]
Picked = tuple[Any, tuple[str, ...]]


def _least(order: Callable[[Any], Any]) -> Callable[[Given], Picked]:
    """The value that comes first in the order of strictness, and every scope that says it."""

    def pick(given: Given) -> Picked:
        best = min((value for _, value in given), key=order)
        return best, tuple(scope for scope, value in given if order(value) == order(best))

    return pick


def _in_order(kind: Iterable[Any]) -> Callable[[Given], Picked]:
    """Members of an enumeration whose later ones are stricter."""
    ranks = {member: rank for rank, member in enumerate(kind)}
    return _least(lambda value: -ranks[value])


def _common(given: Given) -> Picked:
    """What every list has; the scopes are those that take something away."""
    everything = frozenset(each for _, value in given for each in value)
    kept = frozenset.intersection(*(frozenset(value) for _, value in given))
    cutting = [scope for scope, value in given if frozenset(value) != everything]
    return kept, tuple(cutting or [scope for scope, _ in given])


def _union(given: Given) -> Picked:
    merged = frozenset(each for _, value in given for each in value)
    return merged, tuple(scope for scope, value in given if value) or (given[0][0],)


def _last(given: Given) -> Picked:
    """Of a field that one scope only may set."""
    scope, value = given[-1]
    return value, (scope,)


_PICKS: dict[str, Callable[[Given], Picked]] = {
    "allowed_countries": _common,
    "allowed_sites": _common,
    "refused_jurisdictions": _union,
    "individual_percent": _least(lambda value: value),
    "together_percent": _least(lambda value: value),
    "shown_required": _least(lambda value: not value),
    "required_keys": _in_order(Keys),
    "backup_elsewhere": _least(lambda value: not value),
    "operator_access": _in_order(OperatorAccess),
    "second_factor": _in_order(Switch),
    "administration_from": _last,
    "supplier_access": _in_order(SupplierAccess),
    "retention_days": _least(lambda value: -value),
    "finding_days": _least(lambda value: value),
}
assert set(_PICKS) == {*FIELDS, *Ownership.__struct_fields__} - {"ownership"}


def shown(effective: Effective) -> dict[str, dict[str, Any]]:
    """Every field with its value as JSON-able and where it was set."""
    fields: dict[str, dict[str, Any]] = {}
    for name in _PICKS:
        value = getattr(effective, name)
        if isinstance(value, frozenset):
            value = sorted(value)
        elif isinstance(value, Decimal):
            value = str(value)
        fields[name] = {"value": value, "set_at": list(effective.set_at.get(name, (DEFAULTS,)))}
    return fields
