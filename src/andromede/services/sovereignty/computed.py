"""Handlers of what follows from the declared world on a day: owners and verdicts, laws that reach."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.services.sovereignty.world_schema import (
    Exposures,
    ExposureView,
    Laws,
    LawView,
    Owner,
    Ownership,
    OwnershipBody,
    ReasonView,
    VerdictView,
)
from andromede.sovereignty import countries
from andromede.sovereignty.world import laws
from andromede.sovereignty.world.analysis import percent
from andromede.sovereignty.world.facts import EntityFacts, Facts, SiteFacts, current, today
from andromede.sovereignty.world.model import covers
from andromede.sovereignty.world.ownership import Owned
from andromede.sovereignty.world.verdict import Verdict


def list_laws(context: Context) -> object:  # noqa: ARG001
    """The reviewed list of laws, those included that bind no longer."""
    return Laws(laws=[_law(each) for each in laws.LAWS])


def _law(law: laws.Law) -> LawView:
    members = {name: getattr(law, name) for name in laws.Law.__struct_fields__}
    members |= {"name_fr": law.name_fr or law.name, "article_fr": law.article_fr or law.article}
    names = {language: countries.name(law.country, language) for language in countries.LANGUAGES}
    return LawView(**members, country_name=names, in_force=covers(law, today()))


def ownership(context: Context) -> object:
    """Errors: NotFound when the entity does not exist on the day; BadRequest for a faulty date."""
    facts = _facts(context)
    entity = _entity(facts, context.params["id"])
    owned = facts.analysis.owned.get(entity.id, Owned(capital={}, votes={}))
    company = entity.id in facts.analysis.owned
    return OwnershipBody(
        ownership=Ownership(
            entity=entity.id,
            date=facts.date,
            verdict=_verdict(entity.verdict),
            owners=[_owner(facts, entity.id, each, owned) for each in _owners(facts, entity.id)],
            undeclared_capital=percent(owned.rest("capital")) if company else "0",
            undeclared_votes=percent(owned.rest("votes")) if company else "0",
            undeclared=[each.en for each in entity.undeclared],
            undeclared_fr=[each.fr for each in entity.undeclared],
        )
    )


def _verdict(verdict: Verdict) -> VerdictView:
    return VerdictView(
        outcome=verdict.outcome,
        reasons=[
            ReasonView(code=each.code, entity=each.entity, text=each.text.en,
                       text_fr=each.text.fr, share=each.share)
            for each in verdict.reasons
        ],
        non_eu_individual=verdict.non_eu_individual,
        non_eu_together=verdict.non_eu_together,
    )  # fmt: skip


def _owners(facts: Facts, key: str) -> list[str]:
    """Largest first; those with a right and no declared share come last."""
    analysis = facts.analysis
    found = {*analysis.owners(key)}
    found |= {each.holder for each in analysis.world.holdings.values() if each.held == key}
    return sorted(found - {key}, key=lambda each: (-analysis.share(key, each), each))


def _owner(facts: Facts, key: str, owner: str, owned: Owned) -> Owner:
    analysis = facts.analysis
    entity = analysis.world.entities[owner]
    nothing = Fraction()
    return Owner(
        entity=owner,
        name=entity.name,
        kind=entity.kind.value,
        country=entity.country,
        capital=percent(analysis.capital.get(key, {}).get(owner, nothing)),
        votes=percent(analysis.votes.get(key, {}).get(owner, nothing)),
        direct_capital=percent(owned.capital[owner]) if owner in owned.capital else None,
        direct_votes=percent(owned.votes[owner]) if owner in owned.votes else None,
        outside_eu=owner in analysis.foreign,
        controls=list(analysis.controllers.get(key, {}).get(owner, ())),
    )


def entity_exposures(context: Context) -> object:
    """Errors: NotFound when the entity does not exist on the day; BadRequest for a faulty date."""
    facts = _facts(context)
    return _exposures(facts, _entity(facts, context.params["id"]))


def site_exposures(context: Context) -> object:
    """Errors: NotFound; BadRequest for a faulty date."""
    facts = _facts(context)
    site = facts.sites.get(context.params["id"])
    if site is None:
        raise NotFound(f"Site {context.params['id']} could not be found.")
    return _exposures(facts, site)


def _exposures(facts: Facts, of: EntityFacts | SiteFacts) -> Exposures:
    return Exposures(
        date=facts.date,
        exposures=[
            ExposureView(law=each.law, country=each.country, kind=each.kind, way=each.way,
                         entity=each.entity, path=each.path, why=each.why.en, why_fr=each.why.fr)
            for each in of.exposures
        ],
        jurisdictions=sorted(of.jurisdictions),
        undeclared=[each.en for each in of.undeclared],
        undeclared_fr=[each.fr for each in of.undeclared],
    )  # fmt: skip


def _entity(facts: Facts, key: str) -> EntityFacts:
    found = facts.entities.get(key)
    if found is None:
        raise NotFound(f"Entity {key} could not be found on {facts.date}.")
    return found


def _facts(context: Context) -> Facts:
    """Read outside the event loop's thread: a large world takes a second to compute."""
    with context.cloud.database.read() as connection:
        return current(connection, _day(context))


def _day(context: Context) -> date | None:
    given = context.first("date")
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadRequest(
            f"date {given!r} is not valid: a day as in 2012-09-05 is accepted"
        ) from None
