"""Names of everything the cloud puts on a host. Pure: it touches nothing."""

from __future__ import annotations

import hashlib
import re

from andromede.engine.protocol import EngineError

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
LINK_MAX = 15


def checked(identifier: str) -> str:
    """The id itself. Errors: EngineError when it could not be part of a file name."""
    if not _ID.fullmatch(identifier):
        raise EngineError(
            f"naming a host object after id {identifier!r}: only 1 to 64 letters, digits and "
            "hyphens are accepted",
            permanent=True,
        )
    return identifier


class Names:
    """What one cloud calls its links, namespaces and tables; all begin with its mark."""

    def __init__(self, short: str) -> None:
        self.mark = f"am{short}"
        self.table = self.mark
        self.networks, self.routers = f"{self.mark}-n-", f"{self.mark}-r-"

    def network_namespace(self, network_id: str) -> str:
        return self.networks + checked(network_id)

    def router_namespace(self, router_id: str) -> str:
        return self.routers + checked(router_id)

    def bridge(self, number: int) -> str:
        return self._link("b", number)

    def tap(self, number: int) -> str:
        return self._link("t", number)

    def uplink_host(self, number: int) -> str:
        """The end of an external network's uplink that the host holds, with the gateway address."""
        return self._link("x", number)

    def uplink_inner(self, number: int) -> str:
        return self._link("u", number)

    def leg(self, port_id: str) -> str:
        """Both ends of a router's leg, each in its namespace."""
        return f"{self.mark}l{hashlib.sha256(port_id.encode()).hexdigest()[:8]}"

    def _link(self, kind: str, number: int) -> str:
        name = f"{self.mark}{kind}{number}"
        if number < 0 or len(name) > LINK_MAX:
            raise EngineError(
                f"naming a link {name!r}: the kernel takes {LINK_MAX} characters, so numbers up to "
                f"{10 ** (LINK_MAX - len(self.mark) - 1) - 1} are accepted",
                permanent=True,
            )
        return name
