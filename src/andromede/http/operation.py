"""The declarations of the HTTP side: an operation is one row, a service is a list of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from andromede.http.access import Rule
from andromede.http.errors import ApiError
from andromede.http.microversion import Microversions, Version

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Transaction(StrEnum):
    """Who opens the database transaction of an operation."""

    READ = "read"  # the dispatcher, a snapshot
    WRITE = "write"  # the dispatcher, a write with its log leaf; the handler may run again
    OWN = "own"  # the handler, by `Context.transact`, around slow work
    NONE = "none"  # no database


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of a service's routing table.

    `handler(context)` returns the body, or a `Reply`. `action` names the act for authorization, the
    log and metrics: `<service>:<noun>:<verb>`. `allow` None means that no token is asked for. `key`
    selects among rows of one method and path by the single key of the JSON body (`POST …/action`).
    `prepare(context)` runs before the transaction, for slow pure work such as hashing; its result
    is `context.prepared`. `stream` handlers are coroutines that read the body themselves. `plain`
    bodies are no JSON: the handler reads `context.raw_body`. `places` says that the operation may
    create, move, copy, share or expose a project's data: its handler asks `Context.admit`, or says
    `Context.places_nothing`. `answer` is the struct of the response, for the OpenAPI document.
    `reveals` names what of a customer's data the operation shows (a kind of consent); its handler
    calls `context.reveal`. `query` lists accepted query parameters; None accepts any.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    action: str
    allow: Rule | None
    body: Any = None
    answer: Any = None
    places: str | None = None  # "create", "move", "copy", "share" or "expose"
    status: int = 200
    key: str | None = None
    since: Version | None = None
    until: Version | None = None
    transaction: Transaction | None = None
    prepare: Callable[..., Any] | None = None
    stream: bool = False
    optional_body: bool = False
    plain: bool = False
    reveals: str | None = None

    @property
    def mode(self) -> Transaction:
        if self.transaction is not None:
            return self.transaction
        return Transaction.WRITE if self.method in MUTATING else Transaction.READ


@dataclass(slots=True)
class Reply:
    """A response when a plain body is not enough. `body`: JSON-able, bytes, an iterator of bytes
    chunks, or None."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One API: its name in the catalog, where it is mounted, its rows and its edge.

    `error_page(error)` is the HTML answered to clients that do not ask for JSON, where the service
    has one. `upgrade(operation, version, body)` lifts an older request body to the latest shape, and
    `downgrade(operation, version, body)` lowers the latest response; both may change in place and
    return what they were given. `exact_paths`: a slash after a collection names a member without a
    name, which is none; otherwise it is left out of account. `aliases` are first segments of paths
    that stand for others, at the lowest microversion. `exact_bodies`: an operation that takes no body
    refuses one; otherwise it is left out of account.
    """

    name: str  # "compute"
    type: str  # the catalog's type
    mount: str  # "/compute"
    operations: Sequence[Operation]
    error_shape: Callable[[ApiError], Any]
    catalog_path: str = ""  # appended to the mount in the catalog, "/v2.1"
    microversions: Microversions | None = None
    upgrade: Callable[[Operation, Version, Any], Any] | None = None
    downgrade: Callable[[Operation, Version, Any], Any] | None = None
    validation_message: Callable[[str], str] | None = None
    error_page: Callable[[ApiError], str] | None = None
    exact_paths: bool = False
    exact_bodies: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
