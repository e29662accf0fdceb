"""The request body of server groups on the latest version.

Source: the compute API's reference, "Create Server Group".
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Policy = Literal["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"]


class Rules(Struct, forbid_unknown_fields=True):
    max_server_per_host: int | str | UnsetType = UNSET


class NewGroup(Struct, forbid_unknown_fields=True):
    name: str
    policy: Policy
    rules: Rules | None = None


class GroupBody(Struct, forbid_unknown_fields=True):
    server_group: NewGroup
