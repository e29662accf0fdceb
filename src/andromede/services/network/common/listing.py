"""Lists as clients ask for them: filters on attributes, chosen fields, sorting, paging with links."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.paging import Page, read_page
from andromede.services.network.common.attributes import Schema, visible

MOST = 1000  # resources in one answer
TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")
CONTROLS = frozenset({"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a list request wants. `filters` maps a column to its accepted values, `related` a
    filter that is no column, `sort` is (column, descending) pairs ending in a unique one."""

    filters: Mapping[str, list[Any]]
    related: Mapping[str, list[str]]
    tags: Mapping[str, list[str]]
    changed_since: int | None
    sort: Sequence[tuple[str, bool]]
    page: Page
    fields: frozenset[str]


def read_query(context: Context, schema: Schema, related: frozenset[str]) -> Query:
    """Read a list's query string.

    Errors: BadRequest naming the parameter and what is accepted.
    """
    pairs = context.query
    filters: dict[str, list[Any]] = {}
    others: dict[str, list[str]] = {}
    tags: dict[str, list[str]] = {}
    unknown: list[str] = []
    changed = None
    for key, value in pairs:
        if key in CONTROLS:
            continue
        if key in TAG_FILTERS:
            tags.setdefault(key, []).extend(value.split(","))
        elif key == "changed_since":
            changed = _moment(value)
        elif key in related:
            others.setdefault(key, []).append(value)
        elif key in schema.table and schema.table[key].stored:
            filters.setdefault(schema.table[key].key, []).append(value)
        else:
            unknown.append(key)
    if unknown:
        raise BadRequest(
            f"Invalid input for operation: {unknown} is invalid attribute for filtering. "
            f"Accepted are the stored attributes of a {schema.name}."
        )
    return Query(
        filters=filters,
        related=others,
        tags=tags,
        changed_since=changed,
        sort=_sort(pairs, schema),
        page=read_page(pairs),
        fields=_fields(pairs),
    )


def _fields(pairs: Sequence[tuple[str, str]]) -> frozenset[str]:
    return frozenset(value for key, value in pairs if key == "fields" and value)


def _moment(value: str) -> int:
    try:
        return clock.parse(value)
    except ValueError:
        raise BadRequest(
            f"changed_since '{value}' is not valid: a moment as 2026-11-21T10:00:00Z is accepted"
        ) from None


def _sort(pairs: Sequence[tuple[str, str]], schema: Schema) -> list[tuple[str, bool]]:
    known = {name: each.key for name, each in schema.table.items() if each.stored}
    sort = [(known[name], direction == "desc") for name, direction in _orders(pairs, known)]
    return sort if ("id", False) in sort or ("id", True) in sort else [*sort, ("id", False)]


def _orders(pairs: Sequence[tuple[str, str]], known: Container[str]) -> list[tuple[str, str]]:
    """Each key to sort by, with its direction.

    Errors: BadRequest for an unknown one, or not as many of one as of the other.
    """
    keys = [value for key, value in pairs if key == "sort_key"]
    directions = [value for key, value in pairs if key == "sort_dir"]
    if len(keys) != len(directions):
        raise BadRequest("The number of sort_keys and sort_dirs must be same")
    for name, direction in zip(keys, directions, strict=True):
        if name not in known:
            raise BadRequest(f"'{name}' is invalid attribute for sort keys")
        if direction not in ("asc", "desc"):
            raise BadRequest(f"'{direction}' is invalid value for sort_dirs, accepted: asc, desc")
    return list(zip(keys, directions, strict=True))


def few(
    context: Context, found: list[dict[str, Any]], keys: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The page that is asked for of a few documents, by one of `keys` or in the order that they come
    in, with the asked fields.

    Errors: BadRequest for a faulty limit, a marker that is none of them, or another order.
    """
    for key, direction in reversed(_orders(context.query, keys)):
        found = sorted(found, key=_of(key), reverse=direction == "desc")
    page, fields = read_page(context.query), _fields(context.query)
    if page.marker:
        at = next((at for at, each in enumerate(found) if each.get("id") == page.marker), None)
        if at is None:
            raise BadRequest(f"marker '{page.marker}' is not valid: an id of the list is accepted")
        found = found[at + 1 :]
    return [
        {name: value for name, value in each.items() if not fields or name in fields}
        for each in found[: page.limit or MOST]
    ]


def _of(key: str) -> Callable[[dict[str, Any]], tuple[bool, Any]]:
    return lambda each: (each[key] is not None, each[key])  # what has none comes first


def answer(
    context: Context,
    schema: Schema,
    query: Query,
    documents: list[dict[str, Any]],
    more: bool,
) -> dict[str, Any]:
    """The body of a list, with links to the pages beside it when it is one of several."""
    links = _links(context, query, documents, more)
    shown = [trim(schema, each, query.fields, context) for each in documents]
    body: dict[str, Any] = {schema.plural: shown}
    if links:
        body[f"{schema.plural}_links"] = links
    return body


def trim(
    schema: Schema, document: dict[str, Any], fields: frozenset[str], context: Context
) -> dict[str, Any]:
    """The document with the asked fields that its reader may see."""
    document = visible(schema, document, context.caller)
    if not fields:
        return document
    return {name: value for name, value in document.items() if name in fields}


def shown(schema: Schema, document: dict[str, Any], context: Context) -> dict[str, Any]:
    """The body of one resource."""
    return {schema.name: trim(schema, document, _fields(context.query), context)}


def _links(
    context: Context, query: Query, documents: list[dict[str, Any]], more: bool
) -> list[dict[str, str]]:
    if not documents:
        return []
    page = query.page
    ahead, behind = (bool(page.marker), more) if page.reverse else (more, bool(page.marker))
    url = context.url(context.operation.path.format_map(context.params))
    keep = [(k, v) for k, v in context.query if k not in ("marker", "page_reverse")]

    def link(relation: str, marker: str, *extra: tuple[str, str]) -> dict[str, str]:
        return {"rel": relation, "href": f"{url}?{urlencode([*keep, ('marker', marker), *extra])}"}

    links = []
    if ahead:
        links.append(link("next", documents[-1]["id"]))
    if behind:
        links.append(link("previous", documents[0]["id"], ("page_reverse", "True")))
    return links
