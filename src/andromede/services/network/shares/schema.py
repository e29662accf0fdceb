"""The attributes of a sharing policy."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema
from andromede.services.network.shares.kinds import KINDS
from andromede.services.network.shares.store import EVERYONE, EXTERNAL, SHARED


def kind(value: Any) -> str:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in KINDS:
        raise ValueError(f"'{value}' is not a valid RBAC object type: {', '.join(KINDS)} are")
    return word


def target(value: Any) -> str:
    """A project's id, or `*` for every project."""
    word: str = checks.text(64)(value)
    if word != EVERYONE and not (word and word.isprintable()):
        raise ValueError(f"'{value}' is not a valid target project: an id or '*' is")
    return word


POLICY = Schema(
    "rbac_policy",
    "rbac_policies",
    [
        *(each for each in STANDARD if each.name in ("id", "project_id", "tenant_id")),
        Attribute(name="object_type", reader=kind, put=False, default=REQUIRED),
        Attribute(name="object_id", reader=checks.identifier, put=False, default=REQUIRED),
        Attribute(name="target_tenant", reader=target, default=REQUIRED),
        Attribute(
            name="action",
            reader=checks.one_of(SHARED, EXTERNAL),
            put=False,
            default=REQUIRED,
        ),
    ],
)
