"""What regions, services and endpoints have in common: what this cloud serves comes first, as it is
or as an operator's row changes it, and then the rows of operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.paging import read_page
from andromede.services.identity.bodies import extras
from andromede.services.identity.catalog import entries, store
from andromede.services.identity.catalog.entries import FIXED, Item
from andromede.services.identity.links import own, several
from andromede.services.identity.rows import by_id, page_of
from andromede.sovereignty.log.leaves import EVERYONE

EXTERNAL = "This is what the cloud serves itself"


class Noun(Struct, frozen=True, kw_only=True):
    """A kind of entry: its word in the API, its table, what this cloud has of it, and the query
    parameters that filter its list."""

    word: str
    table: Any
    mine: Callable[[Context], dict[str, Item]]
    filters: tuple[str, ...]

    def view(self, context: Context, item: Item) -> Item:
        """An entry as the API shows it."""
        shown = {name: value for name, value in item.items() if name != "extra"}
        if self.word == "endpoint":
            shown["region"] = item["region_id"]
        links = own(context, f"{self.word}s/{item['id']}")
        return {**item["extra"], **shown, "links": links}

    def find(self, context: Context, identifier: str) -> Item | None:
        """An entry as a row, whoever made it."""
        row = by_id(context.conn, self.table, identifier)
        mine = self.mine(context).get(identifier)
        if mine is None:
            return None if row is None else dict(row._mapping)
        changed = {identifier: dict(row._mapping)} if row is not None else {}
        return entries.merged({identifier: mine}, changed, FIXED[self.table])[0]

    def require(self, context: Context) -> Item:
        """The entry of the path. Errors: NotFound."""
        identifier = context.params["id"]
        item = self.find(context, identifier)
        if item is None:
            raise NotFound(f"Could not find {self.word}: {identifier}.")
        context.concerns(identifier, EVERYONE)
        return item

    def list_all(self, context: Context) -> Item:
        """`GET /v3/{noun}s`: what this cloud serves is on the first page."""
        wanted = [(name, value) for name, value in context.query if name in self.filters]
        mine = self.mine(context)
        where: list[sa.ColumnElement[bool]] = [self.table.c.id.not_in(list(mine))]
        where += [self.table.c[name] == value for name, value in wanted]
        page = read_page(context.query)
        rows, more = page_of(context.conn, self.table, where, page)
        items = [dict(row._mapping) for row in rows]
        if page.marker is None:
            found = [self.find(context, each) for each in mine]
            first = [each for each in found if each is not None]
            items = [x for x in first if all(x[name] == v for name, v in wanted)] + items
        return several(
            context, f"{self.word}s", [self.view(context, each) for each in items], more=more
        )

    def show(self, context: Context) -> Item:
        return {self.word: self.view(context, self.require(context))}

    def make(self, context: Context, values: Item) -> Item:
        """Add an entry, and show it."""
        context.conn.execute(sa.insert(self.table), values)
        context.concerns(values["id"], EVERYONE)
        return {self.word: self.view(context, values)}

    def change(self, context: Context, item: Item, values: Item, shape: type[Struct]) -> Item:
        """Change an entry, and show it.

        Errors: Forbidden for what follows from what this cloud serves.
        """
        if item["id"] in self.mine(context):
            bound = [name for name in FIXED[self.table] if values.get(name, item[name])
                     != item[name]]  # fmt: skip
            if bound:
                raise Forbidden(
                    f"{EXTERNAL}, so that {', '.join(bound)} of {self.word} {item['id']} cannot be "
                    "changed here; its name, description and whether it is enabled can."
                )
        extra = {**item["extra"], **extras(context, self.word, shape)}
        extra = {name: value for name, value in extra.items() if name not in item}
        changed = {**item, **values, "extra": extra}
        store.put(context.conn, self.table, changed)
        return {self.word: self.view(context, changed)}

    def refuse_own(self, context: Context, identifiers: Iterable[str]) -> None:
        """Errors: Forbidden to delete what this cloud serves."""
        mine = self.mine(context)
        for each in identifiers:
            if each in mine:
                raise Forbidden(
                    f"{EXTERNAL}: {self.word} {each} cannot be deleted, only be changed."
                )


SERVICE = Noun(
    word="service", table=store.service, mine=entries.own_services, filters=("type", "name")
)
ENDPOINT = Noun(
    word="endpoint", table=store.endpoint, mine=entries.own_endpoints,
    filters=("interface", "service_id", "region_id"),
)  # fmt: skip
REGION = Noun(
    word="region", table=store.region, mine=entries.own_regions, filters=("parent_region_id",)
)


def require_no_double(context: Context, service_id: str, region_id: str | None) -> None:
    """Let clients be sent to no other address for what this cloud serves in its own region: whoever is
    there would get the tokens of all who come.

    Errors: Forbidden.
    """
    item = SERVICE.find(context, service_id)
    home = context.cloud.config.place.region
    assert item is not None, "the service was found"
    if item["type"] in entries.types(context.cloud) and region_id in (None, home):
        raise Forbidden(
            f"{EXTERNAL}: another endpoint of type {item['type']} in region {home} would take its "
            f"place. Accepted: an endpoint in another region."
        )


def require_no_namesake(context: Context, kind: str) -> None:
    """Errors: Forbidden for a second service of a type that this cloud serves."""
    if kind in entries.types(context.cloud):
        raise Forbidden(
            f"{EXTERNAL}: a second service of type {kind} would take its place. Accepted: another "
            f"type; or endpoints in another region, of the service that is there."
        )


def require_region(context: Context, region_id: str | None, what: str) -> None:
    """Errors: BadRequest when a body names a region that is not there."""
    if region_id is not None and REGION.find(context, region_id) is None:
        raise BadRequest(f"Could not find region: {region_id}, named as {what}.")
