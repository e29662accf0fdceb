"""What is placed, as re-evaluation asks for it: one source for each kind of resource. Pure."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.sovereignty.policy.decide import Destination
from andromede.sovereignty.policy.model import Keys
from andromede.sovereignty.words import Text


class Source(Struct, frozen=True, kw_only=True):
    """All resources of a kind: `rows` selects `kind`, `id`, `project_id`, `site`. `keys`: whose key
    their data are encrypted with; None where they hold none."""

    kind: str
    rows: sa.Select[Any]
    keys: Keys | None = None

    def at(self, site: str) -> Destination:
        return Destination(site=site, keys=self.keys)


class Group(Struct, frozen=True, kw_only=True):
    """The resources of one kind, project and site, which one decision holds for."""

    kind: str
    project_id: str
    site: str


class Offence(Struct, frozen=True, kw_only=True):
    """One rule that a group offends, and where it was set; `resource` when it is about one alone."""

    group: Group
    rule: str
    set_at: str
    reason: Text
    days: int  # until it must be healed
    resource: str = ""
