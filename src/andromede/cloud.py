"""The running cloud as one process sees it: settings, database, and the ways to other roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from andromede.config import Config, Paths
from andromede.db import Connection, Database
from andromede.figures import Figures
from andromede.http.access import Caller


class Keys(Protocol):
    """What the keys role does for others. No key but the token keys ever leaves it."""

    def token_keys(self) -> Sequence[tuple[str, bytes]]:
        """(key id, 32 bytes) of every key tokens may be sealed with; the first seals new ones."""

    def sign_checkpoint(self, text: bytes) -> bytes:
        """The payload of a signed note's signature line: key hash (4 bytes) and Ed25519."""

    def sign_manifest(self, project: str, files: Sequence[tuple[str, str]]) -> str:
        """The signed note over an evidence archive's files: (name, SHA-256 in hexadecimal)."""

    def cosign_checkpoint(self, text: bytes) -> bytes:
        """The payload of this cloud's cosignature, as a witness, under another log's checkpoint."""

    def log_verifier(self) -> str:
        """The log's public key in the notation of C2SP signed notes."""

    def witness_verifier(self) -> str:
        """As `log_verifier`, of this cloud as a witness of other logs."""

    def wrap(self, purpose: str, name: str, plain: bytes) -> bytes:
        """Encrypt something for a purpose and under a name; both are needed to open it.

        Errors: PermissionError for a purpose that the keys role does not serve.
        """

    def unwrap(self, purpose: str, name: str, wrapped: bytes) -> bytes:
        """What was wrapped. Errors: PermissionError when it does not open."""


class Verdict(Protocol):
    """What inspection found in an image's bytes."""

    @property
    def format_declared(self) -> str: ...

    @property
    def format_found(self) -> str:
        """A disk format; `raw` when nothing else is recognised."""

    @property
    def virtual_size(self) -> int:
        """Bytes of the disk inside; 0 when not known."""

    @property
    def ok(self) -> bool:
        """The content is what it declares, and may be booted."""

    @property
    def reason(self) -> str | None:
        """Why it is not ok, for people."""


# An open file and its declared format; it may block. Errors: inspect.verdict.InspectionError.
Inspect = Callable[[int, str], Verdict]


class Consoles(Protocol):
    """What the edge role does for the API: it alone may open a server's console."""

    def console_output(self, server_id: str, length: int | None) -> str:
        """The last `length` lines of a server's console log, None: all that is kept.

        Errors: FileNotFoundError when the server has no log; ConnectionError when the edge or the
        worker does not answer; OSError when the edge refuses.
        """

    def figures(self, server_id: str) -> Figures | None:
        """What a server's machine used since its start; None when it does not run.

        Errors: ConnectionError when the edge, the worker or the machine does not answer; OSError
        when the edge refuses.
        """


Authenticate = Callable[[Connection, str, str], Caller]


def _nobody(_: Connection, __: str, ___: str) -> Caller:
    raise RuntimeError("this process verifies no tokens")


@dataclass(slots=True)
class Cloud:
    """What handlers and steps reach besides their transaction.

    `authenticate(connection, token, listener)` verifies a token. `keys` talks to the keys role,
    `inspect` to the inspection jail, `edge` to consoles; each is absent where a role has no use
    for it.
    """

    config: Config
    paths: Paths
    database: Database
    authenticate: Authenticate = _nobody
    keys: Keys | None = None
    inspect: Inspect | None = None
    edge: Consoles | None = None
    catalog: list[Any] = field(default_factory=list)  # services, in the catalog's order
