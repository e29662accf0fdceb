"""The evidence document: everything that is said of a project's data, and how each thing is known.

Plain structs, written as RFC 8785 JSON. Moments are microseconds since the epoch, days ISO 8601.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import rfc8785
from msgspec import UNSET, Struct, UnsetType, to_builtins

from andromede.sovereignty.evidence.seal import Seal
from andromede.sovereignty.words import Text

FORMAT: Final = "andromede-evidence/1"
NO_DATA: Final = "no data at rest"  # said of the keys of what holds none

# What an archive may leave out, where there is too much for one.
OWN, OF_OTHERS, CONSENTS, FINDINGS = "own acts", "acts of others", "consents", "findings"


class Basis(StrEnum):
    """How something is known."""

    MEASURED = "measured"  # seen by the software itself
    DECLARED = "declared"  # said by somebody, and not checked
    COMPUTED = "computed"  # follows from what is measured and declared
    UNKNOWN = "unknown"  # nobody declared it and nothing measures it


class Said(Struct, frozen=True, kw_only=True):
    """A statement. `by` names who declared it."""

    value: Any
    basis: Basis
    by: str = ""


def declared(value: str, by: str = "operator") -> Said:
    """A declaration; "undeclared" and nothing are unknown."""
    if value in ("", "undeclared"):
        return Said(value=None, basis=Basis.UNKNOWN)
    return Said(value=value, basis=Basis.DECLARED, by=by)


class CloudPart(Struct, frozen=True, kw_only=True):
    """Which cloud speaks. `origin` names its log, `verifier` is the log's public key (C2SP)."""

    name: str
    origin: str
    verifier: str
    software: str


class Reached(Struct, frozen=True, kw_only=True):
    """A law that reaches an entity or a place, by which path of entities, and why."""

    law: str
    country: str
    kind: str
    way: str
    entity: str
    path: tuple[str, ...] = ()
    why: str = ""
    why_fr: str | UnsetType = UNSET  # of documents since the reasons are bilingual


class Why(Struct, frozen=True, kw_only=True):
    """A reason of a verdict."""

    code: str
    entity: str
    text: str
    text_fr: str | UnsetType = UNSET  # as `why_fr`
    share: str | None = None


class SitePart(Struct, frozen=True, kw_only=True):
    """A place. `resources` counts the project's there; `verdict` is of the owners of whoever
    operates it: "shown", "failed" or "not-shown"."""

    name: str
    region: str
    country: Said
    place: Said
    latitude: float | None
    longitude: float | None
    operator: Said
    certificates: tuple[dict[str, Any], ...]
    resources: int
    verdict: str
    reasons: tuple[Why, ...]
    non_eu_individual: str
    non_eu_together: str
    laws: tuple[Reached, ...]
    jurisdictions: tuple[str, ...]


class EntityPart(Struct, frozen=True, kw_only=True):
    """An operator, or an entity above one in its chains of owners."""

    id: str
    name: str
    kind: str
    country: Said
    in_eu: bool | None
    operator: bool
    register: str
    undeclared: str  # percent of its capital that no row declares, "0" for what ends a chain


class HoldingPart(Struct, frozen=True, kw_only=True):
    """A share as declared: percentages as decimal strings."""

    holder: str
    held: str
    capital: str | None
    votes: str | None
    veto: bool
    board: bool
    since: str | None
    source: str


class SupplierPart(Struct, frozen=True, kw_only=True):
    """A sub-processor of an operator. `data`: "none", "metadata" or "access"."""

    id: str
    customer: str
    supplier: str
    name: str
    purpose: str
    data: str
    countries: tuple[str, ...]
    since: str | None


class LawPart(Struct, frozen=True, kw_only=True):
    """A law that some path leads to, as the reviewed data file has it."""

    id: str
    name: str
    article: str
    country: str
    kind: str
    source: str
    summary: Text
    name_fr: str | UnsetType = UNSET  # both as `why_fr`
    article_fr: str | UnsetType = UNSET


class ResourcePart(Struct, frozen=True, kw_only=True):
    """Something placed. `keys`: who holds the keys of its data, "none" where they are not
    encrypted by the cloud, "no data at rest" where it holds none (networks, addresses)."""

    kind: str
    id: str
    site: Said
    keys: Said


class AccessPart(Struct, frozen=True, kw_only=True):
    """An operator's act on the project. `leaf` names its leaf in log.json."""

    time: int
    action: str
    actor: str
    subject: str
    status: int
    leaf: str
    position: int | None
    emergency: bool


class StorePart(Struct, frozen=True, kw_only=True):
    """A place where the cloud keeps something."""

    name: str
    holds: Text
    where: str
    site: Said
    country: Said


class Cosigned(Struct, frozen=True, kw_only=True):
    """A checkpoint's size, and the witnesses that cosigned it."""

    size: int
    witnesses: tuple[str, ...]


class LogPart(Struct, frozen=True, kw_only=True):
    """The state of the log: the checkpoint as a signed note, and how many leaves log.json has.
    `cosigned`: where no witness has cosigned that checkpoint yet, the newest that one did."""

    size: int
    checkpoint: str
    leaves: int
    pending: int
    witnesses: tuple[str, ...]
    cosigned: Cosigned | UnsetType = UNSET


class Left(Struct, frozen=True, kw_only=True):
    """What is left out: how many of "own acts" (their leaves are not in log.json), "acts of others"
    (neither told nor in log.json), "consents" or "findings", all of them older than `before`."""

    what: str
    count: int
    before: int


class PolicyPart(Struct, frozen=True, kw_only=True):
    """The policy in force: each field's value and the scopes where it was set. `history` are the
    acts that changed it."""

    fields: dict[str, Any]
    history: tuple[AccessPart, ...]


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole document. `left_out` is there only where something is."""

    format: str
    made: int
    day: str
    generation: str
    cloud: CloudPart
    project: str
    sites: tuple[SitePart, ...]
    resources: tuple[ResourcePart, ...]
    entities: tuple[EntityPart, ...]
    holdings: tuple[HoldingPart, ...]
    suppliers: tuple[SupplierPart, ...]
    laws: tuple[LawPart, ...]
    accesses: tuple[AccessPart, ...]
    consents: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    policy: PolicyPart
    stores: tuple[StorePart, ...]
    log: LogPart
    seal: Seal
    left_out: tuple[Left, ...] = ()


def plain(document: Any) -> Any:
    """Structs as JSON's own values."""
    return to_builtins(document, str_keys=True)


def canonical(document: Any) -> bytes:
    """The bytes that are signed: RFC 8785 JSON."""
    return rfc8785.dumps(plain(document))
