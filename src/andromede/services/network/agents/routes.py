"""Agents, and which networks have their DHCP from one, over HTTP. For operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from andromede.http.access import ADMIN, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network.agents import store as agents
from andromede.services.network.common import checks, handling, listing
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.store import Row
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.routes import views
from andromede.services.network.networks.store import NETWORKS, hosted
from andromede.services.network.ports import dhcp

FILTERS = ("id", "agent_type", "binary", "topic", "host", "availability_zone")
FLAGS = ("alive", "admin_state_up")
HOSTED = replace(NETWORKS, only=hosted())


def index(context: Context) -> object:
    """Operators see them; for everybody else there are none, as upstream has it."""
    caller = context.caller
    every = agents.every(context.conn) if ADMIN.allows(caller) else []
    wanted = [(k, v) for k, v in context.query if k in FILTERS or k in FLAGS]
    found = [each for each in every if all(_matches(each, k, v) for k, v in wanted)]
    return {"agents": listing.few(context, found)}


def _matches(agent: Row, name: str, value: str) -> bool:
    if name in FLAGS:
        try:
            return bool(agent[name]) == checks.boolean(value)
        except ValueError as error:
            raise BadRequest(f"Invalid input for {name}. Reason: {error}.") from None
    return str(agent[name]).lower() == value.lower()


def show(context: Context) -> object:
    return {"agent": _find(context)}


def _find(context: Context, kind: str | None = None) -> Row:
    key = context.params["id"]
    for each in agents.every(context.conn):
        if each["id"] == key and kind in (None, each["agent_type"]):
            return each
    raise NotFound(f"Agent {key} could not be found", type="AgentNotFound")


def networks_of(context: Context) -> object:
    """The networks that have their DHCP from an agent."""
    _find(context, agents.DHCP_AGENT)
    return handling.index(context, HOSTED, views)


def add_network(context: Context) -> object:
    """Give a network its DHCP again."""
    _find(context, agents.DHCP_AGENT)
    body: Any = context.body
    key = body.get("network_id") if isinstance(body, dict) else None
    if not isinstance(key, str):
        raise BadRequest("Invalid body: an object with network_id is accepted")
    row = handling.find_own(context, NETWORKS, "update", key)
    if row["dhcp_hosted"]:
        raise in_use(
            "NetworkHostedByDHCPAgent",
            f"The network {key} has been already hosted by the DHCP Agent {context.params['id']}.",
        )
    _host(context, row, True)
    return {}


def remove_network(context: Context) -> Reply:
    """Take a network's DHCP from it: its DHCP port goes, and nothing answers any more."""
    agent = _find(context, agents.DHCP_AGENT)
    row = handling.find_own(context, NETWORKS, "update", context.params["network_id"])
    if not row["dhcp_hosted"]:
        raise in_use(
            "NetworkNotHostedByDhcpAgent",
            f"The network {row['id']} is not hosted by the DHCP agent {agent['id']}.",
        )
    _host(context, row, False)
    return Reply(204)


def _host(context: Context, row: Row, is_hosted: bool) -> None:
    networks.update(context.conn, row["id"], {"dhcp_hosted": is_hosted})
    dhcp.follow(context, {**row, "dhcp_hosted": is_hosted})


def agents_of(context: Context) -> object:
    """The agents that a network has its DHCP from."""
    row = handling.find(context, NETWORKS)
    every = agents.every(context.conn) if row["dhcp_hosted"] else []
    return {"agents": [each for each in every if each["agent_type"] == agents.DHCP_AGENT]}


def _row(
    method: str,
    path: str,
    handler: Callable[[Context], Any],
    verb: str,
    allow: Rule,
    status: int = 200,
) -> Operation:
    return Operation(
        method=method, path=f"/v2.0/{path}", handler=handler, action=f"network:agent:{verb}",
        allow=allow, status=status,
    )  # fmt: skip


OPERATIONS: list[Operation] = [
    _row("GET", "agents", index, "list", PROJECT_READER),
    _row("GET", "agents/{id}", show, "show", ADMIN),
    _row("GET", "agents/{id}/dhcp-networks", networks_of, "list_networks", ADMIN),
    _row("POST", "agents/{id}/dhcp-networks", add_network, "add_network", ADMIN, 201),
    _row(
        "DELETE", "agents/{id}/dhcp-networks/{network_id}", remove_network, "remove_network",
        ADMIN, 204,
    ),
    _row("GET", "networks/{id}/dhcp-agents", agents_of, "list_of_network", ADMIN),
]  # fmt: skip
