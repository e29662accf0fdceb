"""Everything that this cloud has placed for its projects, of every service; and ways to it that
suppliers have."""

from __future__ import annotations

from collections.abc import Iterator

from andromede.db import Connection
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.image import api as image
from andromede.sovereignty import suppliers
from andromede.sovereignty.findings.placed import Group, Offence, Source
from andromede.sovereignty.policy import store
from andromede.sovereignty.policy.model import AT_REST

GRANT = "grant"
PAGE = 1000


def sources() -> list[Source]:
    """One for each kind of resource."""
    return [
        Source(kind="server", rows=compute.placements(), keys=AT_REST),
        Source(kind="image", rows=image.placements(), keys=AT_REST),
    ]


def grants(connection: Connection) -> Iterator[Offence]:
    """The ways that users of suppliers have to projects whose policies keep these away."""
    after: str | None = None
    while page := suppliers.page(connection, after, PAGE):
        for user_id, entity in page:
            for project_id in identity.opened_to(connection, user_id):
                told = suppliers.refusal(connection, project_id, entity)
                if told is None:
                    continue
                days = store.effective(connection, project_id or "").finding_days
                yield Offence(
                    group=Group(kind=GRANT, project_id=project_id or "", site=""),
                    rule=told.rule,
                    set_at=told.set_at,
                    reason=f"user {user_id}: data {told.why}",
                    days=days,
                    resource=f"{user_id}/{project_id or 'several'}",
                )
        after = page[-1][0]
