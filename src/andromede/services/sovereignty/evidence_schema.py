"""Bodies of the evidence part of the sovereignty API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from andromede.sovereignty.evidence.public import PublicPage
from andromede.sovereignty.evidence.seal import Seal


class SealAnswer(Struct, forbid_unknown_fields=True, kw_only=True):
    """An operator's answer to a criterion that no state answers: which of its answers, counted from
    the lowest as 1, and why, in English and French."""

    answer: Annotated[int, Meta(ge=1, le=9)]
    because_en: Annotated[str, Meta(min_length=1, max_length=1000)]
    because_fr: Annotated[str, Meta(min_length=1, max_length=1000)]


class SealAnswerBody(Struct, forbid_unknown_fields=True):
    answer: SealAnswer


class SealBody(Struct, frozen=True):
    seal: Seal


class PublicBody(Struct, frozen=True):
    public: PublicPage
