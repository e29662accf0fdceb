"""Everything that this cloud has placed for its projects, of every service; and ways to it that
suppliers have."""

from __future__ import annotations

from collections.abc import Iterator

from andromede.config import Place
from andromede.db import Connection
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.image import api as image
from andromede.services.network import api as network
from andromede.sovereignty import suppliers
from andromede.sovereignty.findings import bulk
from andromede.sovereignty.findings.placed import Group, Offence, Source
from andromede.sovereignty.policy import store
from andromede.sovereignty.policy.model import AT_REST
from andromede.sovereignty.words import text
from andromede.sovereignty.world.check import Fault, FaultyWorld
from andromede.sovereignty.world.model import World

GRANT = "grant"
PAGE = 1000


def sources(home: str) -> list[Source]:
    """One for each kind of resource; `home` is the cloud's own site."""
    return [
        Source(kind="server", rows=compute.placements(), keys=AT_REST),
        Source(kind="image", rows=image.placements(), keys=AT_REST),
        *(Source(kind=kind, rows=rows) for kind, rows in network.placements(home).items()),
    ]


def require_unused(connection: Connection, home: Place, before: World, after: World) -> None:
    """Let no site lose its declaration while something is there: what nobody declares has no country,
    no holder and no law, and its evidence would say so from one day to the next.

    Errors: FaultyWorld, a conflict, with how many of each kind are there, and what can be done.
    """
    gone = before.sites.keys() - after.sites.keys()
    if not gone:
        return
    standing = compute.host_names(connection) - {
        host for site in after.sites.values() for host in site.hosts
    }
    held = {site: {"host": len(standing & {*before.sites[site].hosts})} for site in gone}
    for source in sources(home.site):
        for site, count in bulk.count_at(connection, source, gone).items():
            held[site][source.kind] = count
    faults = [
        Fault(text=text, conflict=True)
        for site in sorted(gone)
        if (text := _in_use(site, held[site])) is not None
    ]
    if faults:
        raise FaultyWorld(faults)


def _in_use(site: str, held: dict[str, int]) -> str | None:
    """What keeps a site declared, in words."""
    counts = ", ".join(f"{count} of kind {kind}" for kind, count in held.items() if count)
    if not counts:
        return None
    return (
        f"site {site} is in use, by {counts}: move or delete these first, and declare its hosts at "
        f"the site where they stand; to change what is said of the site, declare it anew"
    )


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
                    set_at=told.set_at.en,
                    reason=text("user {user}: data {why}", "utilisateur {user} : les données {why}",
                                user=user_id, why=told.why),
                    days=days,
                    resource=f"{user_id}/{project_id or 'several'}",
                )  # fmt: skip
        after = page[-1][0]
