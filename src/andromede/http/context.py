"""One request as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from andromede.db import Connection
from andromede.db.types import LONGEST_ID
from andromede.http.access import Caller
from andromede.http.errors import BadRequest
from andromede.http.microversion import Version
from andromede.http.operation import MUTATING, Operation, Service
from andromede.sovereignty import admit, suppliers
from andromede.sovereignty.consent import rules
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.leaves import EVERYONE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from andromede.cloud import Cloud

T = TypeVar("T")
MOST_NAMED = 100  # resources named in one leaf


class Context:
    """What a handler gets: the caller, the parsed request, and the transaction it runs in.

    `params` are the path's, `query` the pairs in order, `headers` have lower-case names. `conn` is
    the dispatcher's transaction, or unset for operations that bring their own.
    """

    __slots__ = (
        "_caller", "_conn", "admitted", "base_url", "body", "chunks", "cloud", "headers",
        "leaf_project", "listener", "logged", "method", "notes", "operation", "params", "path",
        "prepared", "query",
        "raw_body", "remote", "request_id", "revealed", "service", "subject", "touched", "version",
    )  # fmt: skip

    def __init__(
        self,
        cloud: Cloud,
        service: Service,
        operation: Operation,
        *,
        params: dict[str, str],
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        listener: str,
        base_url: str,
        remote: str = "",
        version: Version = (0, 0),
    ) -> None:
        self.cloud = cloud
        self.service = service
        self.operation = operation
        self.request_id = ""
        self.params = params
        self.query = query
        self.headers = headers
        self.listener = listener
        self.base_url = base_url
        self.remote = remote
        self.method = operation.method
        self.path = ""  # below the mount, as it was asked for, still percent-encoded
        self.version = version
        self.body: Any = None
        self.raw_body: bytes = b""
        self.chunks: AsyncIterator[bytes] | None = None
        self.prepared: Any = None
        self.subject = ""
        self.leaf_project: str | None = None
        self.notes: dict[str, object] = {}
        self.logged = False
        self.revealed = False
        self.touched: dict[str, str] = {}
        self.admitted = False
        self._caller: Caller | None = None
        self._conn: Connection | None = None

    @property
    def caller(self) -> Caller:
        """The verified bearer; only operations with a rule have one."""
        if self._caller is None:
            raise RuntimeError(f"{self.operation.action} asks for no token and used its bearer")
        return self._caller

    @caller.setter
    def caller(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def anonymous(self) -> bool:
        return self._caller is None

    @property
    def conn(self) -> Connection:
        if self._conn is None:
            raise RuntimeError(f"{self.operation.action} runs outside a transaction")
        return self._conn

    @conn.setter
    def conn(self, connection: Connection | None) -> None:
        self._conn = connection

    @property
    def project_id(self) -> str:
        """The project of a project-scoped caller, empty otherwise."""
        return self.caller.project_id or ""

    def url(self, path: str = "") -> str:
        """An absolute URL below this service, on the listener the client came by."""
        return f"{self.base_url}{self.service.mount}{path}"

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)

    def concerns(self, subject: str, project_id: str | None = None) -> None:
        """Name the resource this request acts on, and whose it is, for the log.

        Errors: BadRequest for a project's id that none has.
        """
        if project_id is not None and len(project_id) > LONGEST_ID:
            raise BadRequest(
                f"{project_id[:LONGEST_ID]}… is no project's id: one has up to {LONGEST_ID} characters."
            )
        self.subject = subject
        if project_id:
            self.leaf_project = project_id
            if self.operation.method in MUTATING:
                self.touches(
                    subject, project_id
                )  # the try is a leaf, though it may come to nothing

    def admit(self, project_id: str, site: str | None = None, **more: Any) -> None:
        """Refuse with 403 when a policy forbids bringing the project's data to the site, by default
        this host's. `more` are further fields of the destination, as `keys`.

        Errors: admit.Refused.
        """
        to = admit.Destination(site=site or self.cloud.config.place.site, **more)
        subject = admit.Subject(project_id=project_id, id=self.subject)
        admit.require(self.conn, self.operation.action, subject, to)
        self.admitted = True

    def admit_any(
        self, project_id: str, sites: Iterable[str], among: Iterable[str], **more: Any
    ) -> str:
        """The first of several sites that the project's data may be brought to; `among` are all
        where this cloud could bring them, had they been asked for.

        Errors: admit.Refused, saying of each site why it is none.
        """
        choices = [admit.Destination(site=site, **more) for site in sites]
        subject = admit.Subject(project_id=project_id, id=self.subject)
        found = admit.require_any(self.conn, self.operation.action, subject, choices, among)
        self.admitted = True
        return found.site

    def admit_users(self, grants: Mapping[str, Iterable[str | None]]) -> None:
        """Refuse with 403 when users act for suppliers that may not reach the projects they would be
        given; `grants` as `suppliers.require` has them.

        Errors: admit.Refused.
        """
        suppliers.require(self.conn, self.operation.action, grants)
        self.admitted = True

    def places_nothing(self) -> None:
        """Say that this request brings no data anywhere, though others of its operation may."""
        self.admitted = True

    def touches(self, subject: str, project_id: str) -> None:
        """Note that the request saw a resource of a project; when an operator did, and the project
        is another than its own, the log says so even where nothing was changed."""
        if project_id and self._strange(project_id):
            self.touched[subject] = project_id

    def _strange(self, project_id: str) -> bool:
        """Whether an operator is the caller, and the project not its alone."""
        if self.anonymous or not rules.operator(self.caller):
            return False
        if self._conn is not None:
            return rules.stranger(self._conn, self.caller, project_id)
        with self.cloud.database.read() as connection:
            return rules.stranger(connection, self.caller, project_id)

    def reveal(self, project_id: str | None, subject: str) -> None:
        """Let the project's own callers see what the operation reveals, and an operator with the
        project's consent; None: it is for everybody to see.

        Errors: admit.Refused.
        """
        kind = self.operation.reveals
        if kind is None:
            raise RuntimeError(f"{self.operation.action} does not declare what it reveals")
        if project_id is not None:
            self.require_consent(kind, project_id, subject)
        self.revealed = True

    def require_consent(self, kind: str, project_id: str, subject: str) -> None:
        """As `reveal`, where only a part of the operation shows something of that kind.

        Errors: admit.Refused.
        """
        if not self.may_reveal(kind, project_id, subject):
            self.concerns(subject, project_id)
            suppliers.require(self.conn, self.operation.action, {self.caller.user_id: [project_id]})
            raise rules.refusal(self.conn, kind, project_id, subject)

    def may_reveal(self, kind: str, project_id: str, subject: str) -> bool:
        """Whether the caller may see this: its own project's, or with a consent that is in force,
        which the log will name; and nothing that its employer may have no way to."""
        self.touches(subject, project_id)
        if not self._strange(project_id):
            return True
        if suppliers.barred(self.conn, self.caller.user_id, project_id):
            return False
        if not rules.needed(self.conn, project_id):
            return True
        used = rules.found(self.conn, self.caller.user_id, kind, project_id, subject)
        if used is not None:
            self.notes["consent"] = used
        return used is not None

    def access_leaf(self, status: int) -> Leaf:
        """The leaf of an operator's look at customers' resources, or of its try. One project's leaf
        names what was seen; a leaf of several is everyone's to read, and tells numbers only."""
        projects = set(self.touched.values())
        entry = self.leaf(status)
        if len(projects) > 1:
            entry.project_id, entry.subject = EVERYONE, ""
            entry.detail = {"projects": len(projects), "resources": len(self.touched)}
            return entry
        entry.project_id = projects.pop()
        entry.subject = self.subject or next(iter(self.touched))
        if len(self.touched) > 1:
            seen = sorted(self.touched)[:MOST_NAMED]
            entry.detail = {**entry.detail, "resources": len(self.touched), "seen": seen}
        return entry

    def leaf(self, status: int) -> Leaf:
        """The log leaf of this request."""
        caller = self._caller
        return Leaf(
            action=self.operation.action,
            subject=self.subject or "/".join(self.params.values()),
            request_id=self.request_id,
            status=status,
            actor=caller.user_id if caller else None,
            actor_project=caller.project_id if caller else None,
            project_id=self.leaf_project or (caller.project_id if caller else None),
            detail=self.notes,
        )

    def transact(self, work: Callable[[Connection], T], status: int | None = None) -> T:
        """Run `work` in a write transaction that also holds this request's leaf."""

        def whole(connection: Connection) -> T:
            self.conn = connection
            try:
                result = work(connection)
                append(connection, self.leaf(status or self.operation.status))
                return result
            finally:
                self.conn = None

        result = self.cloud.database.transact(whole)
        self.logged = True
        return result
