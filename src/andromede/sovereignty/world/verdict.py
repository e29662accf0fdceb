"""Whether an entity is shown to be owned within the European Union's thresholds. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    SHOWN = "shown"
    FAILED = "failed"
    NOT_SHOWN = "not-shown"


class Reason(Struct, frozen=True, kw_only=True):
    """One fact that a verdict rests on. `share` is a percentage, as a decimal string."""

    code: str
    entity: str
    text: str
    share: str | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """`non_eu_individual` and `non_eu_together` are percentages as decimal strings, the larger of
    capital and votes."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    non_eu_individual: str = "0"
    non_eu_together: str = "0"

    @property
    def shown(self) -> bool:
        return self.outcome is Outcome.SHOWN
