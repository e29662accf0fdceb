"""Handler of plans: for what offends a policy, an admissible place to go, or why there is none.

A plan is worked out from what is declared and in force now, not from when the findings opened.
"""

from __future__ import annotations

from typing import Any

import msgspec

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.paging import next_link, read_page
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.network import api as network
from andromede.services.sovereignty import placed
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.findings.placed import Source
from andromede.sovereignty.policy import decide, store
from andromede.sovereignty.policy.merge import Effective
from andromede.sovereignty.words import THEN, Text, join, text
from andromede.sovereignty.world import facts
from andromede.sovereignty.world.facts import Facts

MOST = 1000
MAKE_AGAIN = text(
    "make it again in the cloud of that site, then delete this one",
    "recréez-le dans le cloud de ce site, puis supprimez celui-ci",
)
BY_HAND = {
    "server": text(
        "make a server there from the same image, move what it holds, delete this one",
        "créez-y un serveur à partir de la même image, déplacez son contenu, puis supprimez "
        "celui-ci",
    ),
    "image": text(
        "upload it again to the cloud of that site, then delete this one",
        "déposez-la de nouveau dans le cloud de ce site, puis supprimez celle-ci",
    ),
    "port": text(
        "it is where its server is: make a server there, with a port there, delete this one",
        "il est là où est son serveur : créez-y un serveur, avec un port, puis supprimez celui-ci",
    ),
    "network": MAKE_AGAIN,
    "subnet": MAKE_AGAIN,
    "router": MAKE_AGAIN,
    "floatingip": text(
        "take one of the cloud of that site, then release this one",
        "prenez-en une dans le cloud de ce site, puis libérez celle-ci",
    ),
}
STAYS = text(
    "it may stay: it offends no rule any more",
    "elle peut rester où elle est : elle n'enfreint plus aucune règle",
)


def show(context: Context) -> object:
    """For each resource of the project that stands where its policies do not let it be: `to`, a site
    that every rule accepts, or None and in `why` (French: `why_fr`) what each site lacks.

    Errors: NotFound for a project that the caller may not know of; BadRequest for a faulty marker.
    """
    project = context.params["id"]
    operator = context.caller.admin and identity.project_exists(context.conn, project)
    if project != context.caller.project_id and not operator:
        raise NotFound(f"Project {project} could not be found.")
    page = read_page(context.query)
    kind, slash, key = (page.marker or "/").partition("/")
    if not slash:
        raise BadRequest(f"marker {page.marker!r} is not valid: KIND/ID is accepted.")
    sources = {each.kind: each for each in placed.sources(context.cloud.config.place.site)}
    size = page.size(MOST)
    rows = findings.offending(context.conn, project, list(sources), (kind, key), size + 1)
    policy, known = store.effective(context.conn, project), facts.current(context.conn)
    plan = _Plan(context, policy, known)
    ports = [row["resource"] for row in rows[:size] if row["kind"] == "port"]
    at_hosts = network.ports_of_servers(context.conn, ports)
    moves = [
        plan.move(
            sources[row["kind"]], row["resource"], row["site"],
            at_host=row["kind"] == "server" or row["resource"] in at_hosts,
        )
        for row in rows[:size]
    ]  # fmt: skip
    body: dict[str, Any] = {"project_id": project, "moves": moves}
    if size and len(rows) > size:
        marker = f"{rows[size - 1]['kind']}/{rows[size - 1]['resource']}"
        href = next_link(context.url(f"/v1/plans/{project}"), context.query, marker)
        body["moves_links"] = [{"rel": "next", "href": href}]
    return body


class _Plan:
    """Places to go, worked out once for each kind and site: what is at a host may go where there are
    hosts, and everything else is at the cloud's own site."""

    def __init__(self, context: Context, policy: Effective, known: Facts) -> None:
        self.policy = policy
        self.known = known
        home = context.cloud.config.place.site
        self.sites = {False: [home], True: sorted({home, *compute.sites(context.conn)})}
        self._worked_out: dict[tuple[str, str, bool], dict[str, Any]] = {}

    def move(self, source: Source, resource: str, site: str, *, at_host: bool) -> dict[str, Any]:
        key = (source.kind, site, at_host)
        if key not in self._worked_out:
            self._worked_out[key] = self._work_out(source, site, at_host)
        return {"kind": source.kind, "resource": resource, "site": site, **self._worked_out[key]}

    def _work_out(self, source: Source, site: str, at_host: bool) -> dict[str, Any]:
        told: list[Text] = []
        others: list[str] = []
        for each in self.sites[at_host]:
            to = msgspec.structs.replace(source.at(each))
            refusal = decide.refuse(self.policy, self.known, to)
            if refusal is None:
                others.append(each)
            else:
                told.append(text("site {site} {why} (rule {rule})",
                                 "le site {site} {why} (règle {rule})",
                                 site=each, why=refusal.why, rule=refusal.rule))  # fmt: skip
        if site in others:
            return _advice(site, [], STAYS)
        if others:
            return _advice(others[0], others[1:], BY_HAND[source.kind])
        return _advice(None, [], join(told, THEN))


def _advice(to: str | None, others: list[str], why: Text) -> dict[str, Any]:
    return {"to": to, "others": others, "why": why.en, "why_fr": why.fr}
