"""The public page of a cloud: what anyone may know of its places, owners, laws and sub-processors."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.consent import store as consents
from andromede.sovereignty.evidence import assets, figures, html, phrases, world_parts
from andromede.sovereignty.evidence.gather import Cloud, assess
from andromede.sovereignty.evidence.model import CloudPart, LawPart, SitePart, SupplierPart
from andromede.sovereignty.evidence.seal import Seal
from andromede.sovereignty.evidence.words import LANGUAGES, choose, say
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.world.facts import Facts

__all__ = ["LANGUAGES", "PublicPage", "choose", "gather", "policy", "render"]

CONSENT = (
    "Operators reach a customer's console, disks, user data or snapshots only with that customer's "
    "consent, which expires."
)
FREELY = "Operators may reach customers' data without asking. Each access is in the customer's log."
OPEN = (
    "Operators of this cloud may reach customers' data without asking: its policy operator_access "
    "is open."
)
ONE_FACTOR = (
    "Operators of this cloud log in without a second factor: its policy second_factor is off."
)


class PublicPage(Struct, frozen=True, kw_only=True):
    """What the page says. `made` is in microseconds since the epoch; `operators` are names by id;
    `operator_access` and `second_factor` are the cloud's policy; `emergencies` counts the
    emergency accesses that were ever approved."""

    made: int
    cloud: CloudPart
    sites: tuple[SitePart, ...]
    operators: dict[str, str]
    suppliers: tuple[SupplierPart, ...]
    laws: tuple[LawPart, ...]
    operator_access: str
    second_factor: str
    emergencies: int
    seal: Seal


def gather(connection: Connection, cloud: Cloud, facts: Facts) -> PublicPage:
    """The page's content, as the transaction sees it."""
    sites = world_parts.sites(facts, {})
    operators = world_parts.operators(sites)
    names = {each.id: each.name for each in world_parts.entities(facts, operators)}
    effective = policies.effective_cloud(connection)
    return PublicPage(
        made=clock.now(),
        cloud=cloud.part,
        sites=sites,
        operators=names,
        suppliers=world_parts.suppliers(facts, operators),
        laws=world_parts.law_parts(sites),
        operator_access=effective.operator_access.value,
        second_factor=effective.second_factor.value,
        emergencies=consents.emergencies(connection),
        seal=assess(connection, cloud, facts),
    )


def policy() -> str:
    """The page's Content-Security-Policy: nothing but its own style."""
    style = assets.style_hash("style.css")
    return f"default-src 'none'; style-src '{style}'; base-uri 'none'; form-action 'none'; " \
           f"frame-ancestors 'none'"  # fmt: skip


def render(found: PublicPage, language: str) -> str:
    """The page as HTML."""
    names = {**{each.supplier: each.name for each in found.suppliers}, **found.operators}
    page = html.common(language, names)
    page |= {
        "p": found,
        "facts": phrases.public_facts(found, language),
        "warnings": _warnings(found, language),
        "map": figures.site_map(found.sites, language),
        "laws": html.law_rows(found, language, names),
        "seal_sentence": phrases.seal(found.seal, language),
        "access": say(language, FREELY if found.operator_access == "open" else CONSENT),
    }
    return html.environment().get_template("public.html.j2").render(page)


def _warnings(found: PublicPage, language: str) -> list[Any]:
    said = []
    if found.operator_access == "open":
        said.append(say(language, OPEN))
    if found.second_factor == "off":
        said.append(say(language, ONE_FACTOR))
    return said
