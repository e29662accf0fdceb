"""Re-evaluation: when the world, a policy or the day changed, everything placed is weighed again.
What offends a rule opens a finding with a deadline, what is healed closes it, and projects are told.

Each transaction holds some thousands of findings at most, with one leaf for each project and rule;
killed in between it goes on from what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import TypeVar

from msgspec import Struct

from andromede import ids
from andromede.db import Connection, Database
from andromede.sovereignty import generation
from andromede.sovereignty.findings import bulk, changes, notices, state
from andromede.sovereignty.findings.placed import Offence, Source
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.policy import decide, store
from andromede.sovereignty.words import THEN, Text, join, text
from andromede.sovereignty.world import facts

BATCH = 5_000  # findings opened in one transaction
GROUPS = 200  # groups of findings changed in one transaction
# A resource in French, one and more.
FRENCH = {
    "server": ("serveur", "serveurs"),
    "image": ("image", "images"),
    "network": ("réseau", "réseaux"),
    "subnet": ("sous-réseau", "sous-réseaux"),
    "port": ("port", "ports"),
    "router": ("routeur", "routeurs"),
    "floatingip": ("adresse IP flottante", "adresses IP flottantes"),
    "grant": ("droit d'accès", "droits d'accès"),
}
T = TypeVar("T")


class Job(Struct, kw_only=True):
    """Resources of a group to open findings for; the first of a project and rule tells of all."""

    offence: Offence
    resources: list[str]
    tells: list[Job] = []


Listed = Callable[[Connection], Iterable[Offence]]  # offences of single resources


def due(connection: Connection) -> bool:
    """Whether something changed since the last time."""
    last = state.last(connection)
    now = (generation.read(connection), facts.today().isoformat())
    return last is None or (last.mark, last.day) != now


def run(database: Database, sources: Sequence[Source], listed: dict[str, Listed]) -> bool:
    """Weigh everything again if it is due, and forget what is gone; whether it was due.

    `listed` gives, by kind, the offences of what is no placed resource, as grants.
    """
    with database.read() as connection:
        wanted = due(connection)
        stale = [each for each in sources if bulk.any_gone(connection, each)]
        healed = {} if wanted else _healed(connection, listed)
    for source in stale:
        database.transact(partial(_forget, source=source))
    for kind, found in healed.items():
        _apply_listed(database, kind, found)
    if wanted:
        _evaluate(database, sources, listed)
    return wanted


def _healed(connection: Connection, listed: dict[str, Listed]) -> dict[str, list[Offence]]:
    """The offences of those kinds of which a finding stands that is none any more."""
    changed: dict[str, list[Offence]] = {}
    for kind, find in listed.items():
        there = bulk.standing_alone(connection, kind)
        if there:
            found = list(find(connection))
            if there.keys() - {(each.resource, each.rule) for each in found}:
                changed[kind] = found
    return changed


def _forget(connection: Connection, source: Source) -> None:
    for (project_id, rule), count in bulk.close_gone(connection, source).items():
        _log(connection, "close", project_id, rule, count, source.kind)


def _evaluate(database: Database, sources: Sequence[Source], listed: dict[str, Listed]) -> None:
    with database.read() as connection:
        mark, today = generation.read(connection), facts.today()
        before = state.last(connection)
        seen = changes.seen(facts.current(connection))
        plans = [(each, _offences(connection, each)) for each in sources]
        singles = {kind: list(find(connection)) for kind, find in listed.items()}
    for source, offences in plans:
        _apply(database, source, offences)
    for kind, found in singles.items():
        _apply_listed(database, kind, found)

    def conclude(connection: Connection) -> None:
        if before is not None:
            changes.tell(connection, before.seen, seen, facts.current(connection))
        state.keep(connection, mark, today.isoformat(), seen)

    database.transact(conclude)


def _offences(connection: Connection, source: Source) -> list[Offence]:
    """What the groups of a source offend: one decision for each group."""
    known = facts.current(connection)
    found = []
    for group in bulk.groups(connection, source):
        policy = store.effective(connection, group.project_id)
        for refusal in decide.refusals(policy, known, source.at(group.site)):
            found.append(
                Offence(
                    group=group,
                    rule=refusal.rule,
                    set_at=refusal.set_at.en,
                    reason=text(
                        "site {site} {why} {where}",
                        "le site {site} {why} {where}",
                        site=group.site,
                        why=refusal.why,
                        where=refusal.where,
                    ),
                    days=policy.finding_days,
                )
            )
    return found


def _apply(database: Database, source: Source, offences: list[Offence]) -> None:
    """Close what is healed, and open what is new, some thousands at once."""
    with database.read() as connection:
        standing = bulk.standing(connection, source.kind)
        new = bulk.missing(connection, source, offences)
    wanted = {(each.group, each.rule) for each in offences}
    for part in _parts(iter(standing.keys() - wanted), GROUPS):
        database.transact(partial(_close, keys=part))
    again = [each for each in offences if (each.group, each.rule) in standing]
    for told in _parts(iter(again), GROUPS):
        database.transact(partial(_retell, offences=told))
    for jobs in _jobs([(offence, keys) for offence, keys in new if keys]):
        database.transact(partial(_open, jobs=jobs))


def _close(connection: Connection, keys: Iterable[bulk.Key]) -> None:
    for (kind, project_id, rule), part in groupby(sorted(keys, key=_of_key), key=_of_key):
        count = sum(bulk.close(connection, *each) for each in part)
        _log(connection, "close", project_id, rule, count, kind)


def _of_key(key: bulk.Key) -> tuple[str, str, str]:
    return key[0].kind, key[0].project_id, key[1]


def _of_job(job: Job) -> tuple[str, str, str]:
    return _of_key((job.offence.group, job.offence.rule))


def _retell(connection: Connection, offences: Iterable[Offence]) -> None:
    for each in offences:
        bulk.retell(connection, each)


def _jobs(new: list[tuple[Offence, list[str]]]) -> Iterator[list[Job]]:
    """What to open, a project's rules together, in parts that one transaction each opens."""
    jobs = [
        Job(offence=offence, resources=keys[at : at + BATCH])
        for offence, keys in new
        for at in range(0, len(keys), BATCH)
    ]
    jobs.sort(key=_of_job)
    for _, alike in groupby(jobs, key=_of_job):
        part = list(alike)
        part[0].tells = part
    ready: list[Job] = []
    count = 0
    for job in jobs:
        ready.append(job)
        count += len(job.resources)
        if count >= BATCH:
            yield ready
            ready, count = [], 0
    if ready:
        yield ready


def _open(connection: Connection, jobs: list[Job]) -> None:
    bulk.open_all(connection, ((job.offence, job.resources) for job in jobs))
    for (kind, project_id, rule), part in groupby(jobs, key=_of_job):
        alike = list(part)
        count = sum(len(each.resources) for each in alike)
        _log(connection, "open", project_id, rule, count, kind)
        if alike[0].tells:
            _tell(connection, alike[0].tells)


def _apply_listed(database: Database, kind: str, offences: list[Offence]) -> None:
    """Findings of single resources: open what is new, close what is healed, tell the rest anew."""
    wanted = {(each.resource, each.rule): each for each in offences}

    def work(connection: Connection) -> None:
        there = bulk.standing_alone(connection, kind)
        new = [(each, [each.resource]) for key, each in wanted.items() if key not in there]
        for jobs in _jobs(new):
            _open(connection, jobs)
        for key, group in there.items():
            if key in wanted:
                bulk.retell(connection, wanted[key])
            else:
                bulk.close_one(connection, kind, *key)
                _log(connection, "close", group.project_id, key[1], 1, kind)

    database.transact(work)


def _tell(connection: Connection, jobs: Sequence[Job]) -> None:
    """The notice to a project of what was found of its resources by one rule."""
    first = jobs[0].offence
    if not first.group.project_id:
        return  # of several projects at once, which are told of their own
    count = sum(len(each.resources) for each in jobs)
    reasons = join(dict.fromkeys(each.offence.reason for each in jobs), THEN)
    told = _notice(first, count, reasons)
    notices.open(
        connection, "finding", first.group.project_id, told.fr, told.en, bulk.deadline(first)
    )


def _notice(first: Offence, count: int, reasons: Text) -> Text:
    one, more = FRENCH.get(first.group.kind, (first.group.kind, first.group.kind))
    french = (
        "{count} {one} n'est plus conforme à vos règles" if count == 1
        else "{count} {more} ne sont plus conformes à vos règles"
    )  # fmt: skip
    return text(
        "{count} resource(s) of kind {kind} are no longer where your policies let them be: "
        "{reasons}. To be healed within {days} days.",
        french + " : {reasons}. À corriger sous {days} {unit}.",
        count=count, one=one, more=more, kind=first.group.kind, reasons=reasons, days=first.days,
        unit="jour" if first.days == 1 else "jours",
    )  # fmt: skip


def _log(
    connection: Connection, verb: str, project_id: str, rule: str, count: int, kind: str
) -> None:
    append(
        connection,
        Leaf(
            action=f"sovereignty:finding:{verb}",
            subject=rule,
            request_id=f"req-{ids.new()}",
            status=200,
            project_id=project_id or None,
            detail={"kind": kind, "count": count},
        ),
    )


def _parts(keys: Iterator[T], size: int) -> Iterator[list[T]]:
    while part := list(islice(keys, size)):
        yield part
