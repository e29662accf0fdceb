"""Bodies of policies. Source: the identity API v3, "Policies"."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Text

Kind = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")]


class NewPolicy(Struct):
    blob: Text
    type: Kind


class NewPolicyBody(Struct):
    policy: NewPolicy


class PolicyChange(Struct):
    blob: Text | UnsetType = UNSET
    type: Kind | UnsetType = UNSET


class PolicyChangeBody(Struct):
    policy: PolicyChange
