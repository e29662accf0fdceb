"""The SQL of agents: who said when that it is there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.services.network.common.store import Row

ALIVE_WITHIN = 75 * clock.SECOND  # as upstream: an agent that was silent for longer is down
DHCP_AGENT, L3_AGENT = "DHCP agent", "L3 agent"
METADATA_AGENT, BRIDGE_AGENT = "Metadata agent", "Linux bridge agent"
KINDS = {
    DHCP_AGENT: ("neutron-dhcp-agent", "dhcp_agent"),
    L3_AGENT: ("neutron-l3-agent", "l3_agent"),
    METADATA_AGENT: ("neutron-metadata-agent", "N/A"),
    BRIDGE_AGENT: ("neutron-linuxbridge-agent", "N/A"),
}

agent = table(
    "network_agent",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("agent_type", sa.String(32), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.UniqueConstraint("host", "agent_type"),
)


def beat(connection: Connection, host: str, *, started: bool) -> None:
    """Note that a host's worker is there; `started`: it is its first word."""
    now = clock.now()
    values = {"seen_at": now, **({"started_at": now} if started else {})}
    known = connection.execute(sa.update(agent).where(agent.c.host == host).values(values))
    if known.rowcount:
        return
    for kind in KINDS:
        row = {"id": ids.new(), "agent_type": kind, "host": host}
        moments = {"created_at": now, "started_at": now, "seen_at": now}
        connection.execute(sa.insert(agent), {**row, **moments})


def every(connection: Connection) -> list[Row]:
    """All agents; a cloud has a handful."""
    statement = sa.select(agent).order_by(agent.c.host, agent.c.agent_type)
    return [view(dict(row)) for row in connection.execute(statement).mappings()]


def view(row: Row) -> dict[str, Any]:
    """An agent as clients see it."""
    binary, topic = KINDS[row["agent_type"]]
    return {
        "id": row["id"],
        "agent_type": row["agent_type"],
        "binary": binary,
        "topic": topic,
        "host": row["host"],
        "admin_state_up": True,
        "alive": clock.now() - row["seen_at"] <= ALIVE_WITHIN,
        "created_at": _spoken(row["created_at"]),
        "started_at": _spoken(row["started_at"]),
        "heartbeat_timestamp": _spoken(row["seen_at"]),
        "availability_zone": "nova" if row["agent_type"] in (DHCP_AGENT, L3_AGENT) else None,
        "configurations": {},
        "description": None,
    }


def _spoken(moment: int) -> str:
    """A moment as this part of the API writes it."""
    return clock.iso(moment).replace("T", " ").rstrip("Z")
