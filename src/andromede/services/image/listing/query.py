"""The query string of the image list, read into what the store looks for.

Source: the Image service API v2, "List images": comparison operators on moments, `in:` lists,
the classic `sort_key`/`sort_dir` pairs and the newer `sort`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from msgspec import Struct, field

from andromede import clock
from andromede.http.errors import BadRequest
from andromede.services.image.schema import VISIBILITIES

SORT_KEYS = (
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at",
)  # fmt: skip
LISTS = ("id", "name", "status", "container_format", "disk_format")
TEXTS = ("owner", "checksum", "os_hash_algo", "os_hash_value")
BOOLEANS = ("protected", "os_hidden")
NUMBERS = ("size", "size_min", "size_max", "min_disk", "min_ram")
MOMENTS = ("created_at", "updated_at")
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")
MEMBER_STATUSES = ("accepted", "pending", "rejected", "all")
DEFAULT_LIMIT = 25
MOST = 1000
LARGEST = 2**63 - 1


class Filters(Struct, kw_only=True):
    """What is looked for. Moments are (operator, microseconds of a whole second)."""

    visibility: str | None = None
    member_status: str = "accepted"
    lists: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    booleans: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    moments: list[tuple[str, str, int]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


class Listing(Struct, kw_only=True):
    """A page of the list: filters, sort keys with their direction, and where it begins."""

    filters: Filters
    sort: list[tuple[str, bool]]  # (key, whether it descends)
    limit: int
    marker: str | None


def read(query: Sequence[tuple[str, str]]) -> Listing:
    """Read a query string.

    Errors: BadRequest naming the parameter and what it accepts.
    """
    filters = Filters()
    paging: dict[str, str] = {}
    for name, value in query:
        if name in ("limit", "marker"):
            paging[name] = value
        elif name not in ("sort", "sort_key", "sort_dir"):
            _read_filter(filters, name, value)
    filters.booleans.setdefault("os_hidden", False)
    return Listing(
        filters=filters,
        sort=_sorting(query),
        limit=_limit(paging.get("limit")),
        marker=paging.get("marker") or None,
    )


def _read_filter(filters: Filters, name: str, value: str) -> None:
    if name == "visibility":
        if value not in (*VISIBILITIES, "all"):
            raise BadRequest(
                f"Invalid visibility value: {value}. One of {', '.join(VISIBILITIES)} and all is "
                f"accepted."
            )
        filters.visibility = value
    elif name == "member_status":
        if value not in MEMBER_STATUSES:
            raise BadRequest(
                f"Invalid member_status: {value}. One of {', '.join(MEMBER_STATUSES)}."
            )
        filters.member_status = value
    elif name == "changes-since":
        raise BadRequest('The "changes-since" filter is no longer available on v2.')
    elif name == "tag":
        filters.tags.append(value.strip())
    elif name in LISTS:
        filters.lists[name] = _values(value)
    elif name in TEXTS:
        filters.texts[name] = value
    elif name in BOOLEANS:
        filters.booleans[name] = _boolean(name, value)
    elif name in NUMBERS:
        filters.numbers[name] = _number(name, value)
    elif name in MOMENTS:
        filters.moments.append((name, *_moment(name, value)))
    else:
        filters.properties[name] = value


def _values(value: str) -> list[str]:
    if not value.startswith("in:"):
        return [value]
    return next(csv.reader([value[3:]], skipinitialspace=True), [])


def _boolean(name: str, value: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in known:
        raise BadRequest(f"Invalid value {value!r} for {name}: true or false is accepted.")
    return known[value.lower()]


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value[:20]) <= LARGEST):
        raise BadRequest(f"Invalid value {value!r} for {name}: a whole number is accepted.")
    return int(value)


def _moment(name: str, value: str) -> tuple[str, int]:
    operator, colon, rest = value.partition(":")
    if not colon or operator not in OPERATORS:
        operator, rest = "eq", value
    try:
        moment = clock.parse(rest)
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"Invalid value {value!r} for {name}: an ISO 8601 moment, perhaps after one of "
            f"{', '.join(OPERATORS)} and a colon, is accepted."
        ) from error
    return operator, moment - moment % clock.SECOND


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise BadRequest(f"limit {value!r} is not valid: a whole number from 0 is accepted.")
    return min(int(value), MOST)


def _sorting(query: Sequence[tuple[str, str]]) -> list[tuple[str, bool]]:
    new = [value for name, value in query if name == "sort"]
    keys = [value.strip() for name, value in query if name == "sort_key"]
    directions = [value.strip() for name, value in query if name == "sort_dir"]
    if new and (keys or directions):
        raise BadRequest("Old and new sorting syntax cannot be combined")
    if new:
        pairs = [part.partition(":") for part in new[-1].strip().split(",")]
        keys = [key.strip() for key, _, _ in pairs]
        directions = [direction.strip() or "desc" for _, _, direction in pairs]
    keys, directions = keys or ["created_at"], directions or ["desc"]
    if len(directions) == 1:
        directions = directions * len(keys)
    if len(directions) != len(keys):
        raise BadRequest("Number of sort dirs does not match the number of sort keys")
    for key in keys:
        if key not in SORT_KEYS:
            raise BadRequest(
                f"Invalid sort key: {key}. It must be one of the following: {', '.join(SORT_KEYS)}."
            )
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise BadRequest(f"Invalid sort direction: {direction}; asc or desc is accepted.")
    whole = dict(zip(keys, (each == "desc" for each in directions), strict=True))
    for key in ("created_at", "id"):
        whole.setdefault(key, directions[0] == "desc")
    return list(whole.items())
