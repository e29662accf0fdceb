"""The dispatcher: request id, route, token, microversion, validation, authorization, transaction,
native errors, in that order, for every operation of every service."""

from __future__ import annotations

import asyncio
import contextvars
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
import structlog

from andromede import ids, log_setup, metrics
from andromede.cloud import Cloud
from andromede.db import Connection
from andromede.http import body as bodies
from andromede.http import respond
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Forbidden, NotFound, Unauthorized
from andromede.http.microversion import Version
from andromede.http.operation import MUTATING, Operation, Reply, Service, Transaction
from andromede.http.routing import Group, Table
from andromede.sovereignty.admit import Refused
from andromede.sovereignty.consent import places
from andromede.sovereignty.log import append

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

T = TypeVar("T")
REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
POOL = 16
PER_PROJECT = 6  # of the pool's threads, at most, for one project

log = structlog.get_logger("api")


class Dispatcher:
    """The ASGI application of one listener."""

    def __init__(
        self, cloud: Cloud, services: list[Service], *, listener: str, base_url: str = ""
    ) -> None:
        self.cloud = cloud
        self.listener = listener
        self.base_url = base_url
        self.tables = {service.mount.strip("/"): Table(service) for service in services}
        self.pool = ThreadPoolExecutor(POOL, thread_name_prefix="request")
        self.turns: dict[str, asyncio.Semaphore] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        marks = _marks(headers)
        structlog.contextvars.bind_contextvars(**marks)
        table = self.tables.get(scope["path"].strip("/").partition("/")[0])
        action = "none"
        if table is None:
            reply = respond.unknown(self.tables, self._base_url(scope), scope["path"])
        else:
            context, reply = await self._serve(table, scope, headers, marks["request_id"], receive)
            action = context.operation.action if context else "none"
        reply.headers = {
            "x-openstack-request-id": marks["request_id"],
            "x-compute-request-id": marks["request_id"],
            **reply.headers,
        }
        await respond.send_reply(reply, scope["method"], send, self.pool)
        spent = time.perf_counter() - started
        metrics.requests(action, reply.status).observe(spent)
        log_setup.note(
            event="request",
            method=scope["method"],
            path=scope["path"],
            status=reply.status,
            action=action,
            ms=round(spent * 1000, 2),
            **marks,
        )

    async def _serve(
        self,
        table: Table,
        scope: Scope,
        headers: dict[str, str],
        request_id: str,
        receive: Receive,
    ) -> tuple[Context | None, Reply]:
        service = table.service
        context: Context | None = None
        extra: Mapping[str, str] = {}
        try:
            path = below_mount(scope)
            found = table.find(scope["method"], path)
            if "%00" in path:
                bodies.refuse_nul(found[1])
            version, extra = table.negotiate(path, headers)
            context = await self._parse(service, found, version, scope, headers, receive)
            context.request_id = request_id
            reply = await self._perform(context)
        except ApiError as error:
            if isinstance(error, Refused) and context is not None:
                await asyncio.to_thread(self._log_refusal, context, error)
            reply = respond.refusal(service, error, headers, self._base_url(scope))
        except Exception:
            log.exception("request failed", path=scope["path"])
            broken = ApiError(
                f"{scope['method']} {scope['path']} failed inside the cloud; its operator "
                f"finds the cause in the logs by the request id {request_id}."
            )
            reply = respond.refusal(service, broken, headers, self._base_url(scope))
        reply.headers = {**extra, **reply.headers}
        return context, reply

    async def _parse(
        self,
        service: Service,
        found: tuple[Group, dict[str, str]],
        version: Version,
        scope: Scope,
        headers: dict[str, str],
        receive: Receive,
    ) -> Context:
        """Read the body, where the operation does not stream it, and make the context."""
        group, params = found
        raw = b"" if group[0].stream else await bodies.read(headers, receive)
        parsed = bodies.parse(raw, headers) if raw and not group[0].plain else None
        operation = choose(group, version, parsed, scope["path"])
        query = _query(scope["query_string"])
        context = Context(
            self.cloud,
            service,
            operation,
            params=params,
            query=query,
            headers=headers,
            listener=self.listener,
            base_url=self._base_url(scope),
            remote=(scope.get("client") or ("",))[0],
            version=version,
        )
        context.method, context.path = scope["method"], below_mount(scope)
        context.raw_body = raw
        context.body = parsed
        if operation.stream:
            context.chunks = bodies.chunks(receive)
        return context

    def _base_url(self, scope: Scope) -> str:
        """The URL clients are told: the configured one, or the address they reached."""
        if self.base_url:
            return self.base_url
        host, port = scope.get("server") or ("localhost", None)
        where = f"[{host}]" if ":" in host else host
        return f"{scope['scheme']}://{where}:{port}" if port else f"{scope['scheme']}://{where}"

    async def _perform(self, context: Context) -> Reply:
        """Run the operation; what an operator saw of customers, or tried to, is logged before it
        is answered. Refusals are logged as such."""
        try:
            reply = await self._run(context)
        except Refused:
            raise
        except Exception as error:
            if context.touched and not context.logged:
                status = getattr(error, "status", 500)
                await self._in_pool(partial(self._log_access, status), context)
            raise
        if context.touched and not context.logged:
            try:
                await self._in_pool(partial(self._log_access, reply.status), context)
            except BaseException:
                close = getattr(reply.body, "close", None)
                if close is not None:
                    close()
                raise
        return reply

    async def _run(self, context: Context) -> Reply:
        """The synchronous part runs where it belongs: short reads here, the rest in the pool."""
        operation = context.operation
        if not self.cloud.database.sqlite:
            await self._in_pool(self._admit_caller, context)
        elif operation.mode is Transaction.READ:
            return self._read(context, self._authorize)
        else:
            self._admit_caller(context)
        turn = self._turn(context)
        async with turn:
            if operation.stream:
                reply = finish(context, await operation.handler(context))
                require_admission(context)
                return reply
            return await self._in_pool(self._write, context)

    async def _in_pool(self, work: Callable[[Context], T], context: Context) -> T:
        """Run `work` in the pool, where its logs still bear the request's id."""
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self.pool, run, work, context)

    def _turn(self, context: Context) -> asyncio.Semaphore:
        who = "" if context.anonymous else context.project_id or context.caller.user_id
        if context.operation.stream:
            who = f"stream {who}"  # long uploads leave the project's short requests their turns
        turn = self.turns.get(who)
        if turn is None:
            if len(self.turns) > 10_000:
                self.turns.clear()
            turn = self.turns[who] = asyncio.Semaphore(PER_PROJECT)
        return turn

    def _admit_caller(self, context: Context) -> None:
        if context.operation.allow is None:
            bodies.validate(context)
            return
        with self.cloud.database.read_often() as connection:
            self._authorize(context, connection)

    def _authorize(self, context: Context, connection: Connection) -> None:
        """Know the caller, validate the body, and see whether the operation is the caller's."""
        rule = context.operation.allow
        if rule is None:
            bodies.validate(context)
            return
        token = context.headers.get("x-auth-token")
        if not token:
            raise Unauthorized("The request you have made requires authentication.")
        context.caller = self.cloud.authenticate(connection, token, self.listener)
        require_access(context)
        if context.caller.admin or context.caller.system:
            places.require(connection, context.remote)
        bodies.validate(context)
        if not rule.allows(context.caller):
            raise Forbidden(
                f"You are not authorized to perform the requested action: "
                f"{context.operation.action} (it asks for: {rule.name})."
            )

    def _read(
        self, context: Context, admit: Callable[[Context, Connection], None] | None = None
    ) -> Reply:
        """Run the handler in a snapshot, where `admit` is called first."""
        with self.cloud.database.read_often() as connection:
            context.conn = connection
            try:
                if admit is not None:
                    admit(context, connection)
                return finish(context, context.operation.handler(context))
            finally:
                context.conn = None

    def _write(self, context: Context) -> Reply:
        operation = context.operation
        if operation.prepare is not None:
            context.prepared = operation.prepare(context)
        if operation.mode is Transaction.READ:
            return self._read(context)
        if operation.mode in (Transaction.OWN, Transaction.NONE):
            return finish(context, operation.handler(context))
        body = context.body

        def work(connection: Connection) -> Reply:
            context.conn = connection
            context.body = body
            context.notes = {}
            context.touched = {}
            context.admitted = False
            reply = finish(context, operation.handler(context))
            require_admission(context)
            if operation.method in MUTATING:
                append(connection, context.leaf(reply.status))
            return reply

        try:
            reply = self.cloud.database.transact(work)
        finally:
            context.conn = None
        context.logged = operation.method in MUTATING
        return reply

    def _log_access(self, status: int, context: Context) -> None:
        entry = context.access_leaf(status)
        self.cloud.database.transact(lambda connection: append(connection, entry))

    def _log_refusal(self, context: Context, refused: Refused) -> None:
        decision = refused.decision
        context.notes = {
            "rule": decision.rule, "set_at": decision.set_at, "reason": decision.reason,
        }  # fmt: skip
        self.cloud.database.transact(
            lambda connection: append(connection, context.leaf(refused.status))
        )


def require_access(context: Context) -> None:
    """Errors: Unauthorized for a request that the caller's access rules do not name."""
    rules = context.caller.access_rules
    if rules is None:
        return
    service, method, path = context.service, context.method, as_routed(context.path)
    if not any(each.permits(service.type, method, path, service.mount + path) for each in rules):
        raise Unauthorized(
            f"The access rules of this application credential do not name {method} {path} of "
            f"{service.type}. Accepted: "
            + "; ".join(f"{each.method} {each.path} of {each.service}" for each in rules)
        )


def as_routed(path: str) -> str:
    """A path as the routing table takes it: empty segments count for nothing, and a slash that is
    spelled out stays within its segment."""
    segments = (unquote(each).replace("/", "%2F") for each in path.split("/") if each)
    return "".join(f"/{each}" for each in segments)


def require_admission(context: Context) -> None:
    """Errors: RuntimeError when an operation that places data was done without admission."""
    if context.operation.places and not context.admitted:
        raise RuntimeError(f"{context.operation.action} placed data and asked for no admission")


def _marks(headers: Mapping[str, str]) -> dict[str, str]:
    """What tells this request from others in the logs: its own id, and the client's for it."""
    marks = {"request_id": f"req-{ids.new()}"}
    given = headers.get("x-openstack-request-id")
    if given is not None and REQUEST_ID.fullmatch(given):
        marks["global_id"] = given
    return marks


def _query(raw: bytes) -> list[tuple[str, str]]:
    """The parameters of a query in their order.

    Errors: BadRequest when one holds U+0000.
    """
    if not raw:
        return []
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    bodies.refuse_nul(pairs)
    return pairs


def below_mount(scope: Scope) -> str:
    """The path after the service's mount, still percent-encoded."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw_path.decode("latin-1").partition("?")[0].lstrip("/").partition("/")[2]


def choose(group: Group, version: tuple[int, int], body: Any, path: str) -> Operation:
    """The row among those of one method and path that serves this version and body key.

    Errors: NotFound when no row serves the version; BadRequest when the body names no known key.
    """
    current = [
        row
        for row in group
        if (row.since is None or version >= row.since)
        and (row.until is None or version <= row.until)
    ]
    if not current:
        raise NotFound("The resource could not be found.")
    if current[0].key is None:
        return current[0]
    keys = list(body) if isinstance(body, dict) else []
    for row in current:
        if keys == [row.key]:
            return row
    known = ", ".join(sorted(row.key or "" for row in current))
    raise BadRequest(
        f"There is no such action: {', '.join(map(str, keys)) or 'none given'} on {path}. "
        f"The body must be an object with one of the keys: {known}."
    )


def finish(context: Context, result: Any) -> Reply:
    """Turn a handler's result into a reply in the shape of the version that was asked for."""
    if context.operation.reveals is not None and not context.revealed:
        raise RuntimeError(f"{context.operation.action} reveals data and asked for no consent")
    reply = result if isinstance(result, Reply) else Reply(context.operation.status, result)
    service = context.service
    if reply.media_type != "application/json" or reply.body is None:
        return reply
    if isinstance(reply.body, (bytes, msgspec.Raw)):
        return reply
    if service.downgrade is not None and service.microversions is not None:
        plain = msgspec.to_builtins(reply.body)
        reply.body = service.downgrade(context.operation, context.version, plain)
    reply.body = msgspec.json.encode(reply.body)
    return reply
