"""Requests that are wrong in one way, for every row of the routing tables: bodies, members, media
types, queries, ids in paths, methods, headers and versions. Each has a name to repeat it by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import inspect as shapes

from andromede.http.operation import Operation, Service
from tests.contract.whole import examples
from tests.contract.whole.world import Whole, rows

MIB = 1024 * 1024
VALUES: Mapping[str, Any] = {
    "null": None, "true": True, "-1": -1, "0": 0, "2^31": 2**31, "2^63": 2**63, "2^64": 2**64,
    "1.5": 1.5, "1e300": 1e300, "empty text": "", "blank": " ", "256 characters": "x" * 256,
    "70000 characters": "x" * 70_000, "U+0000": "a\x00b", "bidi": "é\u202e😀", "-1 as text": "-1",
    "NaN as text": "NaN", "99 nines": "9" * 99, "line feed": "a\nb", "empty list": [],
    "empty object": {}, "list of null": [None], "list of lists": [[[]]], "object": {"a": {"b": 1}},
    "list of 300": list(range(300)), "%s": "%s%n{0}", "quote": "'\"--", "path": "../../etc/passwd",
}  # fmt: skip
BODIES: Mapping[str, bytes] = {
    "half an object": b"{", "blank": b" ", "null": b"null", "list": b"[]", "text": b'"text"',
    "number": b"1", "empty object": b"{}", "not UTF-8": b'{"a": "\xff\xfe"}', "comma": b'{"a":1,}',
    "NaN": b'{"a": NaN}', "Infinity": b"[Infinity]", "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 50_000, "closed nesting": b"[" * 900 + b"]" * 900,
    "BOM": b"\xef\xbb\xbf{}", "UTF-16": '{"a": 1}'.encode("utf-16"), "surrogate": b'{"a":"\\ud800"}',
    "NUL": b"\x00", "NUL in a name": b'{"\\u0000": 1}', "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "huge exponent": b'{"a": 1e999999}', "a MiB and more": b'"' + b"x" * MIB + b'"',
    "XML": b"<server/>", "form": b"a=1&b=2", "two documents": b"{}{}",
}  # fmt: skip
MEDIA = ("text/plain", "application/xml", "multipart/form-data; boundary=x", "", "/", "*/*",
         "application/x-www-form-urlencoded", "application/json; charset=utf-16", "é")  # fmt: skip
QUERIES = (
    "limit=-1", "limit=0", "limit=1", "limit=99999999999999999999", "limit=abc", "limit=", "limit=1.5",
    "limit=" + "9" * 5000,
    "limit=%EF%BC%91", "limit=1&limit=2", "limit=1000001", "marker=nope", "marker=%00", "marker=",
    "marker=" + "x" * 5000, "marker=..%2F..%2Fetc", "marker=%FF%FE", "marker=-1", "marker=999999999",
    "marker=00000000-0000-0000-0000-000000000000", "sort_key=nope", "sort_key=id&sort_dir=sideways",
    "sort_key=", "sort=nope:down", "sort=,", "sort_key=id%00", "sort_key=__class__", "sort_dir=asc",
    "page_reverse=maybe", "page_reverse=true&limit=1&marker=x", "fields=nope", "fields=", "fields=%00",
    "nope=1", "nope", "=1", "&&&", "%", "%zz", "name=%FF", "name=%00", "name=" + "n" * 9000,
    "name=%27%20or%201%3D1--", "name=%25", "id=1&id=2", "id=", "status=%F0%9F%98%80", "tags=", "tags=,",
    "tags-any=%00", "changes-since=yesterday", "changes-since=99999-01-01T00:00:00Z",
    "changes-before=0", "all_tenants=perhaps", "all_tenants=1", "project_id=nope", "tenant_id=",
    "created_at=gt:never", "created_at=in:", "size_min=-1", "size_max=1e9", "visibility=secret",
    "domain_id=%00", "enabled=perhaps", "user_id=" + "u" * 300, "scope.domain.id=", "effective&x",
    "ip=999.1.1.1", "ip6=::g", "minRam=x", "minDisk=-1", "is_public=perhaps", "usage=x", "date=soon",
    "date=9999-99-99", "first=0&second=-1", "leaf=x", "resource=", "state=x", "since=x", "until=%00",
    "fixed_ips=ip_address%3D", "fixed_ips=x", "revision_number=x", "mtu=99999999999999999999",
    "admin_state_up=perhaps", "from=2030", "lang=xx", "&".join(["a=1"] * 3000),
)  # fmt: skip
IDS = (
    "x", "%20", "%00", "%FF%FE", "..%2F..%2Fetc", "%2E%2E", "a" * 5000, "%C3%A9", "%F0%9F%98%80", "-1",
    "0", "1180591620717411303424", "'%20or%201=1", "%25", "%", "null",
    "00000000-0000-0000-0000-00000000000",
    "00000000000000000000000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "detail", "%0A",
)  # fmt: skip
TAILS = ("/nope", "/", "//", ".json", "/%2F", "/" + "x" * 3000, "/" + "y/" * 300, "?")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO", "get")
HEADERS: tuple[Mapping[str, str], ...] = (
    {"OpenStack-API-Version": "compute 2.9999"}, {"OpenStack-API-Version": "compute abc"},
    {"OpenStack-API-Version": "compute 1.0"}, {"OpenStack-API-Version": "compute"},
    {"OpenStack-API-Version": "compute latest latest"}, {"OpenStack-API-Version": "compute 2.01"},
    {"OpenStack-API-Version": "volume 3.0, compute 2.-1"}, {"OpenStack-API-Version": "é" * 300},
    {"OpenStack-API-Version": "", "X-OpenStack-Nova-API-Version": "99.1"},
    {"OpenStack-API-Version": "", "X-OpenStack-Nova-API-Version": "²"},
    {"Content-Length": "-1"}, {"Content-Length": "abc"}, {"Content-Length": "²"},
    {"Content-Length": "99999999999999999999"}, {"Transfer-Encoding": "chunked, x"},
    {"X-Auth-Token": ""}, {"X-Auth-Token": "é"}, {"X-Auth-Token": "x" * 9000},
    {"X-Auth-Token": "AQJrMQ"}, {"X-Auth-Token": "{}"}, {"X-Subject-Token": "é" * 300},
    {"X-Subject-Token": ""}, {"Accept": "é"}, {"Accept": "application/xml"}, {"Accept": ""},
    {"Accept-Language": "²,;q=x"}, {"X-OpenStack-Request-ID": "req-é"}, {"If-Match": "é"},
    {"If-Match": "revision_number=x"}, {"If-Match": "revision_number=99999999999999999999"},
    {"If-None-Match": '"'}, {"Range": "bytes=5-1"}, {"Range": "bytes=99999999999999999999-"},
    {"Range": "lines=1"}, {"Content-Range": "bytes x/y"}, {"Expect": "x"}, {"X-Project-Id": "é"},
    {"X-Forwarded-For": "é"}, {"Host": "é"}, {"X-Image-Meta-Size": "-1"}, {"Content-Encoding": "gzip"},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One wrong request. `raw` None: without a body; `what` is wrong is the last of its name."""

    name: str
    what: str
    service: Service
    row: Operation
    method: str
    path: str
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def every(whole: Whole) -> Iterator[Fault]:
    """All of them, in a fixed order."""
    for service, row in rows():
        yield from _of(_Row(whole, service, row))


class _Row:
    """A row with a request that it accepts."""

    def __init__(self, whole: Whole, service: Service, row: Operation) -> None:
        self.whole, self.service, self.row = whole, service, row
        self.path = whole.path(service, row)
        self.query = examples.query(whole, row)
        self.body = examples.body(whole, row)
        self.headers = dict(examples.headers(whole, row))
        self.raw = None if self.body is None else json.dumps(self.body).encode()

    def fault(self, what: str, **more: Any) -> Fault:
        row = self.row
        given = {
            "method": row.method, "path": self.path + self.query, "raw": self.raw,
            "headers": self.headers, **more,
        }  # fmt: skip
        key = f" {row.key}" if row.key else ""
        return Fault(
            name=f"{row.method} {self.service.mount}{row.path}{key}: {what}", what=what,
            service=self.service,
            row=row, **given,
        )  # fmt: skip


def _of(one: _Row) -> Iterator[Fault]:
    for name, raw in BODIES.items():
        yield one.fault(f"body {name}", raw=raw)
    yield from (one.fault(f"{name} = {text}", raw=raw) for name, text, raw in _members(one))
    for media in MEDIA:
        yield one.fault(f"media {media}", raw=one.raw or b"{}", headers={"Content-Type": media})
    for query in QUERIES:
        yield one.fault(f"query {query[:60]}", path=f"{one.path}?{query}")
    for at, segment in enumerate(one.row.path.split("/")):
        if segment.startswith("{"):
            yield from _odd_ids(one, at, segment)
    for method in METHODS:
        yield one.fault(f"method {method}", method=method)
    for tail in TAILS:
        if tail[0] == "/" or one.path.count("/") > 1:
            yield one.fault(f"path {tail[:20]}", path=one.path + tail)
    for headers in HEADERS:
        yield one.fault(f"header {headers}"[:100], headers={**one.headers, **headers})


def _odd_ids(one: _Row, at: int, segment: str) -> Iterator[Fault]:
    parts = one.path.split("/")
    place = at + one.service.mount.count("/")
    if place >= len(parts):
        return
    for odd in IDS:
        changed = "/".join([*parts[:place], odd, *parts[place + 1 :]])
        yield one.fault(f"{segment} = {odd[:40]}", path=changed + one.query)


def _members(one: _Row) -> Iterator[tuple[str, str, bytes]]:
    """(where, what, body): the accepted body with each of its members replaced by each odd value,
    left out, doubled, or joined by an unknown one; and with members that it may have."""
    if one.body is None:
        return
    for where in dict.fromkeys([*_places(one.body), *_optional(one)]):
        if where == ():
            continue
        name = ".".join(map(str, where))
        for text, value in VALUES.items():
            yield name, text, json.dumps(_put(one.body, where, value)).encode()
        yield name, "left out", json.dumps(_put(one.body, where, ..., remove=True)).encode()
        twice = json.dumps(_put(one.body, where, "\u0001mark")).replace(
            '"\\u0001mark"', '1, "a": 2'
        )
        yield name, "doubled", twice.encode()


def _places(body: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values stand in a document, the outer ones first; the first of each list only."""
    yield before
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(body, dict):
        inner = body.items()
        yield (*before, "un known")
    elif isinstance(body, list):
        inner = list(enumerate(body))[:1]
    if len(before) < 5:
        for key, value in inner:
            yield from _places(value, (*before, key))


def _optional(one: _Row) -> Iterator[tuple[Any, ...]]:
    """Where a body may have members: as its struct says, or as other resources of its noun show."""
    if isinstance(one.row.body, type) and issubclass(one.row.body, msgspec.Struct):
        yield from _fields(shapes.type_info(one.row.body))
    noun = next(iter(one.body)) if isinstance(one.body, dict) and one.body else ""
    schema = _network_schema(noun) if one.service.name == "network" else None
    if schema is not None and isinstance(one.body[noun], dict):
        yield from ((noun, each) for each in schema)


def _fields(kind: shapes.Type, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(kind, shapes.UnionType):
        for each in kind.types:
            yield from _fields(each, before)
    if isinstance(kind, shapes.Metadata):
        yield from _fields(kind.type, before)
    if isinstance(kind, (shapes.ListType, shapes.VarTupleType)) and len(before) < 5:
        yield from _fields(kind.item_type, (*before, 0))
    if isinstance(kind, shapes.StructType) and len(before) < 5:
        for each in kind.fields:
            yield (*before, each.encode_name)
            yield from _fields(each.type, (*before, each.encode_name))


def _network_schema(noun: str) -> Iterable[str] | None:
    """The attributes of a noun of the network service."""
    from andromede.services.network.floatingips.schema import FLOATING
    from andromede.services.network.groups.schema import GROUP, RULE
    from andromede.services.network.networks.schema import NETWORK
    from andromede.services.network.ports.schema import PORT
    from andromede.services.network.routers.schema import ROUTER
    from andromede.services.network.subnets.schema import SUBNET

    schemas = (FLOATING, GROUP, RULE, NETWORK, PORT, ROUTER, SUBNET)
    return next((each.table for each in schemas if each.name == noun), None)


def _put(body: Any, where: tuple[Any, ...], value: Any, *, remove: bool = False) -> Any:
    """The document with one value changed; what is missing on the way to it is made."""
    key, rest = where[0], where[1:]
    if isinstance(key, int):
        members = list(body) if isinstance(body, list) and body else [None]
        members[0:1] = [] if remove and not rest else [_put(members[0], rest, value, remove=remove)
                                                       if rest else value]  # fmt: skip
        return members
    changed = dict(body) if isinstance(body, dict) else {}
    if rest:
        changed[key] = _put(changed.get(key), rest, value, remove=remove)
    elif remove:
        changed.pop(key, None)
    else:
        changed[key] = value
    return changed
