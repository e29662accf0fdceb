"""Every list that is paged by marker: where it is, and how its nouns are made and removed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.whole.stock import KEY
from tests.contract.whole.world import Whole

COMPUTE, NETWORK, V3, SOVEREIGN = (
    "/compute/v2.1",
    "/network/v2.0",
    "/identity/v3",
    "/sovereignty/v1",
)
Body = Callable[[Whole, str, int], Any]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One list. `body(whole, name, n)` makes a new resource, the n-th; `one` is the envelope's name,
    `key` what names an entry, `sorts` further orders, `reverse` whether it pages backwards too."""

    path: str
    body: Body
    one: str = ""
    persona: str = "member"
    key: str = "id"
    entry: str = ""  # what holds an entry in the list, where something does
    put: bool = False  # made by PUT at a name of one's own
    sorts: tuple[str, ...] = ()
    reverse: bool = False
    remove: bool = True
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def many(self) -> str:
        return {"os-keypairs": "keypairs"}.get(self.tail, self.tail.replace("-", "_"))

    @property
    def tail(self) -> str:
        return self.path.rpartition("/")[2].partition("?")[0]

    def shown(self, body: Any) -> list[str]:
        """The names of a page's entries."""
        entries = [each[self.entry] if self.entry else each for each in body[self.many]]
        return [str(each[self.key]) for each in entries]


class Maker:
    """Makes and removes the resources of one list, as its persona."""

    def __init__(self, whole: Whole, listed: Listed) -> None:
        self.whole, self.listed = whole, listed
        self.client = whole.client(listed.persona, private=listed.persona in ("admin", "sysadm"))
        self.counter = itertools.count(1)

    def add(self, name: str) -> str:
        """A new one; its name in the list."""
        listed, number = self.listed, next(self.counter)
        body = listed.body(self.whole, name, number)
        path = listed.path.partition("?")[0]
        if listed.put:
            key = f"{name}-{number}"
            answer = self.client.put(f"{path}/{key}", body)
            assert answer.status in (200, 201), answer.body
            return key
        answer = self.client.post(path, body)
        assert answer.status in (200, 201, 202), answer.body
        made = answer.json[listed.one] if listed.one else answer.json
        return str(made[listed.key])

    def take(self, key: str) -> None:
        answer = self.client.delete(f"{self.listed.path.partition('?')[0]}/{key}")
        assert answer.status in (200, 202, 204), answer.body

    def page(self, query: str) -> list[str]:
        joined = "&" if "?" in self.listed.path else "?"
        found = self.client.get(f"{self.listed.path}{joined}{query}").expect(200)
        return self.listed.shown(found)


def _network(plural: str, one: str, more: Callable[[Whole, int], dict[str, Any]]) -> Listed:
    named = one not in ("floatingip", "security_group_rule")

    def body(whole: Whole, name: str, number: int) -> Any:
        return {
            one: {**({"name": name} if named else {"description": name}), **more(whole, number)}
        }

    sort = "name" if named else "description"
    return Listed(
        path=f"{NETWORK}/{plural}", body=body, one=one, reverse=True,
        sorts=tuple(
            f"sort_key={key}&sort_dir={way}"
            for key, way in ((sort, "asc"), (sort, "desc"), ("project_id", "asc"))
        ),
    )  # fmt: skip


def _identity(plural: str, one: str, **more: Any) -> Listed:
    def body(whole: Whole, name: str, number: int) -> Any:
        placed = {} if one in ("domain", "role") else {"domain_id": whole.ids["domain"]}
        closed = {"enabled": False} if one == "domain" else {}
        return {one: {"name": f"{name}{number}", **placed, **closed}}

    return Listed(path=f"{V3}/{plural}", body=body, one=one, persona="admin", **more)


def _server(whole: Whole, name: str, _: int) -> Any:
    ids = whole.ids
    return {"server": {
        "name": name, "imageRef": ids["image/images"], "flavorRef": ids["compute/flavors"],
        "networks": [{"uuid": ids["network/networks"]}],
    }}  # fmt: skip


LISTS: list[Listed] = [
    _network("networks", "network", lambda whole, n: {}),
    _network("subnets", "subnet", lambda whole, n: {
        "network_id": whole.ids["network/networks"], "cidr": f"10.100.{n}.0/24", "ip_version": 4}),
    _network("ports", "port", lambda whole, n: {"network_id": whole.ids["network/networks"]}),
    _network("routers", "router", lambda whole, n: {}),
    _network("floatingips", "floatingip",
             lambda whole, n: {"floating_network_id": whole.ids["external"]}),
    _network("security-groups", "security_group", lambda whole, n: {}),
    _network("security-group-rules", "security_group_rule", lambda whole, n: {
        "security_group_id": whole.ids["network/security-groups"], "direction": "ingress",
        "protocol": "tcp", "port_range_min": n, "port_range_max": n}),
    Listed(path=f"{COMPUTE}/servers", body=_server, one="server",
           sorts=("sort_key=display_name&sort_dir=asc", "sort_key=display_name")),
    Listed(path=f"{COMPUTE}/flavors", one="flavor", persona="admin",
           sorts=("sort_key=name&sort_dir=desc", "sort_key=created_at"),
           body=lambda whole, name, n: {
               "flavor": {"name": f"{name}{n}", "ram": n, "vcpus": 1, "disk": 0}}),
    Listed(path=f"{COMPUTE}/os-keypairs", one="keypair", key="name", entry="keypair",
           body=lambda whole, name, n: {"keypair": {"name": f"{name}{n}", "public_key": KEY}}),
    Listed(path="/image/v2/images", sorts=("sort=name:asc", "sort=name:desc,created_at:asc"),
           body=lambda whole, name, n: {"name": name}),
    _identity("users", "user"), _identity("groups", "group"), _identity("projects", "project"),
    _identity("domains", "domain", remove=True), _identity("roles", "role"),
    Listed(path=f"{V3}/credentials", one="credential",
           body=lambda whole, name, n: {"credential": {"type": "cert", "blob": f"{name}{n}"}}),
    Listed(path=f"{SOVEREIGN}/entities", one="entity", put=True, persona="admin",
           body=lambda whole, name, n: {"entity": {"name": name, "country": "FR"}}),
    Listed(path=f"{SOVEREIGN}/sites", one="site", put=True, persona="admin", key="name",
           body=lambda whole, name, n: {"site": {"country": "FR", "operator": "runner"}}),
    Listed(path=f"{SOVEREIGN}/contracts", one="contract", put=True, persona="admin",
           body=lambda whole, name, n: {"contract": {
               "customer": "runner", "supplier": "owner", "purpose": name}}),
    Listed(path=f"{SOVEREIGN}/consents", one="consent", remove=False,
           body=lambda whole, name, n: {"consent": {"kinds": ["disk"], "reason": name}}),
]  # fmt: skip
