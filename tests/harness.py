"""A whole cloud in one process for tests: real dispatcher, real database, simulated engine.

`TestCloud` takes the services and lifecycles under test; `as_(…)` gives a client that speaks to
them over ASGI as a persona; `settle()` runs the worker until nothing is due, moving the clock
over naps.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from andromede import clock
from andromede.cloud import Authenticate, Cloud, Keys
from andromede.config import Config, Paths, Place
from andromede.db import Connection, Database, plain
from andromede.engine.simulated import SimulatedEngine
from andromede.http.access import Caller
from andromede.http.dispatch import Dispatcher
from andromede.http.errors import Unauthorized
from andromede.http.operation import Service
from andromede.inspect.formats import examine
from andromede.keys.signer import Signer
from andromede.sovereignty.log.note import COSIGNATURE, ED25519
from andromede.sovereignty.log.sequencer import sequence
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import CLOUD, OperatorAccess, Policy, Switch
from andromede.sovereignty.world.change import seed
from andromede.work import Lifecycle, Runner
from tests import tables
from tests.oracle import exchanges

HOST = "simulated"
OPEN = Policy(operator_access=OperatorAccess.OPEN, second_factor=Switch.OFF)

ROLES = {
    "reader": frozenset({"reader"}),
    "member": frozenset({"member", "reader"}),
    "manager": frozenset({"manager", "member", "reader"}),
    "admin": frozenset({"admin", "manager", "member", "reader"}),
}


def caller(role: str = "member", project: str | None = "p1", **more: Any) -> Caller:
    """A bearer with a role in a project, for tests that do not go through identity."""
    scope: dict[str, Any] = {"project_id": project, "project_domain_id": "default"}
    return Caller(
        user_id=more.pop("user", f"user-of-{project}"),
        user_domain_id="default",
        roles=ROLES[role],
        expires_at=clock.now() + 3600 * clock.SECOND,
        **(scope if project else {}),
        **more,
    )


def authenticate(_: Connection, token: str, __: str) -> Caller:
    """The tests' tokens are callers in JSON."""
    try:
        return msgspec.json.decode(token, type=Caller)
    except msgspec.DecodeError as error:
        raise Unauthorized("The request you have made requires authentication.") from error


class MemoryKeys:
    """The keys role, in memory; tests rotate `tokens`, whose first seals."""

    def __init__(self, mark: str = "cloud.test") -> None:
        seed = hashlib.sha256(mark.encode()).digest()
        key = Ed25519PrivateKey.from_private_bytes(seed)
        self.log = Signer(f"{mark}/log", ED25519, key)
        self.witness = Signer(f"{mark}/witness", COSIGNATURE, key)
        self.tokens: list[tuple[str, bytes]] = [("k1", b"1" * 32)]
        self.fetched = 0
        self.master = AESGCM(os.urandom(32))

    def token_keys(self) -> Sequence[tuple[str, bytes]]:
        self.fetched += 1
        return list(self.tokens)

    def sign_checkpoint(self, text: bytes) -> bytes:
        return self.log.sign(text)

    def sign_manifest(self, project: str, files: Sequence[tuple[str, str]]) -> str:
        return self.log.sign_manifest(project, files)

    def cosign_checkpoint(self, text: bytes) -> bytes:
        return self.witness.cosign(text)

    def log_verifier(self) -> str:
        return str(self.log.verifier)

    def witness_verifier(self) -> str:
        return str(self.witness.verifier)

    def wrap(self, purpose: str, name: str, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.master.encrypt(nonce, plain, f"{purpose}\n{name}".encode())

    def unwrap(self, purpose: str, name: str, wrapped: bytes) -> bytes:
        return self.master.decrypt(wrapped[:12], wrapped[12:], f"{purpose}\n{name}".encode())


@dataclass
class Answer:
    """A response: status, headers with lower-case names, raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def expect(self, status: int) -> Any:
        """The JSON body, after checking the status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:2000]!r}"
        return json.loads(self.body) if self.body else None


@dataclass
class Client:
    """Calls the cloud in-process with one token; `headers` go with every call."""

    app: Dispatcher
    token: str | None
    headers: dict[str, str] = field(default_factory=dict)
    remote: str = "127.0.0.1"

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("DELETE", path, body, **more)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """One request; `body` is sent as JSON, `raw` as it is."""
        content = raw if raw is not None else b"" if body is None else msgspec.json.encode(body)
        sent = {"content-type": "application/json", "content-length": str(len(content))}
        if self.token is not None:
            sent["x-auth-token"] = self.token
        sent |= {k.lower(): v for k, v in {**self.headers, **(headers or {})}.items()}
        answer = asyncio.run(_call(self.app, method, path, sent, content, self.remote))
        exchanges.note(method, path, content, answer.status, answer.headers, answer.body)
        return answer


async def _call(
    app: Dispatcher, method: str, path: str, headers: dict[str, str], content: bytes, remote: str
) -> Answer:
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": where,
        "raw_path": quote(where, safe="/%:@").encode(),
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": (remote, 1),
    }
    parts = [content[i : i + 65536] for i in range(0, len(content), 65536)] or [b""]
    feed = [
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1}
        for at, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return feed.pop(0) if feed else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    app.turns.clear()  # semaphores belong to the loop that made them
    await app(scope, receive, send)
    start = sent[0]
    return Answer(
        status=start["status"],
        headers={k.decode(): v.decode("latin-1") for k, v in start["headers"]},
        body=b"".join(message.get("body", b"") for message in sent[1:]),
    )


class TestCloud:
    """See the module. `services` are mounted on a public and a private dispatcher. `closed`: its
    operators need consent and a second factor, as by default outside of tests."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        services: Sequence[Service],
        lifecycles: Sequence[Lifecycle] = (),
        *,
        url: str | None = None,
        authenticate: Authenticate = authenticate,
        keys: Keys | None = None,
        closed: bool = False,
    ) -> None:
        self.config = Config(
            short="test", uid_base=0x4000_0000, engine="simulated", place=Place(host=HOST)
        )
        self.paths = Paths(folder)
        for each in (self.paths.db, self.paths.images, self.paths.run):
            each.mkdir(parents=True, exist_ok=True)
        self.database = Database(url or self.paths.database_url(self.config))
        tables.ensure(self.database)
        self.database.transact(lambda connection: seed(connection, self.config.place))
        if not closed:
            self.database.transact(lambda connection: policies.put(connection, CLOUD, OPEN))
        self.engine = SimulatedEngine(HOST)
        self.cloud = Cloud(
            config=self.config,
            paths=self.paths,
            database=self.database,
            authenticate=authenticate,
            keys=keys or MemoryKeys(),
            inspect=examine,
            catalog=list(services),
        )
        self.public = Dispatcher(
            self.cloud, list(services), listener="public", base_url="https://cloud.test:8443"
        )
        self.private = Dispatcher(
            self.cloud, list(services), listener="private", base_url="https://cloud.test:8444"
        )
        self.lifecycles = {each.kind: each for each in lifecycles}
        self.runner = self.new_runner()

    def new_runner(self, **more: Any) -> Runner:
        """A worker over the same database and engine, as after a restart of the worker."""
        world = SimpleNamespace(cloud=self.cloud, engine=self.engine)
        return Runner(self.database, self.lifecycles, world, worker="test", **more)

    def as_(self, who: Caller | None = None, *, private: bool = False, **headers: str) -> Client:
        """A client for a persona; admins go to the private listener by `private=True`."""
        token = msgspec.json.encode(who).decode() if who is not None else None
        return Client(self.private if private else self.public, token, headers)

    def bearer(self, token: str | None, *, private: bool = False, **headers: str) -> Client:
        """A client with a token as it is, or without one."""
        return Client(self.private if private else self.public, token, headers)

    def settle(
        self,
        runner: Runner | None = None,
        *,
        most: int = 2_000,
        until: Callable[[], bool] | None = None,
    ) -> None:
        """Run due work, and jump over naps, until the work table is empty, or something is so.

        Fails after `most` steps: something never settles.
        """
        from andromede.work import store

        runner = runner or self.runner
        offset = 0
        try:
            for _ in range(most):
                if until is not None and until():
                    return
                tasks = runner.lease(1)
                if tasks:
                    runner.run(tasks[0])
                    runner._release(tasks[0])
                    continue
                with self.database.read() as connection:
                    moment = store.next_due(connection)
                if moment is None:
                    return
                offset += max(0, moment - clock.now())
                skip = offset
                clock.set_source(lambda skip=skip: _system_now() + skip)
        finally:
            clock.set_source(None)
        raise AssertionError(f"work did not settle within {most} steps")

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL run inside, by SQLAlchemy or by the driver itself; transactions' ends aside."""
        seen: list[str] = []
        plainly = plain.execute

        def note(_: object, __: object, statement: str, *___: object) -> None:
            seen.append(statement)

        def execute(connection: Connection, text: str, values: Any) -> Any:
            seen.append(text)
            return plainly(connection, text, values)

        sa.event.listen(self.database.engine, "before_cursor_execute", note)
        plain.execute = execute
        try:
            yield seen
        finally:
            plain.execute = plainly
            sa.event.remove(self.database.engine, "before_cursor_execute", note)

    def number(self) -> int:
        """Run the sequencer until no leaf waits; how many were numbered."""
        keys = self.cloud.keys
        assert keys is not None
        name = keys.log_verifier().partition("+")[0]
        total = 0
        while count := sequence(self.database, name, keys.sign_checkpoint, name):
            total += count
        return total

    def close(self) -> None:
        self.database.dispose()


def _system_now() -> int:
    import time

    return time.time_ns() // 1_000


def unknown_id() -> str:
    return str(uuid.uuid4())
