"""Bits of request bodies that identity's nouns share: names, options, further attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.services.identity.rows import Row

VISIBLE = r"^[^\x00]*[^\s\x00][^\x00]*$"
Name64 = Annotated[str, Meta(min_length=1, max_length=64, pattern=VISIBLE)]
Name255 = Annotated[str, Meta(min_length=1, max_length=255, pattern=VISIBLE)]
Text = Annotated[str, Meta(max_length=65_535, pattern=r"^[^\x00]*$")]
Text255 = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9-]+$")]
Tag = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^,/\x00]*$")]
Tags = Annotated[list[Tag], Meta(max_length=80)]

RESERVED = frozenset({"id", "links"})


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of projects, domains and roles. `immutable`: not changed nor deleted until unset."""

    immutable: bool | None = None

    def document(self) -> dict[str, Any]:
        return {} if self.immutable is None else {"immutable": self.immutable}


def extras(context: Context, key: str, shape: type[Struct]) -> dict[str, Any]:
    """The attributes a client sent beyond those of the shape: kept and answered, as upstream."""
    sent: dict[str, Any] = msgspec.json.decode(context.raw_body)[key]
    known = {each.encode_name for each in msgspec.structs.fields(shape)} | RESERVED
    return {name: value for name, value in sent.items() if name not in known}


def check_change(context: Context, key: str, identifier: str, what: str) -> None:
    """Refuse a change of nothing, and a body that names another id than the path's.

    Errors: BadRequest.
    """
    sent = msgspec.json.decode(context.raw_body)[key]
    if not sent:
        raise BadRequest(
            f"Invalid input for field '{key}': {{}} does not have enough properties; at least one "
            f"attribute of the {what} to change is accepted."
        )
    if "id" in sent and sent["id"] != identifier:
        raise BadRequest(f"Cannot change {what} ID")


def given(body: Struct, *names: str) -> dict[str, Any]:
    """The members of these names that the client sent."""
    pairs = ((name, getattr(body, name)) for name in names)
    return {name: value for name, value in pairs if value is not UNSET}


def check_immutable(row: Row, verb: str, what: str, options: Mapping[str, Any] | None) -> None:
    """Refuse to change or delete what is immutable, unless the change makes it mutable.

    Errors: Forbidden.
    """
    if row.options.get("immutable") and not (options and options.get("immutable") is False):
        raise Forbidden(
            f"Unable to {verb} immutable {what} resource: `{row.id}`. Set resource option "
            '"immutable" to false first.'
        )


WORDS = frozenset(
    {"", "true", "false", "1", "0", "y", "n", "on", "off", "yes", "no"}
)  # for a condition of a query


def check_query(context: Context, longest: int = 255) -> None:
    """Refuse names longer than names are, words that are no condition, and orders that are none.

    Errors: BadRequest naming the parameter.
    """
    for name, value in context.query:
        if name == "name" and not (value.strip() and len(value) <= longest):
            raise BadRequest(
                f"Invalid input for field 'name': 1 to {longest} characters are accepted."
            )
        if name == "enabled" and value.lower() not in WORDS:
            raise BadRequest(
                f"Invalid input for field 'enabled': {value!r}; true or false is accepted."
            )
        if name == "sort_dir" and value not in ("asc", "desc"):
            raise BadRequest(
                f"Invalid input for field 'sort_dir': {value!r}; asc or desc is accepted."
            )


def known_query(context: Context, *names: str) -> None:
    """Refuse query parameters besides these and those of paging.

    Errors: BadRequest naming what is accepted.
    """
    accepted = {*names, "limit", "marker"}
    unknown = sorted({name for name, _ in context.query} - accepted)
    if unknown:
        raise BadRequest(
            f"Additional properties are not allowed ({', '.join(map(repr, unknown))} was unexpected). "
            f"Accepted: {', '.join(sorted(accepted))}."
        )


def truth(value: str | None) -> bool:
    """A query parameter as a condition: present, and not a word for no."""
    return value is not None and value.strip().lower() not in {"0", "false", "f", "no", "n", "off"}
