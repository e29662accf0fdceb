"""What the taps of ports counted, as the guests behind them see it. Reads the host's links."""

from __future__ import annotations

from andromede.engine.embedded.net import links
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.store import Store
from andromede.figures import CardFigures

COUNTED = ("bytes", "packets", "errors", "dropped")


def of_port(names: Names, store: Store, port_id: str) -> CardFigures | None:
    """The counters of a port's tap; None when there is none. Errors: EngineError."""
    network_id = store.network_of_port(port_id)
    port = store.port(network_id, port_id) if network_id is not None else None
    if network_id is None or port is None:
        return None
    tap = names.tap(port.number)
    with links.netlink(names.network_namespace(network_id)) as ip:
        index = links.index(tap)
        if index is None:
            return None
        stats = ip.get_links(index)[0].get_attr("IFLA_STATS64")
    # what the host receives from the tap the guest sent
    heard = {f"rx_{what}": int(stats[f"tx_{what}"]) for what in COUNTED}
    sent = {f"tx_{what}": int(stats[f"rx_{what}"]) for what in COUNTED}
    return CardFigures(name=tap, mac=port.mac, **heard, **sent)
