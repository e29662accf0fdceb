"""Reports: who can reach this resource, and what can this user do.

Both are asked of the rules and guards that decide requests, for every scope that a user can log in
to. What depends on a resource's state (a lock, a task under way) is no part of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.paging import next_link, read_page
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.image import api as image
from andromede.services.network import api as network
from andromede.services.sovereignty.consent.schema import (
    Bearer,
    Link,
    Person,
    ReachAnswer,
    Resource,
    Scope,
    UserAnswer,
)
from andromede.sovereignty.consent import reach as reaching
from andromede.sovereignty.consent import rules
from andromede.sovereignty.consent.reach import Answer, Judged, Locate, Reach
from andromede.sovereignty.consent.settings import settings

LOCATE: tuple[Locate, ...] = (compute.reach, image.reach, network.reach)
MOST = 100  # users, or scopes of one user, in one answer


def reach(context: Context) -> ReachAnswer:
    """Who can reach a resource, page by page of users.

    Errors: NotFound for what is not the caller's project's, except to operators.
    """
    key = context.first("resource")
    if not key:
        raise BadRequest("resource is missing: the id of a server, an image, or a network's part.")
    locate, found = _locate(context, key)
    context.touches(found.id, found.project_id)
    names, links = _page(context, identity.around(context.conn, found.project_id), "reach")
    people = [_person(context, each, _bearers(context, each, locate, found)) for each in names]
    resource = Resource(
        kind=found.kind, id=found.id, project_id=found.project_id, everyone=not found.private
    )
    return ReachAnswer(resource, [each for each in people if each.bearers], links)


def _locate(context: Context, key: str) -> tuple[Locate, Reach]:
    caller = context.caller
    for locate in LOCATE:
        found = locate(context.conn, caller, key)
        if found is not None and (caller.admin or found.project_id == caller.project_id):
            return locate, found
    raise NotFound(f"Resource {key} could not be found.")


def _page(context: Context, names: Sequence[str], report: str) -> tuple[list[str], list[Link]]:
    """The names after the marker, and the link to the next page.

    Errors: BadRequest for a faulty parameter.
    """
    asked = read_page(context.query)
    rest = list(names)
    if asked.marker is not None:
        if asked.marker not in rest:
            raise BadRequest(f"marker {asked.marker!r} is not valid: it is nothing of this report.")
        rest = rest[rest.index(asked.marker) + 1 :]
    size = asked.size(MOST)
    if not size or len(rest) <= size:
        return rest[:size], []
    href = next_link(context.url(f"/v1/reports/{report}"), context.query, rest[size - 1])
    return rest[:size], [Link("next", href)]


def _person(context: Context, user_id: str, bearers: list[Bearer]) -> Person:
    user = identity.user(context.conn, user_id)
    return Person(id=user_id, name="" if user is None else user.name, bearers=bearers)


def _bearers(context: Context, user_id: str, locate: Locate, found: Reach) -> list[Bearer]:
    """The user in every scope that gets it anywhere with the resource."""
    told = []
    for target in identity.targets(context.conn, user_id):
        caller = identity.bearer(context.conn, user_id, target)
        if caller is None or not (_operator(caller) or caller.project_id == found.project_id):
            continue
        view = locate(context.conn, caller, found.id)
        assert view is not None, "one snapshot holds the resource for the whole report"
        rows = reaching.about(context.cloud.catalog, view)
        judged = [reaching.judge(context.conn, caller, row, view) for row in rows]
        if any(each.answer is not Answer.REFUSED for each in judged):
            told.append(_bearer(context, caller, target, judged))
    return told


def _operator(caller: Caller) -> bool:
    return caller.admin or caller.system


def _bearer(
    context: Context, caller: Caller, target: identity.Target, judged: Iterable[Judged]
) -> Bearer:
    found = list(judged)
    operator = _operator(caller)

    def actions(answer: Answer) -> list[str]:
        return sorted({each.action for each in found if each.answer is answer})

    return Bearer(
        scope=Scope(target.kind, target.id), roles=sorted(caller.roles), operator=operator,
        second_factor=operator and settings(context.conn).second_factor == "on",
        allowed=actions(Answer.ALLOWED), needs_consent=actions(Answer.CONSENT),
        consents={each.action: each.consent for each in found if each.consent is not None},
    )  # fmt: skip


def user(context: Context) -> UserAnswer:
    """What a user can do, page by page of the scopes it can log in to: the operations whose rule
    allows it, on its own project's resources, and for operators on everybody's.

    Errors: Forbidden for another user, except to operators; NotFound.
    """
    user_id, caller = context.params["id"], context.caller
    if user_id != caller.user_id and not caller.admin:
        raise Forbidden(f"What user {user_id} can do is for it and for operators to know.")
    if identity.user(context.conn, user_id) is None:
        raise NotFound(f"User {user_id} could not be found.")
    scopes = {f"{each.kind}/{each.id}": each for each in identity.targets(context.conn, user_id)}
    names, links = _page(context, list(scopes), f"user/{user_id}")
    bearers = []
    for each in names:
        bearer = identity.bearer(context.conn, user_id, scopes[each])
        if bearer is not None:
            judged = _granted(context, bearer)
            bearers.append(_bearer(context, bearer, scopes[each], judged))
    return UserAnswer(_person(context, user_id, bearers), links)


def _granted(context: Context, bearer: Caller) -> list[Judged]:
    """Every operation the rules allow; what shows a project's data to an operator of another
    waits for consent where the cloud asks for it."""
    asks = _operator(bearer) and rules.needed(context.conn, "")
    return [
        Judged(
            action=row.action,
            answer=Answer.CONSENT if asks and row.reveals is not None else Answer.ALLOWED,
        )
        for row in reaching.granted(context.cloud.catalog, bearer)
    ]
