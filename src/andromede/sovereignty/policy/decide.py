"""The rules of admission, one function each: why a destination is refused, or None. Pure.

A rule refuses what is known to offend it. What nobody declared offends the rules that need it: a
site without a country is in no allowed country, and one without an operator is shown to be out of
no jurisdiction. Shares that are undeclared higher up are a matter of `ownership.shown_required`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from andromede.sovereignty import countries
from andromede.sovereignty.policy.merge import Effective
from andromede.sovereignty.policy.model import Keys, SupplierAccess
from andromede.sovereignty.words import THEN, Text, join, percentage, text
from andromede.sovereignty.world.facts import EntityFacts, Facts
from andromede.sovereignty.world.model import UNDECLARED
from andromede.sovereignty.world.verdict import Outcome

KEYS = tuple(Keys)
KEPT_UNDER = {
    Keys.NONE: text("none", "sans les chiffrer"),
    Keys.CLOUD: text("cloud", "sous des clés du cloud"),
}
OUTCOMES = {
    Outcome.FAILED: text("failed", "n'est pas conforme"),
    Outcome.NOT_SHOWN: text("not-shown", "n'est pas démontrée"),
}


class Destination(Struct, frozen=True, kw_only=True):
    """Where data would go; no site: nowhere, but `holder` would reach them. `keys`: whose key they
    will be encrypted with there, None where no data come to rest (networks, addresses).
    `origin_site`: of what a backup or replica is made from. `holder`: the entity that gets a way to
    them, where not the site's operator alone does."""

    site: str
    host: str = ""
    keys: Keys | None = None
    origin_site: str | None = None
    holder: str | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """Which rule refuses, where it was set, why, and what it would accept in place of it.

    `why` says it of a site (`rule` is about a place) or of the data (about who reaches them).
    `accepted` is what errors name, in English; empty: another site.
    """

    rule: str
    set_at: Text
    why: Text
    accepted: str = ""

    @property
    def where(self) -> Text:
        """The rule and where it was set, as findings put it behind the reason."""
        return text("(rule {rule}, set on {set_at})", "(règle {rule}, fixée par {set_at})",
                    rule=self.rule, set_at=self.set_at)  # fmt: skip


Rule = Callable[[Effective, Facts, Destination], Refusal | None]


def _sites(policy: Effective, _: Facts, to: Destination) -> Refusal | None:
    if policy.allowed_sites is None or to.site in policy.allowed_sites:
        return None
    set_at = policy.refusing("allowed_sites", to.site)
    why = text("is not among the allowed sites", "n'est pas parmi les sites autorisés")
    return Refusal(rule="allowed_sites", set_at=set_at, why=why)


def _countries(policy: Effective, facts: Facts, to: Destination) -> Refusal | None:
    country = facts.site(to.site).country
    if policy.allowed_countries is None or country in policy.allowed_countries:
        return None
    why = text("is in {code}", "est dans un pays qui n'est pas autorisé ({name})",
               code=country, name=countries.name(country, "fr"))  # fmt: skip
    if country == UNDECLARED:
        why = text("is in a country that nobody declared",
                   "est dans un pays que personne n'a déclaré")  # fmt: skip
    set_at = policy.refusing("allowed_countries", country)
    return Refusal(rule="allowed_countries", set_at=set_at, why=why)


def _jurisdictions(policy: Effective, facts: Facts, to: Destination) -> Refusal | None:
    refused = policy.refused_jurisdictions
    if not refused:
        return None
    site = facts.site(to.site)
    reaching = sorted(refused & site.jurisdictions)
    if reaching:
        laws = sorted({each.law for each in site.exposures if each.country == reaching[0]})
        why = text(
            "is within reach of the laws of {codes}{by}",
            "est à la portée des lois de pays refusés : {names}{by}",
            codes=", ".join(reaching), by=f" ({', '.join(laws)})" if laws else "",
            names=", ".join(countries.name(each, "fr") for each in reaching),
        )  # fmt: skip
        set_at = policy.refusing("refused_jurisdictions", reaching[0])
        return Refusal(rule="refused_jurisdictions", set_at=set_at, why=why)
    if UNDECLARED in (site.country, site.operator):
        country = site.country == UNDECLARED
        why = text(
            "has no declared {what}, so that no law can be shown not to reach it",
            "n'a pas de {what} déclaré, si bien qu'aucune loi ne peut être exclue",
            what=Text("country", "pays") if country else Text("operator", "exploitant"),
        )
        set_at = policy.where("refused_jurisdictions")
        return Refusal(rule="refused_jurisdictions", set_at=set_at, why=why)
    return None


def _ownership(policy: Effective, facts: Facts, to: Destination) -> Refusal | None:
    limits = (policy.individual_percent, policy.together_percent)
    if limits == (None, None) and not policy.shown_required:
        return None
    site = facts.site(to.site)
    shares = (site.verdict.non_eu_individual, site.verdict.non_eu_together)
    holders = (
        text("a holder outside the EU has", "un détenteur hors de l'UE a"),
        text("holders outside the EU together have", "des détenteurs hors de l'UE ont ensemble"),
    )
    names = ("individual_percent", "together_percent")
    for limit, share, who, name in zip(limits, shares, holders, names, strict=True):
        if limit is not None and Decimal(share) > limit:
            why = text(
                "is run by {operator}, of which {who} {share}, more than {limit}",
                "est exploité par {operator}, dont {who} {share}, plus que {limit}",
                operator=_operator(site.operator), who=who, share=percentage(share),
                limit=percentage(str(limit)),
            )  # fmt: skip
            return Refusal(rule=f"ownership.{name}", set_at=policy.where(name), why=why)
    if policy.shown_required and site.verdict.outcome is not Outcome.SHOWN:
        why = text(
            "is run by {operator}, whose owners are {outcome}: {reasons}",
            "est exploité par {operator}, dont la détention {outcome} : {reasons}",
            operator=_operator(site.operator), outcome=OUTCOMES[site.verdict.outcome],
            reasons=join((each.text for each in site.verdict.reasons[:3]), THEN),
        )  # fmt: skip
        return Refusal(
            rule="ownership.shown_required", set_at=policy.where("shown_required"), why=why
        )
    return None


def _operator(key: str) -> Text:
    return text(key, "un exploitant non déclaré") if key == UNDECLARED else Text(key, key)


def _keys(policy: Effective, _: Facts, to: Destination) -> Refusal | None:
    if to.keys is None or KEYS.index(to.keys) >= KEYS.index(policy.required_keys):
        return None
    wanted = policy.required_keys.value
    return Refusal(
        rule="required_keys", set_at=policy.where("required_keys"),
        why=text("would hold them with keys: {keys}", "garderait les données {keys}",
                 keys=KEPT_UNDER[to.keys]),
        accepted=f"data encrypted with keys of: {wanted}",
    )  # fmt: skip


def _elsewhere(policy: Effective, _: Facts, to: Destination) -> Refusal | None:
    if not policy.backup_elsewhere or to.origin_site != to.site:
        return None
    why = text("is where the original lies", "est là où se trouve l'original")
    return Refusal(rule="backup_elsewhere", set_at=policy.where("backup_elsewhere"), why=why)


def _suppliers(policy: Effective, facts: Facts, to: Destination) -> Refusal | None:
    if to.holder is None or policy.supplier_access is not SupplierAccess.EU:
        return None
    why = outside(facts.entities.get(to.holder))
    if why is None:
        return None
    return Refusal(
        rule="supplier_access", set_at=policy.where("supplier_access"),
        why=text("would be opened to {holder}, {why}", "seraient ouvertes à {holder}, {why}",
                 holder=to.holder, why=why),
        accepted="a supplier of the European Union",
    )  # fmt: skip


def outside(entity: EntityFacts | None) -> Text | None:
    """Why an entity does not count as one of the European Union, in words; None when it does."""
    if entity is None:
        return text("which nobody declared", "que personne n'a déclaré")
    if entity.verdict.outcome is Outcome.FAILED:
        return text(
            "which is not of the European Union: {reasons}",
            "qui n'est pas de l'Union européenne : {reasons}",
            reasons=join((each.text for each in entity.verdict.reasons[:2]), THEN),
        )
    if entity.country == UNDECLARED:
        return text("whose seat nobody declared", "dont personne n'a déclaré le siège")
    return None


# In the order in which a refusal is told.
OF_PLACES: tuple[Rule, ...] = (_sites, _countries, _jurisdictions, _ownership, _keys, _elsewhere)
RULES: tuple[Rule, ...] = (*OF_PLACES, _suppliers)


def refusals(policy: Effective, facts: Facts, to: Destination) -> Iterator[Refusal]:
    """Every rule that refuses a destination."""
    for rule in RULES if to.site else (_suppliers,):
        refusal = rule(policy, facts, to)
        if refusal is not None:
            yield refusal


def refuse(policy: Effective, facts: Facts, to: Destination) -> Refusal | None:
    """The first rule that refuses a destination."""
    return next(refusals(policy, facts, to), None)


def admissible(
    policy: Effective, facts: Facts, to: Destination, sites: Iterable[str]
) -> tuple[str, ...]:
    """Which of some sites every rule would accept in place of the destination's."""
    return tuple(
        sorted(
            site
            for site in sites
            if refuse(policy, facts, msgspec.structs.replace(to, site=site, host="")) is None
        )
    )
