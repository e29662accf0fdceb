"""From where operators may come: the networks that the cloud's policy names, or those of its sites."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from andromede.db import Connection
from andromede.sovereignty.admit import Decision, Refused
from andromede.sovereignty.policy import store
from andromede.sovereignty.policy.model import CLOUD
from andromede.sovereignty.world import facts

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
RULE = "administration_from"


def require(connection: Connection, remote: str) -> None:
    """Refuse an operator who comes from an address outside of the allowed places.

    Errors: Refused.
    """
    places = store.effective_cloud(connection).administration_from
    if places is None:
        return
    try:
        address = ipaddress.ip_address(remote.partition("%")[0])
    except ValueError:
        raise _refusal(remote or "an unknown address", places) from None
    mapped = address.ipv4_mapped if address.version == 6 else None
    if not any((mapped or address) in network for network in _networks(connection, places)):
        raise _refusal(remote, places)


def _networks(connection: Connection, places: tuple[str, ...]) -> Iterator[Network]:
    """The networks of the places; a site that nobody declared has none."""
    for place in places:
        if "/" in place or ":" in place:
            yield ipaddress.ip_network(place)
        else:
            for network in facts.current(connection).site(place).networks:
                yield ipaddress.ip_network(network)


def _refusal(remote: str, places: tuple[str, ...]) -> Refused:
    accepted = ", ".join(places) or "nowhere"
    return Refused(
        Decision(
            allowed=False,
            rule=RULE,
            set_at=CLOUD,
            accepted=places,
            reason=(
                f"Operators do not come from {remote} (rule {RULE}, set on the cloud). "
                f"Accepted: {accepted}."
            ),
        )
    )
