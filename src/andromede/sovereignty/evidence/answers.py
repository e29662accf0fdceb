"""Answers to the SEAL's criteria that follow from the cloud's state. Pure.

Where what would be needed is not declared, there is no answer: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from andromede.sovereignty.evidence.seal import Answer
from andromede.sovereignty.words import percentage, text


class Holder(Struct, frozen=True, kw_only=True):
    """An entity that operates a site. `outcome` is its verdict, `codes` the reasons' codes,
    `in_eu` whether its seat is in the EU (None: undeclared), `non_eu` the percentage of non-EU
    capital or votes, `foreign_laws` ids of extraterritorial laws of countries outside the EU."""

    id: str
    outcome: str
    codes: frozenset[str] = frozenset()
    in_eu: bool | None = None
    non_eu: str = "0"
    foreign_laws: tuple[str, ...] = ()


class Location(Struct, frozen=True, kw_only=True):
    """A site or a store. `in_eu` None: its country is undeclared. `qualified`: by a certificate
    in force whose scheme examines immunity from foreign law (SecNumCloud)."""

    name: str
    in_eu: bool | None
    qualified: bool = False


class State(Struct, frozen=True, kw_only=True):
    """What the criteria are answered from. `keys` are who holds the keys of each resource's data:
    "none" (not encrypted), "cloud" or "customer"."""

    holders: tuple[Holder, ...] = ()
    sites: tuple[Location, ...] = ()
    stores: tuple[Location, ...] = ()
    keys: frozenset[str] = frozenset({"none"})
    confined: bool = False  # a policy keeps the project's data in the EU
    witnesses: int = 0  # that cosigned the log as it stood an hour ago, or later
    portability: str = "best-effort"  # or "documented"
    erasure: str = "unproven"  # or "verified", "witnessed"


# A failed verdict for one of these is control from outside the EU; others are shares.
CONTROL = frozenset(
    {"seat-outside", "administration-outside", "establishment-outside", "controlled", "veto",
     "board"}
)  # fmt: skip


def of_state(state: State) -> dict[str, Answer]:
    """Answers by criterion."""
    found: dict[str, Answer | None] = {
        "SOV-1.1": _control(state),
        "SOV-1.4": _capital(state),
        "SOV-2.1": _jurisdiction(state),
        "SOV-2.2": _foreign_laws(state),
        "SOV-3.1": _keys(state),
        "SOV-3.2": _access_logs(state),
        "SOV-3.3": _erasure(state),
        "SOV-3.4": _location(state),
        "SOV-4.1": _portability(state),
        "SOV-7.4": _security_logs(state),
    }
    return {key: each for key, each in found.items() if each is not None}


def _computed(answer: int, en: str, fr: str, basis: str = "computed", **values: object) -> Answer:
    return Answer(answer=answer, because=text(en, fr, **values), basis=basis)


def _names(found: Iterator[str] | list[str]) -> str:
    return ", ".join(sorted(set(found)))


def _control(state: State) -> Answer | None:
    failed = [each for each in state.holders if each.outcome == "failed"]
    outside = [each.id for each in failed if _controlled(each)]
    if outside:
        return _computed(
            1,
            "Controlled from outside the EU: {who}.",
            "Contrôle exercé depuis un pays hors de l'UE : {who}.",
            who=_names(outside),
        )
    if _unknown(state):
        return None
    if failed:
        return _computed(
            3,
            "Shares held outside the EU pass a threshold: {who}.",
            "Des parts détenues hors de l'UE dépassent un seuil : {who}.",
            who=_names([each.id for each in failed]),
        )
    return _computed(
        4,
        "Every chain of owners of the operators ends in the EU, within 24 % and 39 %.",
        "Chaque chaîne de propriétaires des exploitants aboutit dans l'UE, dans les limites de "
        "24 % et 39 %.",
    )


def _unknown(state: State) -> bool:
    """Whether something about the owners, which an answer would rest on, is undeclared."""
    return not state.holders or any(
        each.outcome == "not-shown" or any(code.endswith("-undeclared") for code in each.codes)
        for each in state.holders
    )


def _controlled(holder: Holder) -> bool:
    return holder.in_eu is False or bool(holder.codes & CONTROL)


def _capital(state: State) -> Answer | None:
    if _unknown(state):
        return None
    most = max(float(each.non_eu) for each in state.holders)
    answer = 5 if most == 0 else 4 if most < 50 else 3 if most == 50 else 2 if most < 90 else 1
    return _computed(
        answer,
        "At most {most} of an operator's capital or votes is held outside the EU.",
        "Au plus {most} du capital ou des droits de vote d'un exploitant sont détenus hors de l'UE.",
        most=percentage(f"{most:g}"),
    )


def _jurisdiction(state: State) -> Answer | None:
    places = [*state.sites, *(Location(name=each.id, in_eu=each.in_eu) for each in state.holders)]
    if not places or any(each.in_eu is None for each in places):
        return None
    outside = [each.name for each in places if not each.in_eu]
    if len(outside) == len(places):
        return _computed(
            1,
            "Sites and operators are all outside the EU.",
            "Les sites et les exploitants sont tous hors de l'UE.",
        )
    if outside:
        return _computed(2, "Outside the EU: {who}.", "Hors de l'UE : {who}.", who=_names(outside))
    return _computed(
        3,
        "All sites and the seats of their operators are in the EU.",
        "Tous les sites et les sièges de leurs exploitants sont dans l'UE.",
    )


def _foreign_laws(state: State) -> Answer | None:
    reached = [law for each in state.holders for law in each.foreign_laws]
    if reached:
        return _computed(
            1,
            "Extraterritorial laws of countries outside the EU reach an operator: {laws}.",
            "Des lois extraterritoriales de pays hors de l'UE atteignent un exploitant : {laws}.",
            laws=_names(reached),
        )
    if _unknown(state):
        return None
    if state.sites and all(each.qualified for each in state.sites):
        return _computed(
            5,
            "No such law reaches an operator, and a qualification of every site, declared by the "
            "operator, has examined it.",
            "Aucune loi de ce genre n'atteint un exploitant, ce qu'a examiné une qualification de "
            "chaque site, déclarée par l'exploitant.",
        )
    return _computed(
        4,
        "By the declared owners no such law reaches an operator; no third party has verified it.",
        "D'après les propriétaires déclarés, aucune loi de ce genre n'atteint un exploitant ; aucun "
        "tiers ne l'a vérifié.",
    )


def _keys(state: State) -> Answer:
    if state.keys == {"customer"}:
        return _computed(
            5, "Customers hold the keys of all data.",
            "Les clients détiennent les clés de toutes les données.", "measured",
        )  # fmt: skip
    if "none" in state.keys:
        return _computed(
            1,
            "Data at rest are not encrypted by the cloud: whoever holds the disks can read them.",
            "Les données au repos ne sont pas chiffrées par le cloud : quiconque détient les "
            "disques peut les lire.",
            "measured",
        )
    if "customer" in state.keys:
        return _computed(
            2, "Some data are under keys of the customer, the rest under the cloud's.",
            "Certaines données sont sous des clés du client, le reste sous celles du cloud.",
            "measured",
        )  # fmt: skip
    return _computed(
        1, "The cloud alone holds the keys.", "Le cloud seul détient les clés.", "measured"
    )


def _access_logs(state: State) -> Answer:
    if state.witnesses:
        return _computed(
            5,
            "Each access is a leaf that the customer reads at once; witnesses that cosigned the "
            "log, all but its last hour at most: {n}.",
            "Chaque accès est une feuille que le client lit aussitôt ; témoins qui ont cosigné le "
            "journal, hors sa dernière heure au plus : {n}.",
            "measured",
            n=state.witnesses,
        )
    return _computed(
        4,
        "Each access is a leaf that the customer reads at once; no witness has cosigned the log as "
        "it stood an hour ago, so a forked view would be seen by comparison only.",
        "Chaque accès est une feuille que le client lit aussitôt ; aucun témoin n'a cosigné le "
        "journal tel qu'il était il y a une heure : une vue divergente ne se verrait que par "
        "comparaison.",
        "measured",
    )


def _erasure(state: State) -> Answer:
    if state.erasure == "witnessed":
        return _computed(5, "Receipts of erasure are verified by others.",
                         "Des tiers vérifient les reçus d'effacement.", "measured")  # fmt: skip
    if state.erasure == "verified":
        return _computed(4, "Each erasure leaves a signed receipt.",
                         "Chaque effacement laisse un reçu signé.", "measured")  # fmt: skip
    return _computed(
        3,
        "Deletions are logged; this version gives no proof that the bytes are gone.",
        "Les suppressions sont journalisées ; cette version ne prouve pas que les octets ont "
        "disparu.",
        "measured",
    )


def _location(state: State) -> Answer:
    places = [*state.sites, *state.stores]
    unknown = [each.name for each in places if each.in_eu is None]
    outside = [each.name for each in places if each.in_eu is False]
    if unknown or not places:
        return _computed(
            1,
            "The country is undeclared of: {which}.",
            "Le pays n'est pas déclaré pour : {which}.",
            which=_names(unknown) or text("all", "tout"),
        )
    if not outside:
        return _computed(
            5,
            "All sites and stores are declared to be in the EU.",
            "Tous les sites et dépôts sont déclarés dans l'UE.",
        )
    where = _names(outside)
    if state.confined and not any(each.in_eu is False for each in state.stores):
        return _computed(
            4,
            "A policy keeps the project's data in the EU; the cloud is also at: {where}.",
            "Une règle garde les données du projet dans l'UE ; autres lieux du cloud : {where}.",
            where=where,
        )
    return _computed(2, "Outside the EU: {where}.", "Hors de l'UE : {where}.", where=where)


def _portability(state: State) -> Answer:
    if state.portability == "documented":
        return _computed(3, "Everything can be exported by documented methods.",
                         "Tout est exportable par des méthodes documentées.", "measured")  # fmt: skip
    return _computed(
        2,
        "Images can be downloaded in open formats; a whole project cannot be exported yet.",
        "Les images se téléchargent en formats ouverts ; un projet entier ne s'exporte pas encore.",
        "measured",
    )


def _security_logs(state: State) -> Answer:
    if any(each.in_eu is not True for each in state.stores) or not state.stores:
        return _computed(
            3,
            "Customers read their log, but not all stores are declared to be in the EU.",
            "Les clients lisent leur journal, mais tous les dépôts ne sont pas déclarés dans l'UE.",
        )
    if state.witnesses:
        return _computed(
            5,
            "Customers read an append-only log that witnesses cosign within the hour, kept in the "
            "EU only.",
            "Les clients lisent un journal en ajout seul, que des témoins cosignent dans l'heure et "
            "qui n'est gardé que dans l'UE.",
        )
    return _computed(
        4,
        "Customers read their log directly, kept in the EU; no witness has cosigned it as it stood "
        "an hour ago.",
        "Les clients lisent directement leur journal, gardé dans l'UE ; aucun témoin ne l'a "
        "cosigné tel qu'il était il y a une heure.",
    )
