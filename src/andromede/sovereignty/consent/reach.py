"""Who may do what: the rules of the routing tables asked on behalf of somebody who is not there.

The same rules and guards decide a request and a report on it, so that the two agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.http.operation import MUTATING, Operation, Service
from andromede.sovereignty.consent import rules


class Reach(Struct, frozen=True, kw_only=True):
    """What a caller can do with one resource before the operation's own rule is asked. `path` is
    what the rows of the service's table that are about it begin with. `private`: what it reveals
    is the project's own; otherwise everybody may see it."""

    kind: str
    id: str
    project_id: str
    service: str
    path: str
    see: bool
    change: bool
    private: bool = True


Locate = Callable[[Connection, Caller, str], Reach | None]  # a service's view of one resource


class Answer(StrEnum):
    ALLOWED = "allowed"
    CONSENT = "consent"  # refused until the project consents
    REFUSED = "refused"


class Judged(Struct, frozen=True, kw_only=True):
    """An operation's answer to a caller, and the consent it rests on, if it does."""

    action: str
    answer: Answer
    consent: str | None = None


def about(services: Iterable[Service], reach: Reach) -> Iterator[Operation]:
    """The operations on a resource: the rows below its path."""
    below = re.compile(re.escape(reach.path) + r"/\{[^/}]+\}(/.*)?")
    for service in services:
        if service.name == reach.service:
            yield from (row for row in service.operations if below.fullmatch(row.path))


def judge(connection: Connection, caller: Caller, row: Operation, reach: Reach) -> Judged:
    """What the dispatcher and the handler's guards would say to the caller."""
    seen = reach.see if row.method not in MUTATING else reach.change
    if row.allow is None or not row.allow.allows(caller) or not seen:
        return Judged(action=row.action, answer=Answer.REFUSED)
    if row.reveals is None or not reach.private:
        return Judged(action=row.action, answer=Answer.ALLOWED)
    strange = rules.stranger(connection, caller, reach.project_id)
    if not strange or not rules.needed(connection, reach.project_id):
        return Judged(action=row.action, answer=Answer.ALLOWED)
    held = rules.found(connection, caller.user_id, row.reveals, reach.project_id, reach.id)
    answer = Answer.CONSENT if held is None else Answer.ALLOWED
    return Judged(action=row.action, answer=answer, consent=held)


def granted(services: Iterable[Service], caller: Caller) -> Iterator[Operation]:
    """Every operation whose rule allows the caller, on the resources that are its to reach."""
    for service in services:
        for row in service.operations:
            if row.allow is not None and row.allow.allows(caller):
                yield row
