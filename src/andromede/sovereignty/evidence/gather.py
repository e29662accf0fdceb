"""Gathers the evidence of a project in one transaction: what each part of the cloud knows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from andromede import __version__, clock
from andromede.config import Config, Paths
from andromede.db import Connection
from andromede.sovereignty import countries
from andromede.sovereignty.consent import store as consents
from andromede.sovereignty.evidence import (
    answers,
    bounds,
    log_part,
    model,
    seal,
    store,
    stores,
    world_parts,
)
from andromede.sovereignty.evidence.bounds import POLICY_ACTS
from andromede.sovereignty.evidence.model import (
    CONSENTS,
    FINDINGS,
    AccessPart,
    Basis,
    Evidence,
    Said,
)
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.log import witnesses
from andromede.sovereignty.log.bundle import Bundle, Proven
from andromede.sovereignty.log.gather import of_rows
from andromede.sovereignty.policy import merge
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import AT_REST
from andromede.sovereignty.words import Text
from andromede.sovereignty.world import facts as world
from andromede.sovereignty.world.facts import Facts

MOST_LEAVES: Final = 100_000
MOST_ROWS: Final = 20_000  # of consents and of findings
SOFTWARE: Final = f"andromede {__version__}"


class Cloud(Struct, frozen=True, kw_only=True):
    """What does not come from the database: the settings, and the log's public key."""

    config: Config
    paths: Paths
    origin: str
    verifier: str

    @property
    def part(self) -> model.CloudPart:
        return model.CloudPart(
            name=self.config.name, origin=self.origin, verifier=self.verifier, software=SOFTWARE
        )


def gather(
    connection: Connection, cloud: Cloud, project: str, resources: Sequence[store.Placed]
) -> tuple[Evidence, Bundle]:
    """The document, and the log's bundle that goes with it."""
    facts, made = world.current(connection), clock.now()
    chosen, unlogged = bounds.leaves(connection, project, MOST_LEAVES, made)
    log = of_rows(connection, project, cloud.verifier, chosen)
    sites = world_parts.sites(facts, Counter(each.site for each in resources))
    operators = world_parts.operators(sites)
    owners = world_parts.entities(facts, operators)
    asked, unasked = bounds.rows(
        CONSENTS, lambda before, most: consents.newest(connection, project, before, most),
        consents.count(connection, project), MOST_ROWS,
    )  # fmt: skip
    found, unfound = bounds.rows(
        FINDINGS, lambda before, most: findings.page(connection, project, "all", before, most),
        findings.count(connection, project), MOST_ROWS,
    )  # fmt: skip
    urgent = consents.emergencies_of(connection, project)
    effective = policies.effective(connection, project)
    fields = merge.shown(effective)
    kept = store_parts(cloud, facts)
    document = Evidence(
        format=model.FORMAT,
        made=made,
        day=facts.date.isoformat(),
        generation=facts.generation,
        cloud=cloud.part,
        project=project,
        sites=sites,
        resources=tuple(_resource(each) for each in resources),
        entities=owners,
        holdings=world_parts.holdings(facts, owners),
        suppliers=world_parts.suppliers(facts, operators),
        laws=world_parts.law_parts(sites),
        accesses=tuple(_access(each, urgent) for each in log.leaves if _foreign(each.leaf, project)),
        consents=tuple(_consent(row) for row in reversed(asked)),
        findings=tuple(_finding(row) for row in found),
        policy=model.PolicyPart(
            fields=fields,
            history=tuple(_access(each, urgent) for each in log.leaves if _changes(each.leaf)),
        ),
        stores=kept,
        log=log_part.told(log),
        seal=assess(connection, cloud, facts, _confined(fields, facts)),
        left_out=(*unlogged, *unasked, *unfound),
    )  # fmt: skip
    return document, log


def _changes(act: dict[str, Any]) -> bool:
    """Whether an act changed a policy that binds the project."""
    action: str = act["action"]
    return action.startswith(POLICY_ACTS) and act["status"] < 400


def _foreign(act: dict[str, Any], project: str) -> bool:
    """Whether an act on the project was somebody's from outside it. What everyone reads of the
    sovereignty service is of the cloud, not of the project's data."""
    if act["actor"] is None or act["actor_project"] == project:
        return False
    ours: bool = act["action"].startswith("sovereignty:")
    return not (ours and (act["project_id"] != project or act["action"].startswith(POLICY_ACTS)))


def _access(each: Proven, emergencies: set[str]) -> AccessPart:
    act = each.leaf
    return AccessPart(
        time=act["time"],
        action=act["action"],
        actor=act["actor"] or "",
        subject=act["subject"],
        status=act["status"],
        leaf=act["id"],
        position=each.index,
        emergency=act["detail"].get("consent") in emergencies,
    )


def _resource(each: store.Placed) -> model.ResourcePart:
    return model.ResourcePart(
        kind=each.kind,
        id=each.id,
        site=Said(value=each.site, basis=Basis.MEASURED),
        keys=Said(value=each.keys, basis=Basis.MEASURED),
    )


def _consent(row: Any) -> dict[str, Any]:
    names = ("id", "operator", "kinds", "resource", "reason", "emergency", "requested_by",
             "created_at", "granted_by", "since", "until", "ended_at", "ended_as")  # fmt: skip
    return {name: row[name] for name in names}


def _finding(row: Any) -> dict[str, Any]:
    names = ("id", "rule", "set_at", "kind", "resource", "site", "reason", "reason_fr", "deadline")
    return {name: row[name] for name in names} | {
        "opened": row["opened_at"],
        "closed": row["closed_at"],
    }  # fmt: skip


def store_parts(cloud: Cloud, facts: Facts) -> tuple[model.StorePart, ...]:
    """Every store with the place that is declared of it."""
    home = facts.site(cloud.config.place.site)
    country = home.country
    if country == "undeclared":
        country = cloud.config.place.country
    found = []
    for each in stores.stores(cloud.config, cloud.paths):
        site, where = home.site, country
        if not each.here:
            host = each.where.partition("/")[0]
            claimed = [one for one in facts.sites.values() if host in one.hosts]
            site = claimed[0].site if claimed else "undeclared"
            where = claimed[0].country if claimed else "undeclared"
        found.append(
            model.StorePart(
                name=each.name,
                holds=each.holds,
                where=each.where,
                site=model.declared(site),
                country=model.declared(where),
            )
        )
    return tuple(found)


def _confined(fields: dict[str, Any], facts: Facts) -> bool:
    """Whether the policy in force keeps data within the EU."""
    allowed, sites = fields["allowed_countries"]["value"], fields["allowed_sites"]["value"]
    if allowed is not None and all(countries.in_union(each, facts.date) for each in allowed):
        return True
    return sites is not None and all(
        world_parts.location(facts, each).in_eu is True for each in sites
    )


def assess(connection: Connection, cloud: Cloud, facts: Facts, confined: bool = False) -> seal.Seal:
    """The SEAL of the cloud; `confined`: as seen by a project whose data a policy keeps in the EU."""
    return seal.assess({
        **answers.of_state(_state(connection, cloud, facts, confined)),
        **declared_answers(connection),
    })  # fmt: skip


def _state(connection: Connection, cloud: Cloud, facts: Facts, confined: bool) -> answers.State:
    operators = sorted({each.operator for each in facts.sites.values()})
    return answers.State(
        holders=tuple(world_parts.holder(facts, key) for key in operators),
        sites=tuple(world_parts.location(facts, name) for name in sorted(facts.sites)),
        stores=tuple(_stored(each, facts) for each in store_parts(cloud, facts)),
        keys=frozenset({AT_REST.value}),
        confined=confined,
        witnesses=len(witnesses.vouching(connection)),
    )


def _stored(part: model.StorePart, facts: Facts) -> answers.Location:
    country = part.country.value
    in_eu = None if country is None else countries.in_union(country, facts.date)
    return answers.Location(name=part.name, in_eu=in_eu)


def declared_answers(connection: Connection) -> dict[str, seal.Answer]:
    """What the operator answered to criteria that no state answers."""
    return {
        key: seal.Answer(
            answer=row["answer"],
            because=Text(row["because_en"], row["because_fr"]),
            basis="declared",
            by="operator",
        )
        for key, row in store.answers(connection).items()
    }


def plain_bundle(log: Bundle) -> bytes:
    """The log's bundle as the file log.json."""
    return msgspec.json.format(msgspec.json.encode(log), indent=1)
