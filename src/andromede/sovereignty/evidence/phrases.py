"""Sentences of the pages: what a verdict, a reason, a key or a rule is called in each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UnsetType

from andromede.sovereignty.consent import kinds
from andromede.sovereignty.evidence.model import (
    CONSENTS,
    FINDINGS,
    NO_DATA,
    OF_OTHERS,
    OWN,
    Evidence,
    LogPart,
    SitePart,
    Why,
)
from andromede.sovereignty.evidence.seal import Seal
from andromede.sovereignty.evidence.words import country, moment, number, say
from andromede.sovereignty.words import percentage
from andromede.sovereignty.world.model import UNDECLARED

VERDICTS: Final = {"shown": "shown", "failed": "failed", "not-shown": "not shown"}
DATA: Final = {
    "none": "no data",
    "metadata": "metadata of customers",
    "access": "data of customers",
}
KINDS: Final = {
    "server": "server", "image": "image", "network": "network", "subnet": "subnet",
    "port": "port", "router": "router", "floatingip": "floating IP",
    "security_group": "security group", "keypair": "key pair",
}  # fmt: skip
KEYS: Final = {
    "none": "none: not encrypted by the cloud",
    "cloud": "the cloud's",
    "customer": "the customer's",
    NO_DATA: NO_DATA,
}
# What an archive leaves out, and where all of it is.
LEFT: Final = {
    OWN: "Left out, as the oldest: {n} leaves of the project's own acts, from before {when}, are not "
    "in log.json. GET /sovereignty/v1/log/bundle pages through all of them.",
    OF_OTHERS: "Left out, as the oldest: {n} acts of others, from before {when}, are neither told here "
    "nor in log.json. GET /sovereignty/v1/log/bundle pages through all of them.",
    CONSENTS: "Left out, as the oldest: {n} consents asked for before {when}. "
    "GET /sovereignty/v1/consents pages through all of them.",
    FINDINGS: "Left out, as the oldest: {n} findings opened before {when}. "
    "GET /sovereignty/v1/findings?state=all pages through all of them.",
}
# By code, with names in place of ids; what has none is told as it was computed.
REASONS: Final = {
    "seat-outside": "The seat of {entity} is outside the European Union.",
    "administration-outside": "The central administration of {entity} is outside the European Union.",
    "establishment-outside": "The main establishment of {entity} is outside the European Union.",
    "individual-above": "{entity}, outside the EU, holds {share} %: at most 24 % is accepted.",
    "together-above": "Owners outside the EU hold {share} % of {entity} together: at most 39 % is "
    "accepted.",
    "veto": "{entity}, outside the EU, has a veto.",
    "board": "{entity}, outside the EU, may appoint a majority of the board.",
    "controlled": "{entity}, outside the EU, controls it by a chain of majorities.",
    "seat-undeclared": "Nobody declared the seat of {entity}.",
    "owners-undeclared": "Nobody declared who owns {share} % of {entity}.",
    "entity-undeclared": "Nobody declared {entity}.",
    "site-undeclared": "Nobody declared this site.",
    "within-thresholds": "Every chain of owners of {entity} ends in declared holders; {share} % lie "
    "outside the EU.",
}  # fmt: skip
VALUES: Final = {
    "required_keys": {
        "none": "none demanded",
        "cloud": "the cloud's",
        "customer": "the customer's",
    },
    "operator_access": {"open": "without asking", "consent": "by the customer's consent"},
    "second_factor": {"off": "not demanded", "on": "demanded"},
    "supplier_access": {"any": "any supplier", "eu": "suppliers of the EU only"},
}
EMPTY: Final = {
    "allowed_sites": "no site",
    "administration_from": "nowhere",
}  # other than countries


def verdict(language: str, outcome: str) -> str:
    return say(language, VERDICTS.get(outcome, "not shown"))


def data(language: str, reach: str) -> str:
    return say(language, DATA.get(reach, reach))


def kind(language: str, name: str) -> str:
    return say(language, KINDS.get(name, name))


def key_holder(language: str, holder: str) -> str:
    return say(language, KEYS.get(holder, holder))


def basis(language: str, said: Any) -> str:
    """How something is known, with who declared it."""
    if said.basis != "declared" or not said.by:
        return say(language, str(said.basis))
    by = {"operator": "declared by the operator", "makers": "declared by the makers"}
    return say(language, by[said.by]) if said.by in by else (
        say(language, "declared by {who}", who=said.by)
    )  # fmt: skip


def reason(language: str, names: Mapping[str, str], why: Why) -> str:
    """A verdict's reason as a sentence."""
    if why.code not in REASONS:
        return why.text_fr if language == "fr" and isinstance(why.text_fr, str) else why.text
    entity = names.get(why.entity, why.entity)
    if entity in ("", UNDECLARED):
        entity = say(language, "the operator")
    return say(language, REASONS[why.code], entity=entity, share=number(language, why.share or "0"))


def seal(outcome: Seal, language: str) -> str:
    """The overall level in a sentence that says what it rests on."""
    if outcome.level is None:
        return say(language, "No criterion has an answer, so there is no level.")
    lowest = ", ".join(outcome.lowest)
    if outcome.unanswered:
        return say(
            language,
            "At most SEAL-{level}: the lowest of the {answered} criteria that have an answer "
            "({lowest}). {unanswered} have none, and could only lower it.",
            level=outcome.level, answered=outcome.answered, lowest=lowest,
            unanswered=outcome.unanswered,
        )  # fmt: skip
    return say(language, "SEAL-{level}: the lowest of all criteria ({lowest}).",
               level=outcome.level, lowest=lowest)  # fmt: skip


def left_out(document: Evidence, language: str) -> list[str]:
    """What the archive does not hold, a sentence each."""
    return [
        say(language, LEFT[each.what], n=each.count, when=moment(language, each.before))
        for each in document.left_out
    ]


def keys(document: Evidence, language: str) -> str:
    """Who can read the data at rest, said plainly."""
    held = {each.keys.value for each in document.resources} - {NO_DATA}
    if not held:
        return say(language, "Nothing that holds data at rest is placed, so no keys are needed.")
    if "none" in held:
        return say(language, "Disks and images are not encrypted by the cloud: whoever holds the "
                             "disks can read them, unless the guest encrypts by itself.")  # fmt: skip
    if held == {"customer"}:
        return say(
            language, "The customer holds every key: the cloud cannot read the data at rest."
        )
    return say(language, "The cloud holds keys, and can read the data at rest.")


def cosigned(log: LogPart, language: str) -> str:
    """The checkpoint that witnesses did cosign, where the newest is too new; or nothing."""
    if isinstance(log.cosigned, UnsetType):
        return ""
    return say(
        language,
        "The newest checkpoint that witnesses cosigned, tied to this one in log.json: {size} leaves, "
        "by {witnesses}.",
        size=log.cosigned.size, witnesses=witnesses(log.cosigned.witnesses, language),
    )  # fmt: skip


def witnesses(found: tuple[str, ...], language: str) -> str:
    return ", ".join(found) if found else say(language, "no witness")


def facts(document: Evidence, language: str) -> list[dict[str, str]]:
    """What stands first on the page: few words each."""
    return [
        _place_fact(document.sites, len(document.resources), language),
        _owner_fact(document.sites, language),
        _law_fact(document.sites, language),
        _access_fact(document, language),
        _seal_fact(document.seal, language),
    ]


def public_facts(page: Any, language: str) -> list[dict[str, str]]:
    """As `facts`, of the public page."""
    urgent = str(page.emergencies)
    tone = "bad" if page.emergencies else ""
    return [
        _place_fact(page.sites, None, language),
        _owner_fact(page.sites, language),
        _law_fact(page.sites, language),
        _fact(say(language, "Emergency accesses"), urgent, say(language, "so far"), tone),
        _seal_fact(page.seal, language),
    ]


def _fact(of: str, value: str, so: str, tone: str) -> dict[str, str]:
    return {"of": of, "value": value, "so": so, "tone": tone}


def _place_fact(sites: Sequence[SitePart], resources: int | None, language: str) -> dict[str, str]:
    used = [site for site in sites if site.resources] or list(sites)
    codes = sorted({str(site.country.value) for site in used if site.country.value is not None})
    missing = any(site.country.value is None for site in used) or not used
    shown = ", ".join(country(language, code) for code in codes[:2])
    if len(codes) > 2:
        shown += f" +{len(codes) - 2}"
    value = say(language, "undeclared") if not codes else shown
    so = say(language, "Sites: {n}", n=len(used))
    if resources is not None:
        so = say(language, "Resources: {n} · sites: {sites}", n=resources, sites=len(used))
    return _fact(say(language, "Places"), value, so, "open" if missing else "")


def _owner_fact(sites: Sequence[SitePart], language: str) -> dict[str, str]:
    outcomes = {site.verdict for site in sites}
    worst = next(
        (each for each in ("failed", "not-shown", "shown") if each in outcomes), "not-shown"
    )
    so = {
        "shown": "every chain of owners ends in the EU",
        "failed": "the limits on owners outside the EU are not kept",
        "not-shown": "too little is declared",
    }[worst]
    tone = {"shown": "good", "failed": "bad", "not-shown": "open"}[worst]
    return _fact(say(language, "EU ownership"), verdict(language, worst), say(language, so), tone)


def _law_fact(sites: Sequence[SitePart], language: str) -> dict[str, str]:
    foreign = {each.law for site in sites for each in site.laws if each.kind != "domestic"}
    domestic = {each.law for site in sites for each in site.laws} - foreign
    so = say(language, "with reach beyond their country; {n} of the places' own", n=len(domestic))
    return _fact(say(language, "Laws"), str(len(foreign)), so, "open" if foreign else "")


def _access_fact(document: Evidence, language: str) -> dict[str, str]:
    served = [each for each in document.accesses if each.status < 400]
    urgent = sum(each.emergency for each in served)
    refused = len(document.accesses) - len(served)
    so = say(
        language, "In an emergency: {urgent} · refused: {refused}", urgent=urgent, refused=refused
    )
    tone = "bad" if urgent else ""
    return _fact(say(language, "Operator's accesses"), str(len(served)), so, tone)


def _seal_fact(outcome: Seal, language: str) -> dict[str, str]:
    level = outcome.level
    value = "–" if level is None else f"SEAL-{level}"
    if outcome.unanswered:
        so = say(language, "at most; {n} of {all} criteria answered", n=outcome.answered,
                 all=outcome.answered + outcome.unanswered)  # fmt: skip
    else:
        so = say(language, "the lowest of all criteria")
    return _fact(say(language, "Sovereignty"), value, so, "open" if (level or 0) < 3 else "good")


def policy_rows(fields: Mapping[str, Any], language: str) -> list[dict[str, str]]:
    """Each rule with its value in words and where it was set."""
    return [
        {
            "rule": rule,
            "value": _value(rule, each["value"], language),
            "set_at": ", ".join(say(language, scope) for scope in each["set_at"]),
        }
        for rule, each in fields.items()
    ]


def _value(rule: str, value: Any, language: str) -> str:
    if value is None:
        return say(language, "any")
    if isinstance(value, bool):
        return say(language, "yes") if value else say(language, "no")
    if isinstance(value, (list, tuple)):
        return _list(rule, value, language)
    if rule.endswith("_percent"):
        return percentage(str(value)).in_(language)
    if rule.endswith("_days"):
        return say(language, "{n} day", n=1) if value == 1 else say(language, "{n} days", n=value)
    return say(language, VALUES.get(rule, {}).get(value, str(value)))


def _list(rule: str, values: Sequence[Any], language: str) -> str:
    if not values:
        return say(language, EMPTY.get(rule, "no country"))
    return ", ".join(str(each) if rule in EMPTY else country(language, each) for each in values)


def consent(row: Mapping[str, Any], language: str, now: int) -> dict[str, Any]:
    """A consent as the table shows it."""
    until = row.get("until")
    state = "asked for"
    if row.get("ended_as"):
        state = str(row["ended_as"])
    elif row.get("since") is not None:
        state = "in force" if until is not None and until > now else "expired"
    return {
        "kinds": ", ".join(kinds.said(each).in_(language) for each in row.get("kinds", ())),
        "reason": row.get("reason", ""),
        "since": _moment(row.get("since"), language),
        "until": _moment(until, language),
        "state": say(language, state),
        "emergency": bool(row.get("emergency")),
    }


def finding(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A finding as the table shows it; one that kept no French stays English, and says so."""
    reason = row.get("reason_fr") if language == "fr" else ""
    return {
        "rule": row.get("rule", ""),
        "resource": row.get("resource", ""),
        "reason": reason or row.get("reason", ""),
        "language": language if reason else "en",
        "opened": _moment(row.get("opened"), language),
        "deadline": _moment(row.get("deadline"), language),
        "closed": _moment(row.get("closed"), language) if row.get("closed") is not None else "",
    }


def _moment(value: Any, language: str) -> str:
    return "–" if value is None else moment(language, int(value))
